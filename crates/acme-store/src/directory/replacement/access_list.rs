//! The access control list of a file: who else may read it, beside owner, group and all.

use std::{fs::File, io};

use rustix::{
    fs::{XattrFlags, fgetxattr, fremovexattr, fsetxattr},
    io::Errno,
};

/// Where Linux keeps it ([acl(5)](https://man7.org/linux/man-pages/man5/acl.5.html)).
const NAME: &str = "system.posix_acl_access";

/// The longest attribute there is, in bytes.
const MAX_LENGTH: usize = 1 << 16;

/// What file systems say that have no lists, or of a file that has none.
const HAS_NONE: [Errno; 6] = [
    Errno::ACCESS,
    Errno::INVAL,
    Errno::NODATA,
    Errno::NOSYS,
    Errno::OPNOTSUPP,
    Errno::PERM,
];

/// A file's list, as the system has it.
#[derive(Debug)]
pub(super) struct AccessList(Vec<u8>);

impl AccessList {
    /// The list of a file; `None` where there is only its mode.
    pub(super) fn of(file: &File) -> io::Result<Option<Self>> {
        let mut list = vec![0; MAX_LENGTH];
        match fgetxattr(file, NAME, &mut list) {
            Ok(length) => {
                list.truncate(length);
                Ok(Some(Self(list)))
            }
            Err(errno) if HAS_NONE.contains(&errno) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Gives a file this list.
    pub(super) fn give_to(&self, file: &File) -> io::Result<()> {
        Ok(fsetxattr(file, NAME, &self.0, XattrFlags::empty())?)
    }

    /// Takes a file's list away, which it may have from its directory.
    pub(super) fn take_from(file: &File) -> io::Result<()> {
        match Self::of(file)? {
            Some(_) => Ok(fremovexattr(file, NAME)?),
            None => Ok(()),
        }
    }
}
