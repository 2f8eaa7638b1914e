//! JSON Web Signatures in the flattened form that ACME speaks ([RFC 7515, section 7.2.2],
//! narrowed by [RFC 8555, section 6.2]).
//!
//! [RFC 7515, section 7.2.2]: https://www.rfc-editor.org/rfc/rfc7515#section-7.2.2
//! [RFC 8555, section 6.2]: https://www.rfc-editor.org/rfc/rfc8555#section-6.2

mod header;

use serde::Deserialize;

use crate::{AsyncSigner, Jwk, SignError, Signer, VerifyError, base64url};

pub use header::ProtectedHeader;

/// A header and a payload that wait for their signature ([RFC 7515, section 5.1](https://www.rfc-editor.org/rfc/rfc7515#section-5.1)).
///
/// A key in an HSM signs [`signing_input`](Self::signing_input) in its own
/// time; [`assemble`](Self::assemble) takes what it returns.
///
/// ```
/// use acme_jose::{KeyType, PrivateKey, ProtectedHeader, Signer, UnsignedJws};
///
/// let key = PrivateKey::generate(KeyType::EcdsaP256)?;
/// let header = ProtectedHeader::with_jwk(key.public_jwk().clone(), "https://ca.example/new-acct");
/// let unsigned = UnsignedJws::new(header.clone(), br#"{"termsOfServiceAgreed":true}"#);
/// let signature = key.sign(unsigned.signing_input())?;
/// let jws = unsigned.assemble(&signature);
///
/// let received = acme_jose::FlattenedJws::from_json(&jws.to_json())?;
/// assert_eq!(received.header(), &header);
/// received.verify(key.public_jwk())?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct UnsignedJws {
    header: ProtectedHeader,
    input: String,
    dot: usize,
    payload: Vec<u8>,
}

impl UnsignedJws {
    /// Encodes the header and the payload; an empty payload is a POST-as-GET.
    #[must_use]
    pub fn new(header: ProtectedHeader, payload: &[u8]) -> Self {
        let mut input = base64url::encode(header.to_json());
        let dot = input.len();
        input.push('.');
        input.push_str(&base64url::encode(payload));
        Self {
            header,
            input,
            dot,
            payload: payload.to_vec(),
        }
    }

    /// The bytes to sign: `BASE64URL(header) . BASE64URL(payload)`.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.input.as_bytes()
    }

    /// Joins the signature to what was signed.
    #[must_use]
    pub fn assemble(self, signature: &[u8]) -> FlattenedJws {
        FlattenedJws {
            input: self.input,
            dot: self.dot,
            signature: signature.to_vec(),
            header: self.header,
            payload: self.payload,
        }
    }
}

/// A flattened JWS: one protected header, one payload, one signature
/// ([RFC 7515, section 7.2.2](https://www.rfc-editor.org/rfc/rfc7515#section-7.2.2)).
///
/// A value that was read is not yet trusted: [`verify`](Self::verify) it.
#[derive(Clone, Debug)]
pub struct FlattenedJws {
    /// What was signed: header and payload, and where the dot between them is.
    input: String,
    dot: usize,
    signature: Vec<u8>,
    header: ProtectedHeader,
    payload: Vec<u8>,
}

impl FlattenedJws {
    /// Signs a payload at once.
    ///
    /// # Errors
    /// - [`SignError`] when the key cannot sign.
    pub fn sign(
        key: &(impl Signer + ?Sized),
        header: ProtectedHeader,
        payload: &[u8],
    ) -> Result<Self, SignError> {
        let unsigned = UnsignedJws::new(header, payload);
        let signature = key.sign(unsigned.signing_input())?;
        Ok(unsigned.assemble(&signature))
    }

    /// Signs a payload with a key that may take its time.
    ///
    /// # Errors
    /// - [`SignError`] when the key cannot sign.
    pub async fn sign_async(
        key: &dyn AsyncSigner,
        header: ProtectedHeader,
        payload: &[u8],
    ) -> Result<Self, SignError> {
        let unsigned = UnsignedJws::new(header, payload);
        let signature = key.sign(unsigned.signing_input()).await?;
        Ok(unsigned.assemble(&signature))
    }

