//! What keeps a file from being replaced though its directory can be written: that it is
//! mounted on its name, as containers mount single files, or that it is immutable.

use std::{io, path::Path};

use rustix::{
    fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx},
    io::Errno,
};

/// Fails as a rename from a directory to this file would fail.
pub(super) fn check(directory: &Path, file: &Path) -> io::Result<()> {
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
