//! The names of files: keys, written so that every file system keeps them apart.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::text::hex;
use crate::Key;

/// The longest name that is a key as a whole: file systems allow 255 bytes.
const MAX_PLAIN: usize = 200;

/// How much of a longer key is left readable, in front of its digest.
const READABLE: usize = 120;

/// What stands between the two; no plain name has it.
const MARK: char = '~';

/// The name of a key's file.
///
/// Lower-case letters, digits, `-`, `_` and `.` are left as they are and `/` becomes
/// `+`; every other byte is written as `%` and two digits, so that names differ even
/// where case does not count, and none is hidden. Of a key that is too long for
/// that, the beginning and the digest are the name.
pub(super) fn file_name(key: &Key) -> String {
    let mut name = escaped(key.as_str());
    if name.len() > MAX_PLAIN {
        let mut end = READABLE;
        if let Some(escape) = name[end - 2..end].find('%') {
            end = end - 2 + escape;
        }
        name.truncate(end);
        name.push(MARK);
        name.push_str(&hex(&Sha256::digest(key.as_str())));
    }
    name
}

/// The key that a file's name is for; `None` when that is only in the file, or the
/// file is none of ours.
pub(super) fn key(name: &str) -> Option<Key> {
    let key: Key = unescaped(name)?.parse().ok()?;
    (file_name(&key) == name).then_some(key)
}

/// Whether this is the name of a file whose key is only in the file.
pub(super) fn is_digest(name: &str) -> bool {
    name.contains(MARK)
}

/// A text in the letters of file names.
pub(super) fn escaped(text: &str) -> String {
    let mut name = String::with_capacity(text.len() + 16);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            b'.' if at > 0 => name.push('.'),
            b'/' => name.push('+'),
            // Writing to a string does not fail.
            _ => drop(write!(name, "%{byte:02x}")),
        }
    }
    name
}

/// The text that was escaped.
pub(super) fn unescaped(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => byte,
            b'+' => b'/',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            _ => return None,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let key: Key = text.parse().expect("a key");
        assert_eq!(file_name(&key), expected);
        assert_eq!(super::key(expected), Some(key));
    }

    #[test]
    fn names_are_readable_and_apart() {
        check("v1/certs/www.example.com", "v1+certs+www.example.com");
        check("*.a", "%2a.a");
        check("A", "%41");
        check("a", "a");
        check("..", "%2e.");
        check("+", "%2b");
        check("%2b", "%252b");
        check("\u{fc} ~", "%c3%bc%20%7e");
        for foreign in [
            "", ".hidden", "A", "%41%", "%4", "%zz", "%61", "%ff", "a b", "a~b",
        ] {
            assert_eq!(key(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn long_keys_have_short_names() {
        let names: Vec<_> = ["a", "\u{fc}", "/", "%"]
            .into_iter()
            .flat_map(|it| {
                let most = Key::MAX_LENGTH / it.len();
                [it.repeat(most), it.repeat(most - 1)]
            })
            .map(|it| file_name(&it.parse().expect("a key")))
            .collect();
        for (at, name) in names.iter().enumerate() {
            assert!(name.len() <= MAX_PLAIN && is_digest(name), "{name}");
            assert!(!names[..at].contains(name));
            assert_eq!(key(name), None);
        }
    }

    proptest! {
        #[test]
        fn every_key_has_a_name_of_its_own(text in "[^\0]{1,60}") {
            let Ok(key) = text.parse::<Key>() else { return Ok(()) };
            let name = file_name(&key);
            prop_assert!(name.len() <= 255 && !name.starts_with('.') && !name.contains('/'));
            prop_assert!(name == name.to_lowercase());
            prop_assert!(is_digest(&name) || super::key(&name) == Some(key));
        }
    }
}
