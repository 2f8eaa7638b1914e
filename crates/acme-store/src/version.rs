//! What a conditional write refers to: the state that the writer has seen.

use std::fmt;

/// One state of one entry or record, as its store names it.
///
/// Two versions can be compared for equality and for nothing else: there is no
/// order among them. A store never gives one version to two states of the same
/// name, not even when the bytes are equal or the entry was away meanwhile.
///
/// ```
/// use acme_store::Version;
///
/// let seen = Version::new(*b"etag-17");
/// assert_eq!(seen, Version::new(*b"etag-17"));
/// assert_ne!(seen, Version::new(*b"etag-18"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version(Box<[u8]>);

impl Version {
    /// Takes the bytes that a store tells its states apart by.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for the store that made them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Version(")?;
        for byte in &self.0 {
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
