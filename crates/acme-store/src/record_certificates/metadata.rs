//! What is known of a certificate beside itself.

use std::collections::BTreeMap;

/// What is known of a generation: from which CA and order it is, and why; for people
/// and for whoever renews it. It is kept with the key, and holds no secret.
///
/// ```
/// use acme_store::Metadata;
///
/// let mut metadata = Metadata::default();
/// metadata.set("profile", "shortlived")?;
/// assert_eq!(metadata.get("profile"), Some("shortlived"));
/// assert!(metadata.set("Profile", "").is_err());
/// # Ok::<_, acme_store::InvalidMetadata>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// 32 members: more than anybody has asked for.
    pub const MAX_MEMBERS: usize = 32;

    /// 64 bytes of a name.
    pub const MAX_NAME: usize = 64;

    /// 2 KiB of a value: a URL.
    pub const MAX_VALUE: usize = 2048;

    /// Sets a member, or replaces it.
    ///
    /// # Errors
    /// - [`InvalidMetadata`] when the name is anything but lower-case letters, digits
    ///   and `-`, the value holds control characters, or something is over its limit.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), InvalidMetadata> {
        let is_name = |it: u8| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if name.is_empty() || name.len() > Self::MAX_NAME || !name.bytes().all(is_name) {
            return Err(InvalidMetadata::Name);
        }
        if value.len() > Self::MAX_VALUE || value.contains(char::is_control) {
            return Err(InvalidMetadata::Value);
        }
        if !self.0.contains_key(name) && self.0.len() == Self::MAX_MEMBERS {
            return Err(InvalidMetadata::TooMany);
        }
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// A member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All members, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// A member of metadata cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMetadata {
    /// The name is empty, too long, or holds other characters.
    #[error(
        "a name of metadata is 1 to {} lower-case letters, digits and hyphens",
        Metadata::MAX_NAME
    )]
    Name,
    /// There are too many members.
    #[error("metadata has more than {} members", Metadata::MAX_MEMBERS)]
    TooMany,
    /// The value is too long, or holds control characters.
    #[error(
        "a value of metadata has up to {} bytes and no control characters",
        Metadata::MAX_VALUE
    )]
    Value,
}
