//! Files that are mounted on their names, as containers mount single ones: none of
//! them can be replaced.

use std::{io, path::Path};

use rustix::{
    fs::{AtFlags, CWD, StatxFlags, statx},
    io::Errno,
};

/// Fails as a rename from a directory to this file would fail because of a mount.
pub(super) fn check(directory: &Path, file: &Path) -> io::Result<()> {
    match (mount(directory)?, mount(file)?) {
        (Some(one), Some(other)) if one != other => Err(Errno::BUSY.into()),
        _ => Ok(()),
    }
}

/// Which mount a path is on; `None` where the system does not say (before Linux 5.8).
fn mount(path: &Path) -> io::Result<Option<u64>> {
    match statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID) {
        Ok(it) => Ok((it.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(it.stx_mnt_id)),
        Err(Errno::NOSYS) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}
