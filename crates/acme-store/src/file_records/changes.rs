//! Which records may have changed: a file that every writer adds to before it writes.
//!
//! A line names a key and says nothing else. It is there before the record changes,
//! and is read while nobody writes: whoever looks at the records of all new lines
//! misses no change, wherever a writer is killed. The file is not synced, since
//! nobody's place in it outlives the machine. Where there is no file, anything may have
//! changed.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    time::SystemTime,
};

use rustix::{fs::OFlags, io::Errno};

use super::{
    file_name::{escaped, unescaped},
    files::{Failed, Files, Turn, failed},
    text::{hex, random, unhex},
};
use crate::Key;

/// 1 MiB, some 20,000 changes: then a new file is begun, and readers look at everything.
const MAX_LENGTH: u64 = 1 << 20;

const ID_LENGTH: usize = 16;

const FIRST: &str = "acme-changes 1 ";

/// The most that a writer adds to a file that is not too long yet: the keys of a commit.
const MAX_ADDED: u64 = 1 << 16;

/// The bytes of the first line.
const HEAD_LENGTH: usize = FIRST.len() + 2 * ID_LENGTH + 1;

/// A place in the file of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    id: [u8; ID_LENGTH],
    file: OneFile,
    offset: u64,
}

/// What tells a file from a copy of it, which has the same id: what was added to one
/// is not in the other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OneFile {
    device: u64,
    number: u64,
    /// `None` where the file system does not keep it.
    made: Option<SystemTime>,
}

/// What has happened since a place.
pub(super) enum News {
    /// These may have changed.
    Keys(BTreeSet<Key>, Place),
    /// The place is gone: anything may have changed.
    Lost(Place),
}

impl Files {
    /// The end of the file; `None` when it has to be made.
    pub(super) fn end_of_changes(&self) -> Result<Option<Place>, Failed> {
        Ok(self.open_changes(false)?.map(|it| it.1))
    }

    fn open_changes(&self, write: bool) -> Result<Option<(File, Place)>, Failed> {
        let path = &self.changes;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        options.read(true).append(write);
        // The flags are bits of a C int.
        let opened = options.custom_flags(flags.bits().cast_signed()).open(path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.exists(path).map(|_| None);
            }
            Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => return Ok(None),
            Err(error) => return Err(failed("open", path, error)),
        };
        let metadata = file.metadata().map_err(|it| failed("read", path, it))?;
        if !metadata.is_file() {
            // Nothing of ours: the next writer puts a file in its place.
            return Ok(None);
        }
        let mut head = [0; HEAD_LENGTH];
        match file.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(failed("read", path, error)),
        }
        let id = std::str::from_utf8(&head).ok().and_then(|it| {
            let digits = it.strip_prefix(FIRST)?.strip_suffix('\n')?;
            unhex(digits)
        });
        let Some(id) = id else { return Ok(None) };
        let place = Place {
            id,
            file: OneFile {
                device: metadata.dev(),
                number: metadata.ino(),
                made: metadata.created().ok(),
            },
            offset: metadata.len(),
        };
        Ok(Some((file, place)))
    }

    /// Says that these are about to change.
    pub(super) fn announce(&self, turn: &Turn, keys: &[&Key]) -> Result<(), Failed> {
        let lines: String = keys
            .iter()
            .map(|it| format!("{}\n", escaped(it.as_str())))
            .collect();
        match self.add(turn, lines) {
            // What makes room must not need any: without the file, all look at everything.
            Err(failed) if failed.is_for_want_of_room() => self.remove(turn, &self.changes),
            added => added,
        }
    }

    fn add(&self, turn: &Turn, lines: String) -> Result<(), Failed> {
        match self.open_changes(true)? {
            Some((mut file, place)) if place.offset < MAX_LENGTH => {
                let path = &self.changes;
                let whole = ends_a_line(&mut file).map_err(|it| failed("read", path, it))?;
                // A writer was killed within a line, and so before it has changed anything.
                let lines = if whole { lines } else { format!("\n{lines}") };
                let written = file.write_all(lines.as_bytes());
                written.map_err(|it| failed("write", path, it))
            }
            _ => self.begin_changes(turn, &lines),
        }
    }

    /// Begins a new file of changes: all readers look at everything.
    pub(super) fn begin_changes(&self, turn: &Turn, lines: &str) -> Result<(), Failed> {
        let id: [u8; ID_LENGTH] = random().map_err(|it| failed("create", &self.changes, it))?;
        let text = format!("{FIRST}{}\n{lines}", hex(&id));
        self.replace(turn, &self.changes, text.as_bytes())
    }

    /// What has happened since a place; nobody writes meanwhile.
    pub(super) fn news(&self, _: &Turn, since: &Place) -> Result<Option<News>, Failed> {
        let Some((mut file, end)) = self.open_changes(false)? else {
            return Ok(None);
        };
        let same = (end.id, &end.file) == (since.id, &since.file);
        let added = end.offset.checked_sub(since.offset);
        if !same || added.is_none_or(|it| it > MAX_LENGTH + MAX_ADDED) {
            return Ok(Some(News::Lost(end)));
        }
        let mut lines = Vec::new();
        file.seek(SeekFrom::Start(since.offset))
            .and_then(|_| {
                let length = end.offset - since.offset;
                (&mut file).take(length).read_to_end(&mut lines)
            })
            .map_err(|it| failed("read", &self.changes, it))?;
        let keys = lines
            .split(|it| *it == b'\n')
            .filter_map(|line| unescaped(std::str::from_utf8(line).ok()?)?.parse().ok());
        Ok(Some(News::Keys(keys.collect(), end)))
    }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