    /// Reads a request body as strictly as [RFC 8555, section 6.2] asks.
    ///
    /// The caller bounds the body's length.
    ///
    /// # Errors
    /// - [`JwsError`], which tells an unknown algorithm or a bad key from a malformed body,
    ///   since a server answers each with a problem of its own.
    ///
    /// [RFC 8555, section 6.2]: https://www.rfc-editor.org/rfc/rfc8555#section-6.2
    pub fn from_json(body: &[u8]) -> Result<Self, JwsError> {
        let wire: Wire = crate::object::from_slice(body).map_err(|_| JwsError::NotFlattenedJws)?;
        if wire.header {
            return Err(JwsError::UnprotectedHeader);
        }
        if wire.signatures {
            return Err(JwsError::NotFlattenedJws);
        }
        let protected = base64url::decode(&wire.protected).map_err(|_| JwsError::NotBase64Url)?;
        let payload = base64url::decode(&wire.payload).map_err(|_| JwsError::NotBase64Url)?;
        let signature = base64url::decode(&wire.signature).map_err(|_| JwsError::NotBase64Url)?;
        Ok(Self {
            header: ProtectedHeader::from_json(&protected)?,
            dot: wire.protected.len(),
            input: wire.protected + "." + &wire.payload,
            signature,
            payload,
        })
    }

    /// The request body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Three strings of the base64url alphabet: nothing to escape, nothing to refuse.
        [
            r#"{"protected":""#,
            &self.input[..self.dot],
            r#"","payload":""#,
            &self.input[self.dot + 1..],
            r#"","signature":""#,
            &base64url::encode(&self.signature),
            r#""}"#,
        ]
        .concat()
        .into_bytes()
    }

    /// The protected header.
    #[must_use]
    pub const fn header(&self) -> &ProtectedHeader {
        &self.header
    }

    /// The payload, decoded; empty in a POST-as-GET.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Checks the signature with a key: the header's `jwk`, or the account's
    /// ([RFC 7515, section 5.2](https://www.rfc-editor.org/rfc/rfc7515#section-5.2)).
    ///
    /// # Errors
    /// - [`VerifyError`] when the signature is another's, or `alg` is not the key's algorithm.
    pub fn verify(&self, key: &Jwk) -> Result<(), VerifyError> {
        key.verify_with(self.header.alg, self.input.as_bytes(), &self.signature)
    }
}

#[derive(Deserialize)]
struct Wire {
    protected: String,
    payload: String,
    signature: String,
    #[serde(default, deserialize_with = "crate::present::present")]
    header: bool,
    #[serde(default, deserialize_with = "crate::present::present")]
    signatures: bool,
}

/// A body is not a JWS as ACME wants it ([RFC 8555, section 6.2](https://www.rfc-editor.org/rfc/rfc8555#section-6.2)).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// The protected header is no JSON object with `alg` and `url`.
    #[error("the protected header is not an object with `alg` and `url`")]
    BadHeader,
    /// `nonce` is not base64url.
    #[error("the protected header's nonce is not base64url")]
    BadNonce,
    /// `jwk` is not a usable public key.
    #[error("the protected header's key is not usable")]
    BadPublicKey,
    /// The header has both `jwk` and `kid`, which exclude each other.
    #[error("the protected header has both `jwk` and `kid`")]
    BothKeys,
    /// The header asks for an extension (`crit`, `b64`).
    #[error("the protected header asks for an extension")]
    Extension,
    /// A member is not base64url without padding.
    #[error("a member is not base64url without padding")]
    NotBase64Url,
    /// The body is not JSON with the members `protected`, `payload` and `signature`.
    #[error("the body is not a flattened JWS")]
    NotFlattenedJws,
    /// There is an unprotected header.
    #[error("there is an unprotected header")]
    UnprotectedHeader,
    /// `alg` is none that this build verifies; a server answers `badSignatureAlgorithm`.
    #[error("the algorithm {0:?} is not supported")]
    UnsupportedAlgorithm(String),
}
