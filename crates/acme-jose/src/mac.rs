//! Keys of message authentication codes, which bind external accounts
//! ([RFC 7518, section 3.2]).
//!
//! [RFC 7518, section 3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2

use std::fmt;

use base64ct::{Base64, Base64Unpadded, Base64Url, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use crate::{MacAlgorithm, VerifyError, base64url};

/// A MAC key; wiped when dropped, shown by no `Debug`
/// ([RFC 7518, section 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
///
/// ```
/// use acme_jose::{MacAlgorithm, MacKey};
///
/// let key = MacKey::from_text("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W")?;
/// let tag = key.tag(MacAlgorithm::Hs256, b"message");
/// assert!(key.verify(MacAlgorithm::Hs256, b"message", &tag).is_ok());
/// assert!(key.verify(MacAlgorithm::Hs256, b"another", &tag).is_err());
/// # Ok::<_, acme_jose::InvalidMacKey>(())
/// ```
#[derive(Clone)]
pub struct MacKey(Zeroizing<Vec<u8>>);

impl MacKey {
    /// The longest key taken, in bytes.
    pub const MAX_LENGTH: usize = 1024;

    /// Takes a key's bytes.
    ///
    /// # Errors
    /// - [`InvalidMacKey`] when there are none, or too many.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, InvalidMacKey> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.is_empty() || bytes.len() > Self::MAX_LENGTH {
            return Err(InvalidMacKey);
        }
        Ok(Self(bytes))
    }

    /// Reads a key as CAs show it: base64url, or plain base64, padded or not,
    /// with white space around it.
    ///
    /// # Errors
    /// - [`InvalidMacKey`] when it is none of these, empty, or too long.
    pub fn from_text(text: &str) -> Result<Self, InvalidMacKey> {
        let text = text.trim();
        // One at a time: a spelling read in vain would leave the secret behind, unwiped.
        let bytes = base64url::decode(text)
            .ok()
            .or_else(|| Base64Url::decode_vec(text).ok())
            .or_else(|| Base64::decode_vec(text).ok())
            .or_else(|| Base64Unpadded::decode_vec(text).ok());
        Self::new(bytes.ok_or(InvalidMacKey)?)
    }

    /// The authentication tag of a message.
    #[must_use]
    pub fn tag(&self, algorithm: MacAlgorithm, message: &[u8]) -> Vec<u8> {
        match algorithm {
            MacAlgorithm::Hs256 => self.mac::<Hmac<Sha256>>(message),
            MacAlgorithm::Hs384 => self.mac::<Hmac<Sha384>>(message),
            MacAlgorithm::Hs512 => self.mac::<Hmac<Sha512>>(message),
        }
    }

    /// Checks a tag in constant time.
    ///
    /// # Errors
    /// - [`VerifyError`] when it is not this key's over this message.
    pub fn verify(
        &self,
        algorithm: MacAlgorithm,
        message: &[u8],
        tag: &[u8],
    ) -> Result<(), VerifyError> {
        match algorithm {
            MacAlgorithm::Hs256 => self.check::<Hmac<Sha256>>(message, tag),
            MacAlgorithm::Hs384 => self.check::<Hmac<Sha384>>(message, tag),
            MacAlgorithm::Hs512 => self.check::<Hmac<Sha512>>(message, tag),
        }
    }

    fn mac<M: Mac + KeyInit>(&self, message: &[u8]) -> Vec<u8> {
        // HMAC takes keys of any length.
        M::new_from_slice(&self.0)
            .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec())
            .unwrap_or_default()
    }

    fn check<M: Mac + KeyInit>(&self, message: &[u8], tag: &[u8]) -> Result<(), VerifyError> {
        let mac = M::new_from_slice(&self.0).map_err(|_| VerifyError)?;
        mac.chain_update(message)
            .verify_slice(tag)
            .map_err(|_| VerifyError)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}

/// A MAC key is empty, too long, or no base64
/// ([RFC 8555, section 7.3.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a MAC key: it is empty, too long, or no base64")]
pub struct InvalidMacKey;
