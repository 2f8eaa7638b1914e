//! Which entries the directory has, without reading one of them.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use acme_messages::ServerName;

use super::{
    entry_name::{EntryName, FileName},
    folder::Folder,
    reading,
};
use crate::{Cursor, Listed, Page, StoreError};

/// How many entries a page has: a fraction of a second's work, and some megabytes.
pub(super) const PAGE: usize = 16_384;

/// How many listings may be under way before the oldest has to read the names again.
const MAX_LISTINGS: usize = 8;

/// Listings that have more pages, each with the names that it began with.
///
/// Reading the directory anew for each page would cost the square of its length.
#[derive(Debug, Default)]
pub(super) struct Listings {
    last: u64,
    under_way: VecDeque<(u64, Arc<[ServerName]>)>,
}

impl Listings {
    fn begin(&mut self, names: &Arc<[ServerName]>) -> u64 {
        self.last += 1;
        if self.under_way.len() == MAX_LISTINGS {
            self.under_way.pop_front();
        }
        self.under_way.push_back((self.last, Arc::clone(names)));
        self.last
    }

    fn find(&self, listing: u64) -> Option<Arc<[ServerName]>> {
        let mut all = self.under_way.iter();
        all.find(|it| it.0 == listing).map(|it| Arc::clone(&it.1))
    }

    fn end(&mut self, listing: u64) {
        self.under_way.retain(|it| it.0 != listing);
    }
}

/// Entries, and whether there are links among them, whose targets change unnoticed.
pub(super) struct Looked {
    pub(super) page: Page<Listed, Cursor>,
    pub(super) links: bool,
}

/// The entries after a place.
pub(super) fn page(folder: &Folder, after: Option<&Cursor>) -> Result<Looked, StoreError> {
    page_of(folder, after, PAGE)
}

fn page_of(folder: &Folder, after: Option<&Cursor>, size: usize) -> Result<Looked, StoreError> {
    let after = after.and_then(place);
    let begun = after.as_ref().map(|it| it.0);
    let known = begun.and_then(|it| folder.listings().find(it));
    let (listing, names) = match (begun, known) {
        (Some(listing), Some(names)) => (Some(listing), names),
        _ => (None, names(folder)?.into()),
    };
    let start = after.map_or(0, |(_, last)| names.partition_point(|it| *it <= last));
    let end = names.len().min(start + size);
    let mut links = Links::default();
    let mut items = Vec::with_capacity(end - start);
    for name in &names[start..end] {
        items.extend(look(folder, &mut links, name)?);
    }
    if items.len() < end - start {
        // The directory itself may have gone meanwhile, and all its files with it.
        folder.handle()?;
    }
    let next = match names[..end].last() {
        Some(last) if end < names.len() => {
            let listing = listing.unwrap_or_else(|| folder.listings().begin(&names));
            Some(cursor(listing, last))
        }
        _ => {
            listing.inspect(|it| folder.listings().end(*it));
            None
        }
    };
    Ok(Looked {
        page: Page { items, next },
        links: links.any,
    })
}

/// The entry of this name, as a list would have it, and whether it is a link.
pub(super) fn entry(
    folder: &Folder,
    name: &ServerName,
) -> Result<(Option<Listed>, bool), StoreError> {
    let mut links = Links::default();
    let entry = look(folder, &mut links, name)?;
    if entry.is_none() {
        // The directory itself may have gone, and all its files with it.
        folder.handle()?;
    }
    Ok((entry, links.any))
}

/// The names of all files that may be entries, in their order.
fn names(folder: &Folder) -> Result<Vec<ServerName>, StoreError> {
    let failed = |error| folder.failed("list", error);
    let mut names = Vec::new();
    for file in fs::read_dir(folder.path()).map_err(failed)? {
        names.extend(name_of(folder, &file.map_err(failed)?.file_name()));
    }
    names.sort_unstable();
    Ok(names)
}

fn cursor(listing: u64, last: &ServerName) -> Cursor {
    let mut bytes = listing.to_be_bytes().to_vec();
    bytes.extend_from_slice(last.to_string().as_bytes());
    Cursor::new(bytes)
}

