//! The files themselves: opening and reading within bounds, writing so that a reader
//! sees the old or the new, and whose turn it is.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::{fs::OFlags, io::Errno};

use super::text::MAX_HEAD;
use crate::{Capabilities, RecordError};

/// How often a writer asks whether its turn has come: a turn takes about as long.
const TURN_RETRY: Duration = Duration::from_millis(1);

/// The longest file that is read: a journal of the largest commit.
const MAX_FILE: usize =
    Capabilities::MAX_BATCH * (Capabilities::MAX_VALUE + 2 * MAX_HEAD) + MAX_HEAD;

/// The directory of a store. Every method waits for the disk.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) root: PathBuf,
    pub(super) records: PathBuf,
    pub(super) leases: PathBuf,
    pub(super) journal: PathBuf,
    pub(super) changes: PathBuf,
    format: PathBuf,
    lock: PathBuf,
    temporary: PathBuf,
}

/// The file system refused something.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {path:?}")]
pub(super) struct Failed {
    operation: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The turn to read all or to write, until it is dropped.
///
/// It is the kernel's lock on an open file, and so ends with the process.
pub(super) struct Turn {
    file: File,
}

/// Whether somebody still waits for what a thread does.
#[derive(Debug)]
pub(super) struct Wanted(pub(super) AtomicBool);

impl Files {
    const FORMAT: &str = "acme-records 1\n";

    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            records: root.join("records"),
            leases: root.join("leases"),
            journal: root.join("journal"),
            changes: root.join("changes"),
            format: root.join("format"),
            lock: root.join("lock"),
            temporary: root.join("temporary"),
            root,
        }
    }

    /// Makes what is missing of the directory; gives what it says its format is, if
    /// that is another.
    pub(super) fn create(&self, limit: Duration) -> Result<Option<String>, Failed> {
        self.create_directory(&self.root)?;
        let lock = self.open_lock()?;
        // Another's umask does not count; another's file cannot be changed, and is right.
        let _ = lock.set_permissions(Permissions::from_mode(0o600));
        drop(lock);
        // The locks work, and nobody is in the middle of something.
        let turn = self.lock(true, limit, &Wanted::yes())?;
        match self.read_some(&self.format, MAX_HEAD)? {
            Some(found) if found == Self::FORMAT.as_bytes() => {}
            Some(found) => {
                let found = String::from_utf8_lossy(&found);
                return Ok(Some(found.trim_end().chars().take(80).collect()));
            }
            None => self.replace(&turn, &self.format, Self::FORMAT.as_bytes())?,
        }
        self.create_directory(&self.records)?;
        self.create_directory(&self.leases)?;
        self.sync(&self.root)?;
        if self.end_of_changes()?.is_none() {
            self.announce(&turn, &[])?;
        }
        Ok(None)
    }

    fn create_directory(&self, path: &Path) -> Result<(), Failed> {
        let mut builder = DirBuilder::new();
        match builder.mode(0o700).create(path) {
            Ok(()) => {
                let mode = Permissions::from_mode(0o700);
                fs::set_permissions(path, mode).map_err(|it| failed("create", path, it))?;
                if let Some((user, group)) = self.other_owner(fs::metadata(path)) {
                    let _ = chown(path, Some(user), Some(group));
                }
                path.parent().map_or(Ok(()), |it| {
                    // A relative path of one part lies in the working directory.
                    let it = if it.as_os_str().is_empty() {
                        Path::new(".")
                    } else {
                        it
                    };
                    self.sync(it)
                })
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let metadata = fs::metadata(path).map_err(|it| failed("open", path, it))?;
                if !metadata.is_dir() {
                    let error = io::ErrorKind::NotADirectory.into();
                    return Err(failed("open", path, error));
                }
                if metadata.permissions().mode() & 0o077 != 0 {
                    tracing::warn!(path = %path.display(), "others may look into the records");
                }
                Ok(())
            }
            Err(error) => Err(failed("create", path, error)),
        }
    }

    /// The whole of a file; `None` when the store certainly has none of this name.
    pub(super) fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Failed> {
        self.read_some(path, MAX_FILE)
    }

    /// The beginning of a file, at most `limit` bytes and one more.
    ///
    /// What is no file reads as empty: nothing of ours is.
    pub(super) fn read_some(&self, path: &Path, limit: usize) -> Result<Option<Vec<u8>>, Failed> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        // The flags are bits of a C int.
        options.read(true).custom_flags(flags.bits().cast_signed());
        let file = match options.open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if path == self.format {
                    return Ok(None);
                }
                return self.check_present(path).map(|()| None);
            }
            Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => {
                return Ok(Some(Vec::new()));
            }
            Err(error) => return Err(failed("open", path, error)),
        };
        let metadata = file.metadata().map_err(|it| failed("read", path, it))?;
        if !metadata.is_file() {
            return Ok(Some(Vec::new()));
        }
        let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        let mut bytes = Vec::with_capacity(length.min(limit).saturating_add(1));
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let read = file.take(most).read_to_end(&mut bytes);
        read.map_err(|it| failed("read", path, it))?;
        Ok(Some(bytes))
    }

    /// The store is there: what is missing from it is certainly missing.
    fn check_present(&self, path: &Path) -> Result<(), Failed> {
        let directory = path.parent().unwrap_or(&self.root);
        fs::symlink_metadata(&self.format)
            .map_err(|it| failed("open", &self.root, it))
            .and_then(|_| fs::metadata(directory).map_err(|it| failed("open", directory, it)))
            .map(drop)
    }

    /// Whether there is a file of this name.
    pub(super) fn exists(&self, path: &Path) -> Result<bool, Failed> {
        match fs::symlink_metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.check_present(path).map(|()| false)
            }
            Err(error) => Err(failed("open", path, error)),
        }
    }

    /// Waits for a turn: to write, or to read while nobody writes.
    pub(super) fn turn(
        &self,
        exclusive: bool,
        limit: Duration,
        wanted: &Wanted,
    ) -> Result<Turn, Failed> {
        let turn = self.lock(exclusive, limit, wanted)?;
        let error = match self.read_some(&self.format, MAX_HEAD)? {
            Some(found) if found == Self::FORMAT.as_bytes() => return Ok(turn),
            // Its journal and leases would count as damaged.
            Some(_) => io::Error::new(
                io::ErrorKind::PermissionDenied,
                "another version has given it a format that this one does not know",
            ),
            // A store that was moved away meanwhile is nobody's any more.
            None => io::ErrorKind::NotFound.into(),
        };
        Err(failed("use", &self.format, error))
    }

    fn lock(&self, exclusive: bool, limit: Duration, wanted: &Wanted) -> Result<Turn, Failed> {
        let waiting = Instant::now();
        let mut file = self.open_lock()?;
        loop {
            let tried = if exclusive {
                file.try_lock()
            } else {
                file.try_lock_shared()
            };
            let error = match tried {
                Ok(()) if !self.is_lock(&file)? => {
                    // It was removed while we waited: others take turns by another.
                    file = self.open_lock()?;
                    continue;
                }
                Ok(()) if wanted.is_still() => return Ok(Turn { file }),
                Ok(()) => io::ErrorKind::Interrupted.into(),
                Err(TryLockError::WouldBlock) if !wanted.is_still() => {
                    io::ErrorKind::Interrupted.into()
                }
                Err(TryLockError::WouldBlock) if waiting.elapsed() >= limit => {
                    io::Error::new(io::ErrorKind::TimedOut, "another process keeps it locked")
                }
                Err(TryLockError::WouldBlock) => {
                    thread::sleep(TURN_RETRY);
                    continue;
                }
                Err(TryLockError::Error(error)) => error,
            };
            return Err(failed("lock", &self.lock, error));
        }
    }

    /// Opens the file that is locked, or makes it anew.
    fn open_lock(&self) -> Result<File, Failed> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let file = match options.open(&self.lock) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                options.create(true).truncate(false).mode(0o600);
                options.open(&self.lock).inspect(|it| self.hand_over(it))
            }
            opened => opened,
        };
        file.map_err(|it| failed("lock", &self.lock, it))
    }

    /// Gives a file to whom the directory belongs: who is root for a moment, to look
    /// after a service's records, does not lock the service out.
    fn hand_over(&self, file: &File) {
        if let Some((user, group)) = self.other_owner(file.metadata()) {
            // Only root may; for others it is as it was.
            let _ = fchown(file, Some(user), Some(group));
        }
    }

    /// Who has the directory, if it is not who has this.
    fn other_owner(&self, own: io::Result<fs::Metadata>) -> Option<(u32, u32)> {
        let (own, root) = (own.ok()?, fs::metadata(&self.root).ok()?);
        (own.uid() != root.uid()).then(|| (root.uid(), root.gid()))
    }

    /// Whether an open file is the one that all others lock.
    fn is_lock(&self, file: &File) -> Result<bool, Failed> {
        let current = fs::metadata(&self.lock);
        let same = file.metadata().and_then(|own| match current {
            Ok(it) => Ok((it.dev(), it.ino()) == (own.dev(), own.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        });
        same.map_err(|it| failed("lock", &self.lock, it))
    }

    /// Puts a file in the place of what has this name. The caller has the turn, and
    /// what a killed writer has left of the temporary file is taken away.
    ///
    /// The name survives a loss of power once the directory is [synced](Self::sync).
    pub(super) fn replace(&self, _: &Turn, path: &Path, bytes: &[u8]) -> Result<(), Failed> {
        self.write_to(&self.temporary, bytes)?;
        fs::rename(&self.temporary, path).map_err(|it| failed("replace", path, it))
    }

    /// Writes a file of this name, in the place of what a killed writer has left.
    pub(super) fn write_to(&self, path: &Path, bytes: &[u8]) -> Result<(), Failed> {
        let mut options = OpenOptions::new();
        // Never what is there: it may be another user's, or another name of what is.
        options.write(true).create_new(true).mode(0o600);
        let open = || match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(path)?;
                options.open(path)
            }
            opened => opened,
        };
        let write = || {
            let mut file = open()?;
            // A umask may have taken what the owner needs.
            file.set_permissions(Permissions::from_mode(0o600))?;
            self.hand_over(&file);
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|it| {
            // Half of it is of no use, and in the way where the disk is full.
            let _ = fs::remove_file(path);
            failed("write", path, it)
        })
    }

    /// Removes a file, which may be gone already.
    pub(super) fn remove(&self, _: &Turn, path: &Path) -> Result<(), Failed> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", path, error))
            }
            _ => Ok(()),
        }
    }

    /// Makes the names in a directory survive a loss of power.
    pub(super) fn sync(&self, directory: &Path) -> Result<(), Failed> {
        let synced = File::open(directory).and_then(|it| it.sync_all());
        match synced {
            // Some file systems need it not, and say so.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => Ok(()),
            result => result.map_err(|it| failed("sync", directory, it)),
        }
    }
}

impl Wanted {
    pub(super) const fn yes() -> Self {
        Self(AtomicBool::new(true))
    }

    fn is_still(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Closing does it too, but not while a child between fork and exec has a copy.
        let _ = self.file.unlock();
    }
}

pub(super) fn failed(operation: &'static str, path: &Path, source: io::Error) -> Failed {
    Failed {
        operation,
        path: path.to_owned(),
        source,
    }
}

impl Failed {
    /// Whether a file, or its place on the disk, is to blame, and not the whole store.
    pub(super) fn is_of_one_file(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
            || Errno::from_io_error(&self.source) == Some(Errno::IO)
    }

    /// Whether the disk, a quota or a limit leaves no room.
    pub(super) fn is_for_want_of_room(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::FileTooLarge | io::ErrorKind::QuotaExceeded | io::ErrorKind::StorageFull
        )
    }

    /// What it means to who asked, who may have written or not.
    pub(super) fn into_error(self, maybe_applied: bool) -> RecordError {
        match self.source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                RecordError::denied(self)
            }
            _ => RecordError::unavailable(maybe_applied, self),
        }
    }
}

/// Nothing was written.
impl From<Failed> for RecordError {
    fn from(failed: Failed) -> Self {
        failed.into_error(false)
    }
}
