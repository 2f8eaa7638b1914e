//! External account binding: a new account is tied to one elsewhere at the CA
//! ([RFC 8555, section 7.3.4]).
//!
//! [RFC 8555, section 7.3.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4

use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{Jwk, MacAlgorithm, MacKey, base64url};

/// A binding: a flattened JWS over the account's public key, authenticated with
/// the key that the CA gave out
/// ([RFC 8555, section 7.3.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4)).
///
/// ```
/// use acme_jose::{ExternalAccountBinding, KeyType, MacAlgorithm, MacKey, PrivateKey, Signer};
///
/// let account = PrivateKey::generate(KeyType::EcdsaP256)?;
/// let url = "https://ca.example/new-account";
/// let secret = MacKey::from_text("c2VjcmV0LW9mLXRoZS1jdXN0b21lcg")?;
///
/// // The client's side:
/// let binding = ExternalAccountBinding::new(
///     MacAlgorithm::Hs256, "customer-7", &secret, url, account.public_jwk());
/// let json = serde_json::to_value(&binding)?;
///
/// // The CA's side:
/// let received: ExternalAccountBinding = serde_json::from_value(json)?;
/// assert_eq!(received.key_id(), "customer-7");
/// received.check(&secret, url, account.public_jwk())?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct ExternalAccountBinding {
    algorithm: MacAlgorithm,
    key_id: String,
    url: String,
    account_key: Jwk,
    protected: String,
    payload: String,
    tag: Vec<u8>,
}

impl ExternalAccountBinding {
    /// Binds an account's public key to a key identifier of the CA's.
    ///
    /// `url` is the exact text of the CA's `newAccount`.
    #[must_use]
    pub fn new(
        algorithm: MacAlgorithm,
        key_id: impl Into<String>,
        key: &MacKey,
        url: impl Into<String>,
        account_key: &Jwk,
    ) -> Self {
        let (key_id, url) = (key_id.into(), url.into());
        let header = Header {
            alg: algorithm.as_str().to_owned(),
            kid: Some(key_id.clone()),
            url: Some(url.clone()),
            nonce: false,
            jwk: false,
            crit: false,
            b64: false,
        };
        // Strings, and objects of strings: serialization has nothing to refuse.
        let encode =
            |json: serde_json::Result<Vec<u8>>| base64url::encode(json.unwrap_or_default());
        let protected = encode(serde_json::to_vec(&header));
        let payload = encode(serde_json::to_vec(account_key));
        let tag = key.tag(algorithm, format!("{protected}.{payload}").as_bytes());
        Self {
            algorithm,
            key_id,
            url,
            account_key: account_key.clone(),
            protected,
            payload,
            tag,
        }
    }

    /// The identifier by which the CA finds the key.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The MAC algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    /// The CA's side: whether this binds the key that signed the request, for this
    /// URL, with the key behind [`key_id`](Self::key_id).
    ///
    /// # Errors
    /// - [`BindingError::WrongUrl`] when it was made for another URL.
    /// - [`BindingError::BadMac`] when another key made it.
    /// - [`BindingError::WrongKey`] when it binds another account's key.
    pub fn check(
        &self,
        key: &MacKey,
        new_account_url: &str,
        account_key: &Jwk,
    ) -> Result<(), BindingError> {
        if self.url != new_account_url {
            return Err(BindingError::WrongUrl);
        }
        let input = format!("{}.{}", self.protected, self.payload);
        key.verify(self.algorithm, input.as_bytes(), &self.tag)
            .map_err(|_| BindingError::BadMac)?;
        if self.account_key != *account_key {
            return Err(BindingError::WrongKey);
        }
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    url: Option<String>,
    #[serde(
        default,
        deserialize_with = "crate::present::present",
        skip_serializing_if = "std::ops::Not::not"
    )]
    nonce: bool,
    #[serde(
        default,
        deserialize_with = "crate::present::present",
        skip_serializing_if = "std::ops::Not::not"
    )]
    jwk: bool,
    #[serde(
        default,
        deserialize_with = "crate::present::present",
        skip_serializing_if = "std::ops::Not::not"
    )]
    crit: bool,
    #[serde(
        default,
        deserialize_with = "crate::present::present",
        skip_serializing_if = "std::ops::Not::not"
    )]
    b64: bool,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    protected: String,
    payload: String,
    signature: String,
    #[serde(
        default,
        deserialize_with = "crate::present::present",
        skip_serializing
    )]
    header: bool,
    #[serde(
        default,
        deserialize_with = "crate::present::present",
        skip_serializing
    )]
    signatures: bool,
    /// Makes an array no binding: without it, serde takes one for the members in their order.
    #[serde(flatten, skip_serializing)]
    _others: IgnoredAny,
}

impl From<ExternalAccountBinding> for Wire {
    fn from(binding: ExternalAccountBinding) -> Self {
        Self {
            protected: binding.protected,
            payload: binding.payload,
            signature: base64url::encode(binding.tag),
            header: false,
            signatures: false,
            _others: IgnoredAny,
        }
    }
}

impl TryFrom<Wire> for ExternalAccountBinding {
    type Error = BindingError;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        if wire.header || wire.signatures {
            return Err(BindingError::Malformed);
        }
        let decode = |text: &str| base64url::decode(text).map_err(|_| BindingError::Malformed);
        let header: Header = crate::object::from_slice(&decode(&wire.protected)?)
            .map_err(|_| BindingError::Malformed)?;
        // A nonce is the outer signature's; a key here would be the MAC's own, and what an
        // extension asks for (RFC 7515, section 4.1.11) nobody here does.
        if header.nonce || header.jwk || header.crit || header.b64 {
            return Err(BindingError::BadHeader);
        }
        let account_key = crate::object::from_slice(&decode(&wire.payload)?)
            .map_err(|_| BindingError::Malformed)?;
        Ok(Self {
            algorithm: MacAlgorithm::from_name(&header.alg).ok_or(BindingError::BadHeader)?,
            key_id: header.kid.ok_or(BindingError::BadHeader)?,
            url: header.url.ok_or(BindingError::BadHeader)?,
            account_key,
            tag: decode(&wire.signature)?,
            protected: wire.protected,
            payload: wire.payload,
        })
    }
}

/// An external account binding was refused
/// ([RFC 8555, section 7.3.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindingError {
    /// The header is not a MAC's with `kid` and `url`, or has `nonce`, `jwk`, or an extension
    /// (`crit`, `b64`).
    #[error("the binding's header is not a MAC's with kid and url alone")]
    BadHeader,
    /// Another key authenticated it.
    #[error("the binding is not authenticated by the key it names")]
    BadMac,
    /// It is no flattened JWS over a public key.
    #[error("the binding is not a flattened JWS over a public key")]
    Malformed,
    /// It binds another account's key.
    #[error("the binding is for another account key")]
    WrongKey,
    /// It was made for another URL.
    #[error("the binding is for another URL")]
    WrongUrl,
}