/// The listing that a cursor is of, and the last name that was listed.
fn place(cursor: &Cursor) -> Option<(u64, ServerName)> {
    let (listing, last) = cursor.as_bytes().split_first_chunk()?;
    let last = std::str::from_utf8(last).ok()?.parse().ok()?;
    Some((u64::from_be_bytes(*listing), last))
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
fn look(
    folder: &Folder,
    links: &mut Links,
    name: &ServerName,
) -> Result<Option<Listed>, StoreError> {
    let Ok(file) = EntryName::new(name, folder.name_limit()) else {
        return Ok(None);
    };
    let path = folder.path_of(&file);
    let metadata = match fs::symlink_metadata(&path) {
        Ok(link) if link.is_symlink() => match links.follow(folder, &path, link) {
            Some(metadata) => metadata,
            None => return Ok(None),
        },
        Ok(metadata) => metadata,
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(reading::io_error("look at", &path, error)),
    };
    if !metadata.is_file() && !metadata.is_symlink() {
        let file = OsStr::new(file.as_str());
        folder.warn_once(file, || {
            tracing::warn!(?file, "passed over: not a file");
        });
        return Ok(None);
    }
    let version = reading::version(&metadata);
    Ok(Some(Listed::new(name.clone(), version)))
}

/// What is needed to judge links, looked up when there is the first one.
#[derive(Default)]
struct Links {
    any: bool,
    directory: Option<PathBuf>,
}

impl Links {
    /// What a link leads to, unless that is another entry of this directory.
    ///
    /// Where it leads to nothing, or to what cannot be read just now, the link
    /// stands for itself, and reading it says what is wrong.
    fn follow(&mut self, folder: &Folder, path: &Path, link: Metadata) -> Option<Metadata> {
        self.any = true;
        if self.directory.is_none() {
            self.directory = fs::canonicalize(folder.path()).ok();
        }
        let Ok(target) = fs::canonicalize(path) else {
            return Some(link);
        };
        let file_name = target.file_name().map(FileName::of);
        let is_alias = target.parent() == self.directory.as_deref()
            && matches!(file_name, Some(FileName::Entry(_)));
        (!is_alias).then(|| fs::metadata(path).unwrap_or(link))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(entries: usize) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for at in 0..entries {
            fs::write(directory.path().join(format!("n{at}.example.com.pem")), "").unwrap();
        }
        directory
    }

    /// All names, page after page; something happens after each page.
    fn all(folder: &Folder, size: usize, mut between: impl FnMut()) -> Vec<String> {
        let mut names = Vec::new();
        let mut after = None;
        loop {
            let page = page_of(folder, after.as_ref(), size).unwrap().page;
            assert!(page.items.len() <= size);
            names.extend(page.items.into_iter().map(|it| it.name.to_string()));
            after = page.next;
            if after.is_none() {
                return names;
            }
            between();
        }
    }

    fn sorted(mut names: Vec<String>) -> Vec<String> {
        names.sort();
        names
    }

    #[test]
    fn pages_are_complete_and_never_repeat() {
        let directory = directory(100);
        let folder = Folder::new(directory.path().to_owned());
        let expected = sorted((0..100).map(|at| format!("n{at}.example.com")).collect());
        for size in [1, 7, 50, 99, 100, 101] {
            assert_eq!(sorted(all(&folder, size, || ())), expected, "size {size}");
        }
        assert!(folder.listings().under_way.is_empty());
    }

    // What stays throughout comes once, though others come and go and listings get in each other's way.
    #[test]
    fn pages_are_complete_while_the_directory_changes() {
        let directory = directory(40);
        let folder = Folder::new(directory.path().to_owned());
        let mut round = 0;
        let listed = all(&folder, 3, || {
            fs::write(
                directory.path().join(format!("new{round}.example.com.pem")),
                "",
            )
            .unwrap();
            let _ = fs::remove_file(
                directory
                    .path()
                    .join(format!("n{}.example.com.pem", 39 - round)),
            );
            round += 1;
            for _ in 0..2 {
                page_of(&folder, None, 1).unwrap();
            }
            assert!(folder.listings().under_way.len() <= MAX_LISTINGS);
        });
        let listed = sorted(listed);
        let mut once = listed.clone();
        once.dedup();
        assert_eq!(listed, once);
        for at in 0..40 - round {
            assert!(listed.contains(&format!("n{at}.example.com")), "{at}");
        }
    }

    // Between two pages all files vanish, but that is not what has become of them.
    #[test]
    fn a_directory_that_goes_meanwhile_is_no_empty_one() {
        let directory = directory(0);
        let (path, away) = (directory.path().join("x"), directory.path().join("y"));
        fs::create_dir(&path).unwrap();
        for at in 0..3 {
            fs::write(path.join(format!("n{at}.example.com.pem")), "").unwrap();
        }
        let folder = Folder::new(path.clone());
        let first = page_of(&folder, None, 1).unwrap().page;
        fs::rename(&path, &away).unwrap();
        let second = page_of(&folder, first.next.as_ref(), 1);
        assert!(matches!(second, Err(StoreError::DirectoryMissing { .. })));
        fs::rename(&away, &path).unwrap();
        let second = page_of(&folder, first.next.as_ref(), 1).unwrap().page;
        assert_eq!(second.items[0].name.to_string(), "n1.example.com");
    }

    #[test]
    fn a_foreign_cursor_begins_anew() {
        let directory = directory(3);
        let folder = Folder::new(directory.path().to_owned());
        for bytes in [
            &b""[..],
            b"short",
            b"12345678",
            b"12345678\xff",
            b"12345678..",
        ] {
            let page = page_of(&folder, Some(&Cursor::new(bytes)), 9).unwrap().page;
            assert_eq!((page.items.len(), page.next), (3, None));
        }
    }
}
