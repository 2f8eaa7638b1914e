//! Public keys as JSON Web Keys ([RFC 7517]) and their thumbprints ([RFC 7638]).
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638

use std::fmt;

use p256::{
    Sec1Point,
    ecdsa::{Signature, VerifyingKey},
    pkcs8::{DecodePublicKey, EncodePublicKey},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};
use sha2::{Digest, Sha256};
use signature::Verifier;

use crate::{SigningAlgorithm, base64url};

/// A public key: checked when it was read, so that each value is usable ([RFC 7517, section 4](https://www.rfc-editor.org/rfc/rfc7517#section-4)).
///
/// It serializes to the required members only, in the order that
/// [RFC 7638, section 3] fixes, and parses strictly: coordinates of full
/// width, the point on its curve, no private member.
/// Members it does not know (`use`, `alg`, `kid`) are passed over.
///
/// ```
/// let text = r#"{"kty":"EC","crv":"P-256",
///     "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
///     "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
/// let jwk: acme_jose::Jwk = serde_json::from_str(text)?;
/// assert_eq!(
///     jwk.thumbprint().to_string(),
///     "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
/// );
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// [RFC 7638, section 3]: https://www.rfc-editor.org/rfc/rfc7638#section-3
#[derive(Clone, PartialEq, Eq)]
pub struct Jwk(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    P256(VerifyingKey),
}

impl Jwk {
    /// The algorithm that signatures of this key use.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        match &self.0 {
            Kind::P256(_) => SigningAlgorithm::Es256,
        }
    }

    /// The thumbprint of [RFC 7638] with SHA-256.
    ///
    /// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        let canonical = match &self.0 {
            Kind::P256(key) => {
                let (x, y) = coordinates(key);
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
        };
        Thumbprint(Sha256::digest(canonical.as_bytes()).into())
    }

    /// Checks a signature in the form of [RFC 7518, section 3].
    ///
    /// # Errors
    /// - [`VerifyError`] when the signature is not this key's, or has not its form.
    ///
    /// [RFC 7518, section 3]: https://www.rfc-editor.org/rfc/rfc7518#section-3
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        match &self.0 {
            Kind::P256(key) => {
                let signature = Signature::from_slice(signature).map_err(|_| VerifyError)?;
                key.verify(message, &signature).map_err(|_| VerifyError)
            }
        }
    }

    /// The key as a DER `SubjectPublicKeyInfo` ([RFC 5280, section 4.1.2.7]).
    ///
    /// # Errors
    /// - [`InvalidJwk`] never for a key that parsed; the encoder's type says so.
    ///
    /// [RFC 5280, section 4.1.2.7]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.7
    pub fn to_spki_der(&self) -> Result<Vec<u8>, InvalidJwk> {
        match &self.0 {
            Kind::P256(key) => key
                .to_public_key_der()
                .map(|document| document.into_vec())
                .map_err(|_| InvalidJwk::UnsupportedKey),
        }
    }

    /// Reads a DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// - [`InvalidJwk::UnsupportedKey`] when the key is of a kind that this build does not know.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, InvalidJwk> {
        VerifyingKey::from_public_key_der(der)
            .map(Self::from_p256)
            .map_err(|_| InvalidJwk::UnsupportedKey)
    }

    pub(crate) fn from_p256(key: VerifyingKey) -> Self {
        Self(Kind::P256(key))
    }
}

fn coordinates(key: &VerifyingKey) -> (String, String) {
    let point = key.to_sec1_point(false);
    let text = |it: Option<&p256::FieldBytes>| it.map(base64url::encode).unwrap_or_default();
    (text(point.x()), text(point.y()))
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk")
            .field("algorithm", &self.algorithm())
            .field("thumbprint", &format_args!("{}", self.thumbprint()))
            .finish()
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Kind::P256(key) => {
                let (x, y) = coordinates(key);
                let mut members = serializer.serialize_struct("Jwk", 4)?;
                members.serialize_field("crv", "P-256")?;
                members.serialize_field("kty", "EC")?;
                members.serialize_field("x", &x)?;
                members.serialize_field("y", &y)?;
                members.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Members::deserialize(deserializer)?
            .check()
            .map_err(de::Error::custom)
    }
}

#[derive(Deserialize)]
struct Members {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    #[serde(default, deserialize_with = "crate::jws::present")]
    d: bool,
}

impl Members {
    fn check(self) -> Result<Jwk, InvalidJwk> {
        if self.d {
            return Err(InvalidJwk::PrivateMember);
        }
        if (self.kty.as_str(), self.crv.as_deref()) != ("EC", Some("P-256")) {
            return Err(InvalidJwk::UnsupportedKey);
        }
        let coordinate = |text: Option<String>| {
            let text = text.ok_or(InvalidJwk::MissingMember)?;
            let bytes = base64url::decode(&text).map_err(|_| InvalidJwk::BadCoordinate)?;
            <[u8; 32]>::try_from(bytes).map_err(|_| InvalidJwk::BadCoordinate)
        };
        let (x, y) = (coordinate(self.x)?, coordinate(self.y)?);
        let point = Sec1Point::from_affine_coordinates(&x.into(), &y.into(), false);
        VerifyingKey::from_sec1_point(&point)
            .map(Jwk::from_p256)
            .map_err(|_| InvalidJwk::NotOnCurve)
    }
}

/// The SHA-256 thumbprint of a public key; displayed as base64url ([RFC 7638, section 3](https://www.rfc-editor.org/rfc/rfc7638#section-3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// The 32 bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(self.0))
    }
}

/// A JSON Web Key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJwk {
    /// A coordinate is not base64url of exactly the curve's width.
    #[error("a coordinate is not base64url of the curve's width")]
    BadCoordinate,
    /// `x` or `y` is absent.
    #[error("a coordinate is missing")]
    MissingMember,
    /// The coordinates are no point of the curve.
    #[error("the coordinates are not a point of the curve")]
    NotOnCurve,
    /// The key holds `d`: a private key was sent where a public one belongs.
    #[error("it holds a private member")]
    PrivateMember,
    /// The key type or curve is not one this build knows.
    #[error("the key type is not supported")]
    UnsupportedKey,
}

/// A signature is not the key's, or has not the right form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct VerifyError;
