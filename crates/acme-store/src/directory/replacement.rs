//! Replacing one entry, so that a reader sees the old file or the new one, whatever happens.

use std::{
    fs::{self, File, FileTimes, Metadata, Permissions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustix::io::Errno;

use super::{
    Temporary,
    entry_name::EntryName,
    folder::{self, Folder},
    reading::{self, io_error},
};
use crate::{Expect, PutError, StoreError, Version, account_key};
#[cfg(any(target_os = "linux", target_os = "android"))]
use access_list::AccessList;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use no_access_list::AccessList;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod access_list;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod no_access_list;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod obstacle;

/// 16 KiB: room for a key and a chain of today, and more.
const ROOM: usize = 1 << 14;

/// What a replacement does, in this order. Each may fail, and none harms the old file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Create,
    Write,
    Dress,
    Sync,
    Place,
    SyncDirectory,
}

/// Writes an entry, if what is there is what was expected.
pub(super) fn put(
    folder: &Folder,
    name: &EntryName,
    pem: &[u8],
    expected: &Expect,
    new_file_mode: u32,
) -> Result<Version, PutError> {
    put_with(folder, name, pem, expected, new_file_mode, &mut |_| Ok(()))
}

fn put_with(
    folder: &Folder,
    name: &EntryName,
    pem: &[u8],
    expected: &Expect,
    new_file_mode: u32,
    before: &mut dyn FnMut(Step) -> io::Result<()>,
) -> Result<Version, PutError> {
    let turn = folder.turn(folder.handle()?)?;
    let path = target(folder, name)?;
    let old = Old::at(folder, &path)?;
    if !expected.is_met_by(old.version().as_ref()) {
        return Err(PutError::Conflict);
    }
    let failed = |operation| {
        let path = &path;
        move |error| io_error(operation, path, error)
    };
    before(Step::Create).map_err(failed("create a file for"))?;
    let temporary = Temporary::create(folder).map_err(failed("create a file for"))?;
    let mut file = temporary.file();
    before(Step::Write).map_err(failed("write"))?;
    file.write_all(pem).map_err(failed("write"))?;
    before(Step::Dress).map_err(failed("keep the owner of"))?;
    old.dress(file, new_file_mode)
        .map_err(failed("keep the owner of"))?;
    before(Step::Sync).map_err(failed("sync"))?;
    file.sync_all().map_err(failed("sync"))?;
    let version = reading::version(&file.metadata().map_err(failed("read"))?);
    let placed = before(Step::Place).and_then(|()| match &old {
        Old::Nothing => temporary.name(&path),
        Old::File { .. } => temporary.replace(&path),
    });
    match placed {
        Ok(()) => {}
        // Somebody who takes no turns was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(PutError::Conflict);
        }
        Err(error) if refuses_name(name, &error) => return Err(not_allowed(name).into()),
        Err(error) => return Err(failed("replace")(error).into()),
    }
    before(Step::SyncDirectory).map_err(failed("sync"))?;
    turn.sync(folder)?;
    if let Some(parent) = path.parent().filter(|it| *it != folder.path()) {
        // The name that a link leads to may be in another directory.
        let parent = File::open(parent).map_err(failed("sync"))?;
        folder::sync(&parent).map_err(failed("sync"))?;
    }
    Ok(version)
}

/// Whether [`put`] would be able to write, found out before an order is spent.
pub(super) fn check(
    folder: &Folder,
    name: &EntryName,
    new_file_mode: u32,
) -> Result<(), StoreError> {
    check_with(folder, name, new_file_mode, &mut |_| Ok(()))
}

fn check_with(
    folder: &Folder,
    name: &EntryName,
    new_file_mode: u32,
    before: &mut dyn FnMut(Step) -> io::Result<()>,
) -> Result<(), StoreError> {
    let handle = folder.handle()?;
    folder.check_writable()?;
    let path = target(folder, name)?;
    let old = Old::at(folder, &path)?;
    if let Some(parent) = path.parent().filter(|it| *it != folder.path()) {
        // The name that a link leads to may be in another directory.
        Folder::new(parent.to_owned()).check_writable()?;
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if matches!(old, Old::File { .. }) {
        obstacle::check(folder.path(), &path).map_err(|error| io_error("replace", &path, error))?;
    }
    // Whether the file system takes the name, has room, and lets the owner be kept is
    // known once it was tried.
    let _turn = folder.turn(handle)?;
    let characters = match old {
        Old::Nothing => name.not_everywhere(),
        Old::File { .. } => String::new(),
    };
    let created = before(Step::Create).and_then(|()| Temporary::create_with(folder, &characters));
    let temporary = match created {
        Ok(temporary) => temporary,
        Err(error) if !characters.is_empty() && refuses_name(name, &error) => {
            return Err(not_allowed(name));
        }
        Err(error) => return Err(io_error("create a file for", &path, error)),
    };
    let mut file = temporary.file();
    before(Step::Write)
        .and_then(|()| file.write_all(&[0; ROOM]))
        .map_err(|error| io_error("write", &path, error))?;
    before(Step::Dress)
        .and_then(|()| old.dress(file, new_file_mode))
        .map_err(|error| io_error("keep the owner of", &path, error))
}

/// Whether the file system has said that it takes no such name.
fn refuses_name(name: &EntryName, error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::INVAL | Errno::ILSEQ)) && !name.not_everywhere().is_empty()
}

