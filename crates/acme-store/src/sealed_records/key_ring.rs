//! The keys that records are sealed with.

use std::fmt;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

/// A key that wraps the keys of records, and the id it goes by.
///
/// It is wiped when dropped, and no `Debug` shows it.
///
/// ```
/// use acme_store::SealingKey;
///
/// let key = SealingKey::generate("2026-11")?;
/// let again = SealingKey::from_base64("2026-11", &key.to_base64())?;
/// assert_eq!(again.id(), "2026-11");
/// assert_eq!(format!("{key:?}"), r#"SealingKey("2026-11")"#);
/// assert!(SealingKey::from_base64("2026-11", "dG9vIHNob3J0").is_err());
/// # Ok::<_, acme_store::InvalidSealingKey>(())
/// ```
#[derive(Clone)]
pub struct SealingKey {
    id: Box<str>,
    key: Zeroizing<[u8; Self::LENGTH]>,
}

impl SealingKey {
    /// 32 bytes: 256 bits.
    pub const LENGTH: usize = 32;

    /// 64 characters of an id.
    pub const MAX_ID_LENGTH: usize = 64;

    /// Takes a key's bytes, which are random.
    ///
    /// # Errors
    /// - [`InvalidSealingKey::Id`] when the id is anything but 1 to 64 letters,
    ///   digits, `.`, `_` and `-`.
    pub fn new(id: &str, key: Zeroizing<[u8; Self::LENGTH]>) -> Result<Self, InvalidSealingKey> {
        let allowed = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b'-');
        if id.is_empty() || id.len() > Self::MAX_ID_LENGTH || !id.bytes().all(allowed) {
            return Err(InvalidSealingKey::Id);
        }
        let id = id.into();
        Ok(Self { id, key })
    }

    /// Makes a key.
    ///
    /// # Errors
    /// - [`InvalidSealingKey::Id`] as above.
    /// - [`InvalidSealingKey::Random`] when the system gives no random bytes.
    pub fn generate(id: &str) -> Result<Self, InvalidSealingKey> {
        let mut key = Zeroizing::new([0; Self::LENGTH]);
        getrandom::fill(&mut *key).map_err(|_| InvalidSealingKey::Random)?;
        Self::new(id, key)
    }

    /// Reads a key from a file's text: 44 characters of base64, and white space around them.
    ///
    /// # Errors
    /// - [`InvalidSealingKey::Id`] as above.
    /// - [`InvalidSealingKey::Text`] when it is anything else. Nothing of it is shown.
    pub fn from_base64(id: &str, text: &str) -> Result<Self, InvalidSealingKey> {
        let mut key = Zeroizing::new([0; Self::LENGTH]);
        let read = Base64::decode(text.trim(), &mut *key).map_err(|_| InvalidSealingKey::Text)?;
        if read.len() != Self::LENGTH {
            return Err(InvalidSealingKey::Text);
        }
        Self::new(id, key)
    }

    /// The key's text, for a file that only its owner reads.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(Base64::encode_string(&*self.key))
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.key
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealingKey").field(&self.id).finish()
    }
}

/// The keys that records may be sealed with, and the one that new ones are.
///
/// ```
/// use acme_store::{KeyRing, SealingKey};
///
/// let ring = KeyRing::new(SealingKey::generate("2027")?).with(SealingKey::generate("2026")?)?;
/// assert_eq!(ring.primary().id(), "2027");
/// assert!(ring.with(SealingKey::generate("2026")?).is_err());
/// # Ok::<_, acme_store::InvalidSealingKey>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyRing {
    /// The primary one first; never empty.
    primary: SealingKey,
    others: Vec<SealingKey>,
}

impl KeyRing {
    /// A ring whose only key seals and opens.
    #[must_use]
    pub const fn new(primary: SealingKey) -> Self {
        Self {
            primary,
            others: Vec::new(),
        }
    }

    /// With a further key, which opens only.
    ///
    /// # Errors
    /// - [`InvalidSealingKey::Twice`] when the ring has a key of this id.
    pub fn with(mut self, key: SealingKey) -> Result<Self, InvalidSealingKey> {
        if self.get(key.id()).is_some() {
            return Err(InvalidSealingKey::Twice);
        }
        self.others.push(key);
        Ok(self)
    }

    /// The key that seals.
    #[must_use]
    pub const fn primary(&self) -> &SealingKey {
        &self.primary
    }

    /// The key of an id.
    pub(super) fn get(&self, id: &str) -> Option<&SealingKey> {
        let mut all = std::iter::once(&self.primary).chain(&self.others);
        all.find(|it| it.id() == id)
    }
}

/// A key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSealingKey {
    /// The id is empty, too long, or holds other characters.
    #[error("the id of a sealing key is 1 to 64 letters, digits, dots, underscores and hyphens")]
    Id,
    /// The system gives no random bytes.
    #[error("there are no random bytes to make a sealing key of")]
    Random,
    /// The text is not 32 bytes in base64.
    #[error("a sealing key is 32 bytes in base64")]
    Text,
    /// The ring has a key of this id.
    #[error("two sealing keys have the same id")]
    Twice,
}
