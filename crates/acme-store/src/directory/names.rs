//! The names of a directory's files, in an order that they have whoever else comes and goes.

use std::{
    hash::{DefaultHasher, Hasher},
    sync::OnceLock,
};

/// Where a file stands among all that there could be: a hash of its name.
///
/// It depends on nothing else, so that a listing can go on with names that were read
/// again; and numbers are soon in order, however many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(pub(super) u64);

impl Place {
    pub(super) fn of(file: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(file);
        Self(hasher.finish())
    }
}

/// The names of files, to be had page by page in the order of their places.
///
/// All text lies in one piece: to a processor, a piece for each is a way for each.
#[derive(Debug, Default)]
pub(super) struct Names {
    text: Box<[u8]>,
    /// As they were read: that is how they lie in memory, and perhaps on the disk.
    files: Box<[File]>,
    /// The numbers of the files in the order of their places, once there is more than a page.
    order: OnceLock<Box<[usize]>>,
}

#[derive(Clone, Copy, Debug)]
struct File {
    place: Place,
    start: usize,
    end: usize,
}

impl Names {
    pub(super) const fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The next files behind a place, and where the page ends unless it is the last.
    ///
    /// There are `size` of them, or a few more: those of one place are never parted.
    pub(super) fn page(&self, after: Option<Place>, size: usize) -> (Vec<&[u8]>, Option<Place>) {
        if after.is_none() && self.files.len() <= size {
            return (self.files.iter().map(|it| self.name(it)).collect(), None);
        }
        let (page, last) = self.some(after, size);
        let files = page.into_iter().map(|it| self.name(&self.files[it]));
        (files.collect(), last)
    }

    fn name(&self, file: &File) -> &[u8] {
        &self.text[file.start..file.end]
    }

    /// The numbers of a page's files, as they were read, and where the page ends.
    fn some(&self, after: Option<Place>, size: usize) -> (Vec<usize>, Option<Place>) {
        let place = |it: &usize| self.files[*it].place;
        let order = self.order.get_or_init(|| {
            let mut order: Box<[usize]> = (0..self.files.len()).collect();
            order.sort_unstable_by_key(place);
            order
        });
        let start = after.map_or(0, |after| order.partition_point(|it| place(it) <= after));
        let rest = &order[start..];
        let last = rest.get(size.saturating_sub(1)).map(place);
        let length = last.map_or(rest.len(), |last| {
            rest.partition_point(|it| place(it) <= last)
        });
        let mut page = rest[..length].to_vec();
        page.sort_unstable();
        (page, last.filter(|_| length < rest.len()))
    }
}

impl<F: AsRef<[u8]>> FromIterator<F> for Names {
    fn from_iter<I: IntoIterator<Item = F>>(names: I) -> Self {
        let mut text = Vec::new();
        let mut files = Vec::new();
        for name in names {
            let name = name.as_ref();
            let start = text.len();
            text.extend_from_slice(name);
            files.push(File {
                place: Place::of(name),
                start,
                end: text.len(),
            });
        }
        Self {
            text: text.into(),
            files: files.into(),
            order: OnceLock::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("n{at}.pem")).collect()
    }

    /// All files, page after page, each page of names that were read anew.
    fn all(size: usize, mut read: impl FnMut(usize) -> Names) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let mut after = None;
        for round in 0.. {
            let names = read(round);
            let (files, last) = names.page(after, size);
            all.extend(files.into_iter().map(<[u8]>::to_vec));
            after = last;
            if after.is_none() {
                break;
            }
        }
        all
    }

    #[test]
    fn a_place_depends_on_nothing_but_the_name() {
        let mut expected = names(100);
        expected.sort();
        for size in [1, 7, 50, 99, 100, 101] {
            // The directory gives its names in another order each time.
            let listed = all(size, |round| {
                let mut names = names(100);
                names.rotate_left(round * 13 % 100);
                Names::from_iter(names)
            });
            let mut listed: Vec<_> = listed
                .iter()
                .map(|it| str::from_utf8(it).unwrap())
                .collect();
            listed.sort();
            assert_eq!(listed, expected, "size {size}");
        }
    }

    #[test]
    fn what_comes_and_goes_moves_no_other() {
        let listed = all(5, |round| {
            let stays = names(60).into_iter().step_by(2);
            let goes = names(60).into_iter().skip(1).step_by(2).skip(round);
            let comes = (0..round).map(|at| format!("new{at}.pem"));
            stays.chain(goes).chain(comes).collect()
        });
        let distinct: HashSet<_> = listed.iter().collect();
        assert_eq!(distinct.len(), listed.len());
        for name in names(60).iter().step_by(2) {
            assert!(distinct.contains(&name.as_bytes().to_vec()), "{name}");
        }
    }

    #[test]
    fn a_page_has_its_size_and_the_last_says_so() {
        let names = Names::from_iter(names(10));
        let (files, last) = names.page(None, 4);
        assert_eq!(files.len(), 4);
        let (files, last) = names.page(last, 6);
        assert_eq!((files.len(), last), (6, None));
        assert_eq!(Names::default().page(None, 4).0.len(), 0);
    }

    // Should two names ever have one place, a page that ends between them would lose one.
    #[test]
    fn one_place_is_never_parted() {
        let files = [1, 2, 2, 2, 3].map(|place| File {
            place: Place(place),
            start: 0,
            end: 1,
        });
        let read = |_| Names {
            text: b"n"[..].into(),
            files: files.into(),
            order: OnceLock::new(),
        };
        for size in 1..=6 {
            assert_eq!(all(size, read).len(), 5, "size {size}");
        }
        let names = read(0);
        let (page, last) = names.page(None, 2);
        assert_eq!((page.len(), last), (4, Some(Place(2))));
    }
}
