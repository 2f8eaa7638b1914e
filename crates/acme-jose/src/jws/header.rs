//! The protected header, as strict in reading as [RFC 8555, section 6.2] asks of servers.
//!
//! [RFC 8555, section 6.2]: https://www.rfc-editor.org/rfc/rfc8555#section-6.2

use serde::{Deserialize, Serialize};

use super::JwsError;
use crate::{Jwk, Nonce, SigningAlgorithm};

/// The protected header: what is signed beside the payload ([RFC 8555, section 6.2](https://www.rfc-editor.org/rfc/rfc8555#section-6.2)).
///
/// Whether `jwk` or `kid` is due, and whether a nonce is, depends on the
/// request; so reading leaves each to the caller to demand. Both are never due, and reading
/// refuses a header that has both.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProtectedHeader {
    /// The signature's algorithm.
    pub alg: SigningAlgorithm,
    /// The anti-replay nonce; absent in inner signatures only ([RFC 8555, section 6.5](https://www.rfc-editor.org/rfc/rfc8555#section-6.5)).
    pub nonce: Option<Nonce>,
    /// The exact text of the URL that the request goes to ([RFC 8555, section 6.4](https://www.rfc-editor.org/rfc/rfc8555#section-6.4)).
    pub url: String,
    /// The public key, for requests that have no account yet.
    pub jwk: Option<Jwk>,
    /// The exact text of the account's URL.
    pub kid: Option<String>,
}

impl ProtectedHeader {
    /// A header that names the account by its URL, for every request that has one.
    pub fn with_kid(alg: SigningAlgorithm, kid: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            alg,
            nonce: None,
            url: url.into(),
            jwk: None,
            kid: Some(kid.into()),
        }
    }

    /// A header that carries the public key: `newAccount`, and revocation by the
    /// certificate's own key.
    pub fn with_jwk(jwk: Jwk, url: impl Into<String>) -> Self {
        Self {
            alg: jwk.algorithm(),
            nonce: None,
            url: url.into(),
            jwk: Some(jwk),
            kid: None,
        }
    }

    /// Sets the nonce.
    #[must_use]
    pub fn nonce(mut self, nonce: Nonce) -> Self {
        self.nonce = Some(nonce);
        self
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let wire = WireHeader {
            alg: self.alg.as_str(),
            jwk: self.jwk.as_ref(),
            kid: self.kid.as_deref(),
            nonce: self.nonce.as_ref(),
            url: &self.url,
        };
        // Room for two URLs and a nonce, so that it need not be made again and again.
        let mut json = Vec::with_capacity(512);
        // Strings and nested objects of strings: serialization has nothing to refuse.
        match serde_json::to_writer(&mut json, &wire) {
            Ok(()) => json,
            Err(_) => Vec::new(),
        }
    }

    pub(super) fn from_json(json: &[u8]) -> Result<Self, JwsError> {
        let wire: ReceivedHeader =
            crate::object::from_slice(json).map_err(|_| JwsError::BadHeader)?;
        if wire.crit || wire.b64 {
            return Err(JwsError::Extension);
        }
        let alg = SigningAlgorithm::from_name(&wire.alg)
            .ok_or_else(|| JwsError::UnsupportedAlgorithm(wire.alg.clone()))?;
        let nonce = wire
            .nonce
            .map(Nonce::try_from)
            .transpose()
            .map_err(|_| JwsError::BadNonce)?;
        let jwk = wire.jwk.map(read_key).transpose()?;
        if jwk.is_some() && wire.kid.is_some() {
            return Err(JwsError::BothKeys);
        }
        Ok(Self {
            alg,
            nonce,
            url: wire.url.ok_or(JwsError::BadHeader)?,
            jwk,
            kid: wire.kid,
        })
    }
}

fn read_key(json: serde_json::Value) -> Result<Jwk, JwsError> {
    // An array of the members' values would do for serde.
    if !json.is_object() {
        return Err(JwsError::BadPublicKey);
    }
    let key: Jwk = serde_json::from_value(json).map_err(|_| JwsError::BadPublicKey)?;
    key.check_strength().map_err(|_| JwsError::BadPublicKey)?;
    Ok(key)
}

#[derive(Serialize)]
struct WireHeader<'a> {
    alg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwk: Option<&'a Jwk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a Nonce>,
    url: &'a str,
}

#[derive(Deserialize)]
struct ReceivedHeader {
    alg: String,
    nonce: Option<String>,
    url: Option<String>,
    jwk: Option<serde_json::Value>,
    kid: Option<String>,
    #[serde(default, deserialize_with = "crate::present::present")]
    crit: bool,
    #[serde(default, deserialize_with = "crate::present::present")]
    b64: bool,
}