fn not_allowed(name: &EntryName) -> StoreError {
    StoreError::NameNotAllowed {
        name: name.name().clone(),
    }
}

/// The path to write: the entry's own, or what it links to inside the directory.
fn target(folder: &Folder, name: &EntryName) -> Result<PathBuf, StoreError> {
    let path = folder.path_of(name);
    let is_link = fs::symlink_metadata(&path).is_ok_and(|it| it.is_symlink());
    if !is_link {
        return Ok(path);
    }
    let target = match fs::canonicalize(&path) {
        Ok(target) => target,
        Err(error) if leads_nowhere(&error) => return Err(reading::not_a_file(&path)),
        Err(error) => return Err(io_error("follow the link", &path, error)),
    };
    let directory = fs::canonicalize(folder.path()).map_err(|it| folder.failed("open", it))?;
    if target == directory.join(account_key::FILE_NAME) {
        return Err(not_allowed(name));
    }
    if target.starts_with(&directory) {
        Ok(target)
    } else {
        Err(StoreError::LinkLeavesDirectory { path })
    }
}

/// Whether a link leads to nothing, or in a circle.
fn leads_nowhere(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || Errno::from_io_error(error) == Some(Errno::LOOP)
}

/// What is replaced.
enum Old {
    Nothing,
    File {
        metadata: Box<Metadata>,
        access: Option<AccessList>,
        blank: bool,
    },
}

impl Old {
    fn at(folder: &Folder, path: &Path) -> Result<Self, StoreError> {
        let Some((file, metadata)) = reading::open(folder, path)? else {
            return Ok(Self::Nothing);
        };
        let blank = reading::is_blank(&reading::read(&file, path)?);
        let access = AccessList::of(&file).map_err(|it| io_error("read", path, it))?;
        Ok(Self::File {
            metadata: Box::new(metadata),
            access,
            blank,
        })
    }

    fn version(&self) -> Option<Version> {
        match self {
            Self::Nothing => None,
            Self::File { metadata, .. } => Some(reading::version(metadata)),
        }
    }

    /// Gives the new file the owner, group, mode and access list that the old one has,
    /// and a time that it never had.
    fn dress(&self, file: &File, new_file_mode: u32) -> io::Result<()> {
        let mut old = None;
        let mode = match self {
            Self::Nothing => new_file_mode,
            Self::File {
                metadata,
                access,
                blank,
            } => {
                old = Some(metadata.modified()?);
                keep_owner(file, metadata, *blank)?;
                let listed = keep_list(file, access.as_ref(), *blank)?;
                let open_to_all = metadata.mode() & 0o007 != 0;
                match *blank {
                    true if listed => metadata.mode() & 0o770,
                    // Left by `touch`: whoever made it did not think of a key.
                    true if open_to_all || access.is_some() => new_file_mode,
                    _ => metadata.mode() & 0o777,
                }
            }
        };
        file.set_permissions(Permissions::from_mode(mode))?;
        date(old, SystemTime::now(), |written| {
            file.set_times(FileTimes::new().set_modified(written))?;
            file.metadata()?.modified()
        })
    }
}

/// How much later than the old file the new one is dated, should the clock have been set
/// back, or the file system keep no more than whole seconds, or every second one.
const LATER: [Duration; 3] = [
    Duration::from_nanos(1),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Dates a file later than the one that it replaces, so that no version comes twice.
///
/// What dates it says which date was kept.
fn date(
    old: Option<SystemTime>,
    now: SystemTime,
    mut set: impl FnMut(SystemTime) -> io::Result<SystemTime>,
) -> io::Result<()> {
    let mut kept = set(now)?;
    let later = LATER.iter().filter_map(|it| old?.checked_add(*it));
    for later in later {
        if old.is_none_or(|old| kept > old) {
            break;
        }
        kept = set(later)?;
    }
    Ok(())
}

/// Keeps owner and group, and fails where that takes the key from one of its readers.
fn keep_owner(file: &File, old: &Metadata, blank: bool) -> io::Result<()> {
    let new = file.metadata()?;
    if new.gid() != old.gid() {
        let kept = fchown(file, None, Some(old.gid()));
        if !blank && old.mode() & 0o070 != 0 {
            kept?;
        }
    }
    if new.uid() != old.uid() {
        let kept = fchown(file, Some(old.uid()), None);
        // Root needs no permission, so that nothing is lost if its file becomes ours.
        if !blank && old.uid() != 0 && old.mode() & 0o700 != 0 {
            kept?;
        }
    }
    Ok(())
}

/// Keeps the access list, and says whether there is one; fails where that takes the key
/// from one of its readers.
fn keep_list(file: &File, old: Option<&AccessList>, blank: bool) -> io::Result<bool> {
    let Some(old) = old else {
        // Its directory may have given it one, of which the group's bits would be the limit.
        AccessList::take_from(file)?;
        return Ok(false);
    };
    match old.give_to(file) {
        Ok(()) => Ok(true),
        Err(_) if blank => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
