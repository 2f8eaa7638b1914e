//! Looking at files without reading them: which are entries, and in which version.

use std::{
    ffi::OsStr,
    fs,
    num::NonZero,
    os::unix::ffi::OsStrExt,
    panic,
    path::PathBuf,
    thread::{self, Builder},
};

use acme_messages::ServerName;
use rustix::{
    fs::{AtFlags, FileType, Stat, statat},
    io::Errno,
};

use super::{
    entry_name::{EntryName, FileName},
    folder::{Folder, Handle},
    reading,
};
use crate::{Listed, StoreError};

/// How many files are worth a thread of their own: some milliseconds' work.
const SHARE: usize = 2_048;

/// How many threads look at files at once; more would keep others from their work.
const MAX_THREADS: usize = 4;

/// What a look at many files has found.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) items: Vec<Listed>,
    /// Whether there were links among them, whose targets change unnoticed.
    pub(super) links: bool,
    /// Whether each file was there.
    pub(super) all_there: bool,
}

/// Looks at all of these files.
///
/// Where they are many, most of the time is spent in waiting: for the memory in which the
/// system keeps what it knows of a file, or for a disk far away. So several wait at once.
pub(super) fn at_all(folder: &Folder, files: &[&[u8]]) -> Result<Seen, StoreError> {
    in_shares(folder, files, threads(files.len()))
}

fn in_shares(folder: &Folder, files: &[&[u8]], threads: usize) -> Result<Seen, StoreError> {
    let mut shares = files.chunks(files.len().div_ceil(threads).max(1));
    let first = shares.next().unwrap_or_default();
    thread::scope(|scope| {
        let others: Vec<_> = shares
            .map(|share| {
                let thread = Builder::new().name("acme-store".to_owned());
                let started = thread.spawn_scoped(scope, move || Seen::of(folder, share));
                (share, started)
            })
            .collect();
        let mut seen = Seen::of(folder, first)?;
        for (share, started) in others {
            let more = match started {
                Ok(thread) => thread.join().unwrap_or_else(|it| panic::resume_unwind(it)),
                // The system has no thread to give.
                Err(_) => Seen::of(folder, share),
            };
            seen.add(more?);
        }
        Ok(seen)
    })
}

/// How many threads so many files are worth.
fn threads(files: usize) -> usize {
    match files / SHARE {
        0 | 1 => 1,
        worth => {
            let there = thread::available_parallelism().map_or(1, NonZero::get);
            worth.min(there).min(MAX_THREADS)
        }
    }
}

impl Seen {
    fn of(folder: &Folder, files: &[&[u8]]) -> Result<Self, StoreError> {
        let mut look = Look::new(folder)?;
        let mut seen = Self {
            items: Vec::with_capacity(files.len()),
            links: false,
            all_there: true,
        };
        for file in files {
            match look.at(OsStr::from_bytes(file))? {
                Found::Entry(listed) => seen.items.push(listed),
                Found::Other => {}
                Found::Nothing => seen.all_there = false,
            }
        }
        seen.links = look.links;
        Ok(seen)
    }

    fn add(&mut self, mut more: Self) {
        self.items.append(&mut more.items);
        self.links |= more.links;
        self.all_there &= more.all_there;
    }
}

/// What a look at a file has found.
enum Found {
    Entry(Listed),
    /// No file of that name.
    Nothing,
    /// What is no entry: an alias, a directory, or somebody else's file.
    Other,
}

/// Looks at files of one directory, which is open: the system need not find it for each.
pub(super) struct Look<'a> {
    folder: &'a Folder,
    handle: Handle,
    /// Whether there was a link.
    pub(super) links: bool,
    /// Where the directory really is, once there was a link.
    directory: Option<PathBuf>,
}

impl<'a> Look<'a> {
    pub(super) fn new(folder: &'a Folder) -> Result<Self, StoreError> {
        Ok(Self {
            folder,
            handle: folder.handle()?,
            links: false,
            directory: None,
        })
    }

    /// The entry of this name, as a list would have it.
    pub(super) fn entry(&mut self, name: &ServerName) -> Result<Option<Listed>, StoreError> {
        let Ok(file) = EntryName::new(name, self.folder.name_limit()) else {
            return Ok(None);
        };
        match self.at(OsStr::new(file.as_str()))? {
            Found::Entry(listed) => Ok(Some(listed)),
            Found::Other => Ok(None),
            Found::Nothing => {
                // The directory itself may have gone, and all its files with it.
                self.folder.handle()?;
                Ok(None)
            }
        }
    }

