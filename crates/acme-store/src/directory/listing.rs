//! Which entries the directory has, without reading one of them.

use std::{collections::VecDeque, fs, io, sync::Arc};

use super::{
    entry_name::FileName,
    folder::Folder,
    look,
    names::{Names, Place},
};
use crate::{Cursor, Listed, Page, StoreError};

/// How many files a page looks at: a fraction of a second's work, and some megabytes.
pub(super) const PAGE: usize = 16_384;

/// How many listings may be under way before the oldest has to read the names again.
const MAX_LISTINGS: usize = 8;

/// Listings that have more pages, each with the names that it began with.
///
/// Reading the directory anew for each page would cost the square of its length.
#[derive(Debug, Default)]
pub(super) struct Listings {
    last: u64,
    under_way: VecDeque<(u64, Arc<Names>)>,
}

impl Listings {
    fn begin(&mut self, names: &Arc<Names>) -> u64 {
        self.last += 1;
        if self.under_way.len() == MAX_LISTINGS {
            self.under_way.pop_front();
        }
        self.under_way.push_back((self.last, Arc::clone(names)));
        self.last
    }

    fn find(&self, listing: u64) -> Option<Arc<Names>> {
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
    let after = after.and_then(parse);
    let begun = after.map(|it| it.0);
    let known = begun.and_then(|it| folder.listings().find(it));
    let (listing, names) = match (begun, known) {
        (Some(listing), Some(names)) => (Some(listing), names),
        _ => (None, Arc::new(names(folder)?)),
    };
    let (files, last) = names.page(after.map(|it| it.1), size);
    let seen = look::at_all(folder, &files)?;
    if !seen.all_there || names.is_empty() {
        // The directory itself may have gone meanwhile, and all its files with it.
        folder.handle()?;
    }
    let next = match last {
        Some(last) => {
            let listing = listing.unwrap_or_else(|| folder.listings().begin(&names));
            Some(cursor(listing, last))
        }
        None => {
            listing.inspect(|it| folder.listings().end(*it));
            None
        }
    };
    Ok(Looked {
        page: Page {
            items: seen.items,
            next,
        },
        links: seen.links,
    })
}

/// The names of all files that may be entries.
fn names(folder: &Folder) -> Result<Names, StoreError> {
    let failed = |error| folder.failed("list", error);
    let files = fs::read_dir(folder.path()).map_err(failed)?;
    let names = files.map(|file| Ok(file?.file_name().into_encoded_bytes()));
    let names = names.filter(|it| it.as_ref().map_or(true, |it| FileName::may_be_entry(it)));
    names.collect::<io::Result<_>>().map_err(failed)
}

fn cursor(listing: u64, last: Place) -> Cursor {
    Cursor::new([listing.to_be_bytes(), last.0.to_be_bytes()].concat())
}

/// The listing that a cursor is of, and where its last page ended.
fn parse(cursor: &Cursor) -> Option<(u64, Place)> {
    let (listing, last) = cursor.as_bytes().split_first_chunk()?;
    let last = u64::from_be_bytes(last.try_into().ok()?);
    Some((u64::from_be_bytes(*listing), Place(last)))
}

#[cfg(test)]
mod tests {
    use super::{super::reading, *};

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

    // They take their places in the pages, and none of anybody's.
    #[test]
    fn what_is_no_entry_keeps_none_from_its_page() {
        let directory = directory(20);
        for other in ["DEFAULT.pem", "A.pem", "x_y.pem", "client.key", ".n0.pem"] {
            fs::write(directory.path().join(other), "").unwrap();
        }
        fs::create_dir(directory.path().join("directory.pem")).unwrap();
        std::os::unix::fs::symlink("n1.example.com.pem", directory.path().join("alias.pem"))
            .unwrap();
        let folder = Folder::new(directory.path().to_owned());
        let expected = sorted((0..20).map(|at| format!("n{at}.example.com")).collect());
        for size in [1, 3, 100] {
            assert_eq!(sorted(all(&folder, size, || ())), expected, "size {size}");
        }
    }

    // A list and a look at one of its entries have to agree on what is there.
    #[test]
    fn a_file_has_one_version_however_it_is_looked_at() {
        let directory = directory(1);
        let path = directory.path().join("n0.example.com.pem");
        fs::write(&path, "something").unwrap();
        let folder = Folder::new(directory.path().to_owned());
        let listed = page(&folder, None).unwrap().page.items.remove(0);
        assert_eq!(
            listed.version,
            reading::version(&fs::metadata(path).unwrap())
        );
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
        assert_ne!(second.items[0].name, first.items[0].name);
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
