//! What is in a file: a line that says what it is, fields, and bytes, under a checksum.

use std::{fmt::Write, str::FromStr};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The format of all files. One that this version does not know is left alone.
const VERSION: u32 = 1;

/// The longest head, in bytes: the longest key, escaped, and all else.
pub(super) const MAX_HEAD: usize = 4096;

/// A file in the making, wiped when dropped: it may hold a key.
pub(super) struct Writer {
    kind: &'static str,
    head: String,
}

impl Writer {
    pub(super) const fn new(kind: &'static str) -> Self {
        Self {
            kind,
            head: String::new(),
        }
    }

    /// Adds a field; neither name nor value holds a line end.
    pub(super) fn field(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        // Writing to a string does not fail.
        let _ = writeln!(self.head, "{name} {value}");
        self
    }

    pub(super) fn finish(self, body: &[u8]) -> Zeroizing<Vec<u8>> {
        let Self { kind, mut head } = self;
        let _ = writeln!(head, "length {}\n", body.len());
        let sum = Sha256::new().chain_update(&head).chain_update(body);
        let first = format!("acme-{kind} {VERSION} {}\n", hex(&sum.finalize()));
        // Room for all of it: growing would leave copies of a key behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(first.len() + head.len() + body.len()));
        bytes.extend_from_slice(first.as_bytes());
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(body);
        bytes
    }
}

/// The head of a file, and where its body begins.
#[derive(Debug)]
pub(super) struct Head<'a> {
    sum: &'a str,
    fields: &'a str,
    /// The bytes of first line and fields.
    pub(super) length: usize,
}

impl<'a> Head<'a> {
    /// Reads the head of a file of this kind, of which `bytes` are the beginning.
    pub(super) fn parse(kind: &str, bytes: &'a [u8]) -> Option<Self> {
        // A journal names several keys.
        let bytes = &bytes[..bytes.len().min(4 * MAX_HEAD)];
        let end = bytes.windows(2).position(|it| it == b"\n\n")? + 2;
        let text = std::str::from_utf8(&bytes[..end]).ok()?;
        let (first, fields) = text.split_once('\n')?;
        let sum = first
            .strip_prefix("acme-")?
            .strip_prefix(kind)?
            .strip_prefix(' ')?;
        let (version, sum) = sum.split_once(' ')?;
        (version.parse() == Ok(VERSION)).then_some(Self {
            sum,
            fields,
            length: end,
        })
    }

    pub(super) fn field(&self, name: &str) -> Option<&'a str> {
        self.fields
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    }

    pub(super) fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.field(name)?.parse().ok()
    }

    /// The body, if this is the whole file and its checksum is right.
    pub(super) fn body(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let body = bytes.get(self.length..)?;
        let covered = &bytes[self.length - self.fields.len()..];
        let whole = self.number("length") == Some(body.len());
        (whole && hex(&Sha256::digest(covered)) == self.sum).then_some(body)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of that many digits.
pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// Random bytes: a nonce, an id.
pub(super) fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_bit_is_seen() {
        let written = Writer::new("test")
            .field("key", "a b")
            .finish(b"body\n\nof it");
        let read = |bytes: &[u8]| {
            let head = Head::parse("test", bytes)?;
            let body = head.body(bytes)?;
            Some((head.field("key")?.to_owned(), body.to_vec()))
        };
        assert_eq!(
            read(&written),
            Some(("a b".into(), b"body\n\nof it".to_vec()))
        );
        assert!(Head::parse("other", &written).is_none());
        for at in 0..written.len() {
            assert_eq!(read(&written[..at]), None, "cut at {at}");
            for bit in 0..8 {
                let mut bytes = written.to_vec();
                bytes[at] ^= 1 << bit;
                assert_eq!(read(&bytes), None, "bit {bit} of {at}");
            }
        }
    }
}
