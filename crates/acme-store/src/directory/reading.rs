//! Reading one entry: what is there, in which version.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
};

use rustix::fs::{Mode, OFlags, Stat};
use zeroize::Zeroizing;

use super::{entry_name::EntryName, folder::Folder};
use crate::{BundleError, CertificateBundle, Entry, EntryState, StoreError, Version};

/// How often a file that comes and goes is tried to be opened.
const MAX_ATTEMPTS: u32 = 8;

/// The entry of this name; `None` when the directory is there and holds none.
pub(super) fn entry(folder: &Folder, name: &EntryName) -> Result<Option<Entry>, StoreError> {
    let path = folder.path_of(name);
    let Some((file, metadata)) = open(folder, &path)? else {
        return Ok(None);
    };
    // Taken before the contents: should they change meanwhile, the version is
    // one that no write will accept.
    let version = version(&metadata);
    let text = read(&file, &path)?;
    let contents = if is_blank(&text) {
        EntryState::Blank
    } else {
        match CertificateBundle::from_pem(&text) {
            Ok(bundle) => EntryState::Bundle(bundle),
            Err(defect) => EntryState::Damaged(defect),
        }
    };
    let keyless = matches!(
        contents,
        EntryState::Blank | EntryState::Damaged(BundleError::NoPem)
    );
    if !keyless && metadata.mode() & 0o007 != 0 {
        folder.warn_once(path.as_os_str(), || {
            tracing::warn!(path = %path.display(), "every user may read this private key: `chmod o=` keeps them out");
        });
    }
    Ok(Some(Entry::new(contents, version)))
}

/// Opens the file behind a path, wherever links lead.
pub(crate) fn open(folder: &Folder, path: &Path) -> Result<Option<(File, Metadata)>, StoreError> {
    // Opening a pipe must not wait for its other end.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let failed = |error| io_error("read", path, error);
    let mut attempts = 1;
    let file = loop {
        match rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from) {
            Ok(file) => break File::from(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if is_absent(folder, path)? {
                    return Ok(None);
                }
                if attempts == MAX_ATTEMPTS {
                    return Err(failed(error));
                }
                attempts += 1;
            }
            Err(error) => {
                // The directory itself may be what is wrong.
                folder.handle()?;
                if is_special(path) {
                    tracing::debug!(path = %path.display(), %error, "not a file");
                    return Err(not_a_file(path));
                }
                return Err(failed(error));
            }
        }
    };
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(not_a_file(path));
    }
    Ok(Some((file, metadata)))
}

/// Whether nothing is there, so that nothing could be opened; or something came meanwhile.
fn is_absent(folder: &Folder, path: &Path) -> Result<bool, StoreError> {
    folder.handle()?;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(io_error("read", path, error)),
        Ok(link) if link.is_symlink() && fs::metadata(path).is_err() => Err(not_a_file(path)),
        Ok(_) => Ok(false),
    }
}

/// Whether a file that cannot be opened is none: a socket, or links in a circle.
fn is_special(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) => !metadata.is_file(),
        Err(error) => rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::LOOP),
    }
}

/// Reads no more than a bundle may have, and one byte to tell.
pub(crate) fn read(mut file: &File, path: &Path) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let limit = CertificateBundle::MAX_LENGTH + 1;
    let failed = |error| io_error("read", path, error);
    let expected = usize::try_from(file.metadata().map_err(failed)?.len()).unwrap_or(limit);
    // Room for all of it: growing would leave copies of the key behind.
    let mut text = Zeroizing::new(vec![0; expected.saturating_add(1).min(limit)]);
    let mut length = 0;
    while length < text.len() {
        match file.read(&mut text[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    text.truncate(length);
    Ok(text)
}

/// Whether the contents are a request: all of them are blank, as far as was read.
pub(super) fn is_blank(text: &[u8]) -> bool {
    text.len() <= CertificateBundle::MAX_LENGTH && text.iter().all(u8::is_ascii_whitespace)
}

/// The version of a file: which one it is, how long, and when it was written.
///
/// Each replacement of ours is a new file with a time of its own; an edit in
/// place changes the time. The contents need not be read to tell.
pub(super) fn version(metadata: &Metadata) -> Version {
    let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
    let file = [metadata.dev(), metadata.ino(), metadata.size()];
    version_of(file, [seconds, nanoseconds])
}

/// The same, of what was looked at without opening it.
#[allow(
    clippy::unnecessary_cast,
    reason = "the numbers are of other types on other systems"
)]
pub(super) fn version_in(stat: &Stat) -> Version {
    let (seconds, nanoseconds) = (stat.st_mtime as i64, stat.st_mtime_nsec as i64);
    let file = [stat.st_dev as u64, stat.st_ino as u64, stat.st_size as u64];
    version_of(file, [seconds, nanoseconds])
}

/// Each number takes as many bytes as it needs, seven bits in each, and says with the
/// eighth that there is another: so short a version needs no memory of its own.
fn version_of(numbers: [u64; 3], time: [i64; 2]) -> Version {
    let mut bytes = [0; 50];
    let mut length = 0;
    for mut number in numbers.into_iter().chain(time.map(i64::cast_unsigned)) {
        loop {
            let [low, ..] = number.to_le_bytes();
            number >>= 7;
            let more = u8::from(number > 0) << 7;
            bytes[length] = low & 0x7f | more;
            length += 1;
            if more == 0 {
                break;
            }
        }
    }
    Version::of(&bytes[..length])
}

pub(super) fn not_a_file(path: &Path) -> StoreError {
    StoreError::NotAFile {
        path: path.to_owned(),
    }
}

pub(crate) fn io_error(operation: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io {
        operation,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn each_number_of_a_version_counts() {
        let (most, least) = (u64::MAX, i64::MIN);
        let files = [
            ([0, 0, 0], [0, 0]),
            ([1, 0, 0], [0, 0]),
            ([0, 1, 0], [0, 0]),
            ([0, 0, 1], [0, 0]),
            ([0, 0, 0], [1, 0]),
            ([0, 0, 0], [0, 1]),
            ([0, 0, 0], [-1, 0]),
            ([127, 0, 0], [0, 0]),
            ([128, 0, 0], [0, 0]),
            ([0, 128, 0], [0, 0]),
            ([1, 128, 0], [0, 0]),
            ([128, 1, 0], [0, 0]),
            ([16384, 0, 0], [0, 0]),
            ([most, most, most], [least, least]),
            ([most, most, most], [-1, -1]),
        ];
        let versions = files.map(|(numbers, time)| version_of(numbers, time));
        for (at, version) in versions.iter().enumerate() {
            assert!(!versions[..at].contains(version), "{:?}", files[at]);
        }
        assert_eq!(versions[13].as_bytes().len(), 50);
        let usual = version_of([65024, 7_654_321, 5000], [1_790_000_000, 123_456_789]);
        assert!(usual.as_bytes().len() <= 22, "{usual:?}");
    }

    // A file that is made between two looks is neither absent nor something else than a file.
    #[test]
    fn what_came_meanwhile_is_looked_at_again() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::new(directory.path().to_owned());
        let path = directory.path().join("a.example.com.pem");
        assert!(is_absent(&folder, &path).unwrap());
        symlink("nowhere", &path).unwrap();
        let dangling = is_absent(&folder, &path);
        assert!(matches!(dangling, Err(StoreError::NotAFile { .. })));
        fs::write(directory.path().join("nowhere"), "").unwrap();
        assert!(!is_absent(&folder, &path).unwrap());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
        assert!(!is_absent(&folder, &path).unwrap());
    }
}
