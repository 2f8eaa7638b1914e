//! The names of records and leases.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

/// The name of a record or a lease: any text without NUL, of bounded length.
///
/// Stores escape what they cannot keep as it is. Case counts.
///
/// ```
/// use acme_store::{Key, Prefix};
///
/// let key: Key = "v1/certs/*.example.com".parse()?;
/// assert!("v1/certs/".parse::<Prefix>()?.matches(&key));
/// assert!(!"v1/certs/%".parse::<Prefix>()?.matches(&key));
/// assert!("".parse::<Key>().is_err());
/// # Ok::<_, acme_store::InvalidKey>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

impl Key {
    /// The longest key, in bytes: what every engine that was tried can index.
    pub const MAX_LENGTH: usize = 512;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What keys begin with, byte for byte; the empty one matches all.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Prefix(Arc<str>);

impl Prefix {
    /// The prefix of every key.
    #[must_use]
    pub fn all() -> Self {
        Self("".into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a key begins with it.
    #[must_use]
    pub fn matches(&self, key: &Key) -> bool {
        key.0.starts_with(&*self.0)
    }
}

/// Keys are ordered as their texts are.
impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(InvalidKey::Empty);
        }
        check(text)?;
        Ok(Self(text.into()))
    }
}

impl FromStr for Prefix {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check(text)?;
        Ok(Self(text.into()))
    }
}

fn check(text: &str) -> Result<(), InvalidKey> {
    if text.len() > Key::MAX_LENGTH {
        return Err(InvalidKey::TooLong);
    }
    if text.contains('\0') {
        return Err(InvalidKey::Nul);
    }
    Ok(())
}

macro_rules! show {
    ($($text:ty),*) => {$(
        impl fmt::Display for $text {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $text {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    )*};
}

show!(Key, Prefix);

/// A text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// A key has no text.
    #[error("a key is empty")]
    Empty,
    /// The text holds NUL, which engines cannot keep.
    #[error("a key holds NUL")]
    Nul,
    /// The text is too long.
    #[error("a key is longer than {} bytes", Key::MAX_LENGTH)]
    TooLong,
}
