//! What a conditional write refers to: the state that the writer has seen.

use std::fmt;

/// One state of one entry or record, as its store names it.
///
/// Two versions can be compared for equality and for nothing else: there is no
/// order among them. A store never gives one version to two states of the same
/// name, not even when the bytes are equal or the entry was away meanwhile. A store of
/// files that others edit in place tells as much apart as the file system's clock does.
///
/// ```
/// use acme_store::Version;
///
/// let seen = Version::new(*b"etag-17");
/// assert_eq!(seen, Version::new(*b"etag-17"));
/// assert_ne!(seen, Version::new(*b"etag-18"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version(Bytes);

/// Those of our stores lie in place: a listing copies one for each entry.
///
/// Equal bytes have equal forms, of which the rest is zero.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Bytes {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

/// What the versions of our stores take; the version of a file seldom takes more.
const SHORT: usize = 22;

impl Version {
    /// Takes the bytes that a store tells its states apart by.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self::short(&bytes).unwrap_or(Self(Bytes::Long(bytes)))
    }

    /// As [`new`](Self::new), from bytes that stay where they are.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self::short(bytes).unwrap_or_else(|| Self(Bytes::Long(bytes.into())))
    }

    fn short(from: &[u8]) -> Option<Self> {
        let mut bytes = [0; SHORT];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        let length = u8::try_from(from.len()).ok()?;
        Some(Self(Bytes::Short { length, bytes }))
    }

    /// The bytes, for the store that made them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Short { length, bytes } => bytes.split_at(*length as usize).0,
            Bytes::Long(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Version(")?;
        for byte in self.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// What a writer believes is there. There is no way to write without saying it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expect {
    /// Nothing is there.
    Absent,
    /// Exactly this state is there.
    Version(Version),
}

impl Expect {
    /// Whether what is there is what was expected.
    ///
    /// ```
    /// use acme_store::{Expect, Version};
    ///
    /// let there = Version::new(*b"1");
    /// assert!(Expect::Version(there.clone()).is_met_by(Some(&there)));
    /// assert!(!Expect::Absent.is_met_by(Some(&there)));
    /// assert!(Expect::Absent.is_met_by(None));
    /// ```
    #[must_use]
    pub fn is_met_by(&self, current: Option<&Version>) -> bool {
        match (self, current) {
            (Self::Absent, None) => true,
            (Self::Version(expected), Some(current)) => expected == current,
            _ => false,
        }
    }
}

impl From<Version> for Expect {
    fn from(version: Version) -> Self {
        Self::Version(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_come_back_however_many_they_are() {
        for length in [0, 1, 8, SHORT - 1, SHORT, SHORT + 1, 255, 256, 1000] {
            let bytes = vec![7; length];
            let version = Version::new(bytes.clone());
            assert_eq!(version.as_bytes(), bytes, "{length}");
            assert_eq!(version, Version::of(&bytes), "{length}");
            // What is longer by a zero is another, within the room of the short ones too.
            let longer = [&bytes[..], &[0]].concat();
            assert_ne!(version, Version::new(longer), "{length}");
        }
    }
}
