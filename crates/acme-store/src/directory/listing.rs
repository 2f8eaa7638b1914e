//! Which entries the directory has, without reading one of them.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::{self, FileType},
    io,
    os::unix::ffi::OsStrExt,
    path::Path,
};

use acme_messages::ServerName;

use super::{entry_name::FileName, folder::Folder, reading};
use crate::{Cursor, Listed, Page, StoreError};

/// How many names a page has: some megabytes, so that memory stays bounded, and
/// few enough pages that reading the directory anew for each costs little.
pub(super) const PAGE: usize = 16_384;

/// The entries after a place, in the order of their file names' bytes.
pub(super) fn page(
    folder: &Folder,
    after: Option<&Cursor>,
) -> Result<Page<Listed, Cursor>, StoreError> {
    page_of(folder, after, PAGE)
}

fn page_of(
    folder: &Folder,
    after: Option<&Cursor>,
    size: usize,
) -> Result<Page<Listed, Cursor>, StoreError> {
    let failed = |error| folder.failed("list", error);
    let after = after.map(|it| OsStr::from_bytes(it.as_bytes()));
    let mut found: BTreeMap<OsString, (ServerName, FileType)> = BTreeMap::new();
    let mut more = false;
    for file in fs::read_dir(folder.path()).map_err(failed)? {
        let file = file.map_err(failed)?;
        let file_name = file.file_name();
        if after.is_some_and(|after| *file_name <= *after) {
            continue;
        }
        if found.len() == size
            && found
                .last_key_value()
                .is_some_and(|(last, _)| file_name > *last)
        {
            // Of a later page: what it is need not be known yet.
            more = true;
            continue;
        }
        let Some(name) = name_of(folder, &file_name) else {
            continue;
        };
        let file_type = match file.file_type() {
            Ok(file_type) => file_type,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        found.insert(file_name, (name, file_type));
        if found.len() > size {
            found.pop_last();
            more = true;
        }
    }
    let last = found.last_key_value().filter(|_| more);
    let next = last.map(|(file_name, _)| Cursor::new(file_name.as_bytes()));
    let mut links = Links::default();
    let mut items = Vec::with_capacity(found.len());
    for (file_name, (name, file_type)) in found {
        items.extend(listed(folder, &mut links, &file_name, name, file_type)?);
    }
    Ok(Page { items, next })
}

/// The name of an entry, if the file's name is one; says so if it nearly is.
fn name_of(folder: &Folder, file: &OsStr) -> Option<ServerName> {
    match FileName::of(file) {
        FileName::Entry(name) => return Some(name),
        FileName::Odd => folder.warn_once(file, || {
            tracing::warn!(?file, "passed over: not a host name in lower case");
        }),
        FileName::Default => folder.warn_once(file, || {
            tracing::info!(?file, "passed over: the default host is the operator's");
        }),
        FileName::Other => {}
    }
    None
}

/// The entry, unless it is an alias, a directory, or gone by now.
fn listed(
    folder: &Folder,
    links: &mut Links,
    file_name: &OsStr,
    name: ServerName,
    file_type: FileType,
) -> Result<Option<Listed>, StoreError> {
    let path = folder.path().join(file_name);
    if file_type.is_symlink() && links.is_alias(folder, &path) {
        return Ok(None);
    }
    let metadata = match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => {
            folder.warn_once(file_name, || {
                tracing::warn!(file = ?file_name, "passed over: not a file");
            });
            return Ok(None);
        }
        Err(error) => match fs::symlink_metadata(&path) {
            // To nothing, or to what cannot be read just now: the link's own
            // version stands for it, and reading it says what is wrong.
            Ok(link) if link.is_symlink() => link,
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(_) | Err(_) => return Err(reading::io_error("look at", &path, error)),
        },
    };
    Ok(Some(Listed::new(name, reading::version(&metadata))))
}

/// What is needed to judge links, looked up when there is the first one.
#[derive(Default)]
struct Links {
    directory: Option<std::path::PathBuf>,
}

impl Links {
    /// Whether a link leads to another entry of this directory.
    fn is_alias(&mut self, folder: &Folder, link: &Path) -> bool {
        if self.directory.is_none() {
            self.directory = fs::canonicalize(folder.path()).ok();
        }
        let Ok(target) = fs::canonicalize(link) else {
            return false;
        };
        let file_name = target.file_name().map(FileName::of);
        target.parent() == self.directory.as_deref()
            && matches!(file_name, Some(FileName::Entry(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_complete_and_never_repeat() {
        let directory = tempfile::tempdir().unwrap();
        for at in 0..100 {
            fs::write(directory.path().join(format!("n{at}.example.com.pem")), "").unwrap();
        }
        let folder = Folder::new(directory.path().to_owned());
        for size in [1, 7, 50, 99, 100, 101] {
            let mut names = Vec::new();
            let mut after = None;
            loop {
                let page = page_of(&folder, after.as_ref(), size).unwrap();
                assert!(page.items.len() <= size);
                names.extend(page.items.into_iter().map(|it| it.name));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(names.len(), 100, "size {size}");
            names.sort();
            names.dedup();
            assert_eq!(names.len(), 100, "size {size}");
        }
    }
}
