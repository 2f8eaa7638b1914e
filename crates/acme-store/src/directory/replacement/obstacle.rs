//! What keeps a file from being replaced though its directory can be written: that it is
//! mounted on its name, as containers mount single files, that it is immutable, or that it is
//! somebody else's in a directory where each may remove only their own.

use std::{io, path::Path};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, StatxAttributes, StatxFlags, open, stat, statx},
    io::Errno,
};

/// Fails as a rename from a directory to this file would fail.
pub(super) fn check(directory: &Path, file: &Path) -> io::Result<()> {
    check_owner(file)?;
    let look = |path| statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID);
    let (directory, file) = match (look(directory), look(file)) {
        (Ok(directory), Ok(file)) => (directory, file),
        // The system does not say.
        (Err(Errno::NOSYS), _) | (_, Err(Errno::NOSYS)) => return Ok(()),
        (Err(errno), _) | (_, Err(errno)) => return Err(errno.into()),
    };
    // Linux says it since 5.8.
    let said = directory.stx_mask & file.stx_mask & StatxFlags::MNT_ID.bits() != 0;
    if said && directory.stx_mnt_id != file.stx_mnt_id {
        return Err(Errno::BUSY.into());
    }
    let fixed = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    if file.stx_attributes.intersects(fixed) {
        return Err(Errno::PERM.into());
    }
    Ok(())
}

/// Fails where the sticky bit ([unlink(2)]) keeps the file for its owner, and that of its directory.
///
/// [unlink(2)]: https://man7.org/linux/man-pages/man2/unlink.2.html
fn check_owner(file: &Path) -> io::Result<()> {
    let Some(directory) = file.parent() else {
        return Ok(());
    };
    let mode = Mode::from_raw_mode(stat(directory)?.st_mode);
    if mode.contains(Mode::SVTX) && !counts_as_owner(file) && !counts_as_owner(directory) {
        return Err(Errno::PERM.into());
    }
    Ok(())
}

/// Whether this process is the owner, or as good as that; what only an owner may ask for tells.
fn counts_as_owner(path: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOATIME | OFlags::NONBLOCK | OFlags::CLOEXEC;
    !matches!(open(path, flags, Mode::empty()), Err(Errno::PERM))
}
