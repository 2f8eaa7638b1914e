//! An account elsewhere at the CA, that a new one is bound to ([RFC 8555, section 7.3.4]).
//!
//! [RFC 8555, section 7.3.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4

use acme_messages::jose::{ExternalAccountBinding, InvalidMacKey, Jwk, MacAlgorithm, MacKey};

/// What a CA hands out for external account binding: a key identifier and a MAC key
/// ([RFC 8555, section 7.3.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4)).
///
/// The key is shown by no `Debug`.
///
/// ```
/// use acme_client::ExternalAccount;
///
/// // However the CA's page spells the key: base64url or plain base64, padded or not.
/// let account = ExternalAccount::new("kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W")?;
/// assert_eq!(account.key_id(), "kid-1");
/// assert!(!format!("{account:?}").contains("zWND"));
/// # Ok::<_, acme_client::messages::jose::InvalidMacKey>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExternalAccount {
    key_id: String,
    key: MacKey,
    algorithm: MacAlgorithm,
}

impl ExternalAccount {
    /// Takes both as the CA shows them; white space around them is dropped.
    ///
    /// # Errors
    /// - [`InvalidMacKey`] when the key is no base64, empty, or too long.
    pub fn new(key_id: impl AsRef<str>, key: &str) -> Result<Self, InvalidMacKey> {
        MacKey::from_text(key).map(|key| Self::with_key(key_id, key))
    }

    /// Takes a key that was read already.
    #[must_use]
    pub fn with_key(key_id: impl AsRef<str>, key: MacKey) -> Self {
        Self {
            key_id: key_id.as_ref().trim().to_owned(),
            key,
            algorithm: MacAlgorithm::Hs256,
        }
    }

    /// The MAC's algorithm; HS256, which every CA takes, by default.
    #[must_use]
    pub const fn algorithm(mut self, algorithm: MacAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// The key's identifier.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(super) fn bind(&self, url: &str, account_key: &Jwk) -> ExternalAccountBinding {
        ExternalAccountBinding::new(self.algorithm, &self.key_id, &self.key, url, account_key)
    }
}
