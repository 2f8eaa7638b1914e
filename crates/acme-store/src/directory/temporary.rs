//! Temporary files: what is written before it gets the name that readers know.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    entry_name::NOT_EVERYWHERE,
    folder::{Folder, Handle},
};
use crate::StoreError;

/// Hexadecimal digits in a temporary name: 128 bits, so that none is met twice.
const DIGITS: usize = 32;

/// A temporary file of this age has no writer any more: a write takes seconds.
///
/// It counts only where files cannot be locked; elsewhere whoever has the turn
/// knows that nobody else is writing.
const STALE: Duration = Duration::from_secs(3600);

/// A file that vanishes unless it is kept, readable by its owner alone.
///
/// Its name begins with a dot and does not end in `.pem`, so that none of the
/// directory's readers takes it for an entry.
pub(crate) struct Temporary {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl Temporary {
    pub(crate) fn create(folder: &Folder) -> io::Result<Self> {
        Self::create_with(folder, "")
    }

    /// As [`create`](Self::create), with more characters in the name: where the
    /// file system refuses them, it refuses an entry that has them.
    pub(super) fn create_with(folder: &Folder, characters: &str) -> io::Result<Self> {
        let mut random = [0; DIGITS / 2];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = folder.path().join(format!(".{digits}{characters}.tmp"));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            file,
            path,
            kept: false,
        })
    }

    pub(crate) const fn file(&self) -> &File {
        &self.file
    }

    /// Puts the file in the place of whatever has this name.
    pub(crate) fn replace(mut self, name: &Path) -> io::Result<()> {
        fs::rename(&self.path, name)?;
        self.kept = true;
        Ok(())
    }

    /// Gives the file this name, unless something has it.
    pub(crate) fn name(self, name: &Path) -> io::Result<()> {
        match fs::hard_link(&self.path, name) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            // Some file systems have no second names.
            Err(_) if fs::symlink_metadata(name).is_err() => self.replace(name),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // What stays is swept up when the directory is opened again.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes the temporary files of writers that were killed.
pub(super) fn sweep(folder: &Folder, handle: Handle) -> Result<(), StoreError> {
    let failed = |error| folder.failed("list", error);
    let mut left = Vec::new();
    for file in fs::read_dir(folder.path()).map_err(failed)? {
        let file = file.map_err(failed)?;
        if is_temporary(&file.file_name()) && file.file_type().is_ok_and(|it| it.is_file()) {
            left.push(file.path());
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let Ok(turn) = folder.try_turn(handle)? else {
        // Somebody is writing just now; the next to open sweeps.
        return Ok(());
    };
    for path in left {
        if turn.is_exclusive() || is_stale(&path) {
            tracing::debug!(path = %path.display(), "removing what a killed writer left");
            // It may be gone already, and it harms nobody if it stays.
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

fn is_temporary(file: &OsStr) -> bool {
    let digits = file
        .to_str()
        .and_then(|name| name.strip_prefix('.')?.strip_suffix(".tmp"))
        .map(|it| it.trim_end_matches(NOT_EVERYWHERE));
    digits.is_some_and(|it| {
        it.len() == DIGITS
            && it
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn is_stale(path: &Path) -> bool {
    let modified = fs::symlink_metadata(path).and_then(|it| it.modified());
    modified.is_ok_and(|at| {
        SystemTime::now()
            .duration_since(at)
            .is_ok_and(|age| age > STALE)
    })
}