    fn at(&mut self, file: &OsStr) -> Result<Found, StoreError> {
        let Some(name) = self.name_of(file) else {
            return Ok(Found::Other);
        };
        let mut stat = match self.stat(file, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(Found::Nothing),
            Err(errno) => {
                let path = self.folder.path().join(file);
                return Err(reading::io_error("look at", &path, errno.into()));
            }
        };
        if file_type(&stat).is_symlink() {
            match self.follow(file, stat) {
                Some(target) => stat = target,
                None => return Ok(Found::Other),
            }
        }
        if !file_type(&stat).is_file() && !file_type(&stat).is_symlink() {
            self.folder.warn_once(file, || {
                tracing::warn!(?file, "passed over: not a file");
            });
            return Ok(Found::Other);
        }
        Ok(Found::Entry(Listed::new(name, reading::version_in(&stat))))
    }

    /// The name of an entry, if the file's name is one; says so if it nearly is.
    fn name_of(&self, file: &OsStr) -> Option<ServerName> {
        match FileName::of(file) {
            // One over the limit would not be opened either.
            FileName::Entry(name) => {
                return (file.len() <= self.folder.name_limit()).then_some(name);
            }
            FileName::Odd => self.folder.warn_once(file, || {
                tracing::warn!(?file, "passed over: not a host name in lower case");
            }),
            FileName::Default => self.folder.warn_once(file, || {
                tracing::info!(?file, "passed over: the default host is the operator's");
            }),
            FileName::Other => {}
        }
        None
    }

    fn stat(&self, file: &OsStr, flags: AtFlags) -> Result<Stat, Errno> {
        statat(&self.handle, file, flags)
    }

    /// What a link leads to, unless that is another entry of this directory.
    ///
    /// Where it leads to nothing, or to what cannot be read just now, the link
    /// stands for itself, and reading it says what is wrong.
    fn follow(&mut self, file: &OsStr, link: Stat) -> Option<Stat> {
        self.links = true;
        if self.directory.is_none() {
            self.directory = fs::canonicalize(self.folder.path()).ok();
        }
        let Ok(target) = fs::canonicalize(self.folder.path().join(file)) else {
            return Some(link);
        };
        let file_name = target.file_name().map(FileName::of);
        let is_alias = target.parent() == self.directory.as_deref()
            && matches!(file_name, Some(FileName::Entry(_)));
        (!is_alias).then(|| self.stat(file, AtFlags::empty()).unwrap_or(link))
    }
}

fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const FILES: [&[u8]; 8] = [
        b"a.example.com.pem",
        b"alias.pem",
        b"b.example.com.pem",
        b"A.pem",
        b"gone.pem",
        b"c.example.com.pem",
        b"link.pem",
        b"d.example.com.pem",
    ];

    fn directory() -> (tempfile::TempDir, Folder) {
        let directory = tempfile::tempdir().unwrap();
        for file in FILES {
            let path = directory.path().join(OsStr::from_bytes(file));
            match file {
                b"alias.pem" => symlink("a.example.com.pem", path).unwrap(),
                b"link.pem" => symlink("/dev/null", path).unwrap(),
                b"gone.pem" => {}
                _ => fs::write(path, "").unwrap(),
            }
        }
        let folder = Folder::new(directory.path().to_owned());
        (directory, folder)
    }

    #[test]
    fn the_shares_together_see_what_one_sees() {
        let (_directory, folder) = directory();
        for range in [0..8, 0..0, 0..1, 0..3, 2..4, 4..5, 4..8, 5..6, 5..8] {
            let files = &FILES[range.clone()];
            let alone = Seen::of(&folder, files).unwrap();
            assert_eq!(alone.links, range.contains(&1) || range.contains(&6));
            assert_eq!(alone.all_there, !range.contains(&4));
            for threads in 1..=9 {
                let seen = in_shares(&folder, files, threads).unwrap();
                assert_eq!(seen, alone, "{range:?} in {threads}");
            }
        }
    }

    #[test]
    fn shares_that_fail_are_no_empty_ones() {
        let (directory, folder) = directory();
        drop(directory);
        for threads in 1..=4 {
            let failed = in_shares(&folder, &FILES, threads);
            assert!(matches!(failed, Err(StoreError::DirectoryMissing { .. })));
        }
    }

    #[test]
    fn few_files_are_looked_at_where_they_are_asked_for() {
        assert_eq!(threads(0), 1);
        assert_eq!(threads(2 * SHARE - 1), 1);
        assert!((1..=MAX_THREADS).contains(&threads(usize::MAX)));
    }
}
