//! The directory itself: whether it is there, may be written, and whose turn it is.

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs::{File, TryLockError},
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use rustix::{
    fs::{Access, AtFlags, CWD, Mode, OFlags},
    io::Errno,
};

use super::{entry_name::EntryName, listing::Listings};
use crate::StoreError;

/// How long a writer waits for another process's turn to end: thousands of turns.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a waiting writer asks again.
const LOCK_RETRY: Duration = Duration::from_millis(2);

/// The longest file name where the file system does not say.
const NAME_MAX: usize = 255;

/// How many odd files are remembered, so that each is warned about once.
const MAX_WARNED: usize = 1024;

/// A directory. Every method waits for the disk.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    name_limit: OnceLock<usize>,
    warned: Mutex<HashSet<Box<OsStr>>>,
    listings: Mutex<Listings>,
}

/// The directory is there, and open.
pub(crate) struct Handle(File);

impl Handle {
    /// Which directory it is, on which disk.
    fn identity(&self, folder: &Folder) -> Result<(u64, u64), StoreError> {
        let metadata = self.0.metadata();
        let metadata = metadata.map_err(|error| folder.failed("look at", error))?;
        Ok((metadata.dev(), metadata.ino()))
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The turn to write, until it is dropped.
pub(crate) struct Turn {
    handle: Handle,
    exclusive: bool,
}

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            name_limit: OnceLock::new(),
            warned: Mutex::default(),
            listings: Mutex::default(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn path_of(&self, name: &EntryName) -> PathBuf {
        self.path.join(name.as_str())
    }

    /// The longest file name, in bytes. It never waits once [`handle`](Self::handle) was called.
    pub(super) fn name_limit(&self) -> usize {
        *self.name_limit.get().unwrap_or(&NAME_MAX)
    }

    /// Opens the directory anew: it may have gone since the last time.
    pub(crate) fn handle(&self) -> Result<Handle, StoreError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(&self.path, flags, Mode::empty());
        let handle: OwnedFd = opened.map_err(|errno| self.failed("open", errno.into()))?;
        self.name_limit.get_or_init(|| {
            let limit = rustix::fs::fstatvfs(&handle).map_or(0, |it| it.f_namemax);
            match usize::try_from(limit) {
                Ok(limit) if limit > 0 => limit.min(NAME_MAX),
                _ => NAME_MAX,
            }
        });
        Ok(Handle(File::from(handle)))
    }

    /// Which directory the path leads to, on which disk.
    pub(super) fn identity(&self) -> Result<(u64, u64), StoreError> {
        self.handle()?.identity(self)
    }

    /// An error that an operation on the directory itself met.
    pub(super) fn failed(&self, operation: &'static str, source: io::Error) -> StoreError {
        let path = self.path.clone();
        match source.kind() {
            io::ErrorKind::NotFound => StoreError::DirectoryMissing { path },
            io::ErrorKind::NotADirectory => StoreError::NotADirectory { path },
            _ => StoreError::Io {
                operation,
                path,
                source,
            },
        }
    }

    pub(super) fn not_writable(&self) -> StoreError {
        StoreError::NotWritable {
            path: self.path.clone(),
        }
    }

    /// Asks whether this process may create files here, and creates none to find out.
    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        let access = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
        match rustix::fs::accessat(CWD, &self.path, access, AtFlags::EACCESS) {
            // An old system that cannot say: the first write will.
            Ok(()) | Err(Errno::NOSYS) => Ok(()),
            Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Err(self.not_writable()),
            Err(errno) => Err(self.failed("open", errno.into())),
        }
    }

    /// Waits for the turn to write, among all processes that write here.
    ///
    /// It is one to write where the path leads now: the directory may be replaced by another
    /// while its turn is waited for.
    pub(crate) fn turn(&self, mut handle: Handle) -> Result<Turn, StoreError> {
        let waiting = Instant::now();
        loop {
            match self.try_turn(handle)? {
                Ok(turn) if turn.handle.identity(self)? == self.identity()? => return Ok(turn),
                Ok(_) => handle = self.handle()?,
                Err(free) => handle = free,
            }
            if waiting.elapsed() > LOCK_TIMEOUT {
                return Err(StoreError::Locked {
                    path: self.path.clone(),
                });
            }
            std::thread::sleep(LOCK_RETRY);
        }
    }

    /// Takes the turn to write, unless somebody else has it: then the handle comes back.
    ///
    /// The lock is one on the open directory: it needs no file, and ends with its holder.
    pub(super) fn try_turn(&self, handle: Handle) -> Result<Result<Turn, Handle>, StoreError> {
        let exclusive = match handle.0.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => return Ok(Err(handle)),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                self.warn_once(OsStr::new("/"), || {
                    tracing::warn!(
                        directory = %self.path.display(),
                        %error,
                        "the file system has no locks: let only one process write here",
                    );
                });
                false
            }
            Err(TryLockError::Error(error)) => return Err(self.failed("lock", error)),
        };
        Ok(Ok(Turn { handle, exclusive }))
    }

    /// The listings under way; locked for a moment, never while the disk is awaited.
    pub(super) fn listings(&self) -> MutexGuard<'_, Listings> {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something about a file, but only the first time.
    pub(super) fn warn_once(&self, file: &OsStr, say: impl FnOnce()) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() < MAX_WARNED && !warned.contains(file) {
            warned.insert(file.into());
            say();
        }
    }
}

impl Turn {
    /// Whether nobody else can have a turn, as far as the file system can tell.
    pub(super) const fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    /// Makes the names in the directory survive a loss of power.
    pub(crate) fn sync(&self, folder: &Folder) -> Result<(), StoreError> {
        sync(&self.handle.0).map_err(|error| folder.failed("sync", error))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Closing does it too, but not while a child between fork and exec has a copy.
        let _ = self.handle.0.unlock();
    }
}

/// Syncs a directory, where the file system can.
pub(super) fn sync(directory: &File) -> io::Result<()> {
    match directory.sync_all() {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => Ok(()),
        result => result,
    }
}

/// Network file systems cannot lock directories.
fn has_no_locks(error: &io::Error) -> bool {
    let errnos = [
        Errno::BADF,
        Errno::INVAL,
        Errno::NOLCK,
        Errno::NOSYS,
        Errno::OPNOTSUPP,
    ];
    Errno::from_io_error(error).is_some_and(|it| errnos.contains(&it))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    // A deployment puts a new directory in the old one's place while somebody writes there.
    #[test]
    fn a_turn_is_one_in_the_directory_that_is_there() {
        let around = tempfile::tempdir().unwrap();
        let (path, away) = (around.path().join("x"), around.path().join("y"));
        fs::create_dir(&path).unwrap();
        let folder = Folder::new(path.clone());
        let old = folder.handle().unwrap();
        fs::rename(&path, &away).unwrap();
        fs::create_dir(&path).unwrap();

        let turn = folder.turn(old).unwrap();
        assert_eq!(
            turn.handle.identity(&folder).unwrap(),
            folder.identity().unwrap()
        );
        let again = folder.handle().unwrap();
        assert!(folder.try_turn(again).unwrap().is_err(), "it is taken");
        let old = Folder::new(away).handle().unwrap();
        assert!(
            folder.try_turn(old).unwrap().is_ok(),
            "nobody holds the old one"
        );
        drop(turn);
        fs::remove_dir(&path).unwrap();
        let gone = Folder::new(around.path().join("y")).handle().unwrap();
        assert!(matches!(
            folder.turn(gone),
            Err(StoreError::DirectoryMissing { .. })
        ));
    }
}
