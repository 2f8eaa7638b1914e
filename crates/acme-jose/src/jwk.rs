//! Public keys as JSON Web Keys ([RFC 7517]) and their thumbprints ([RFC 7638]).
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
//! [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638

mod spki;
mod verify;
mod wire;

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{SigningAlgorithm, base64url};

pub(crate) use spki::{ED25519, RSA};
pub use verify::VerifyError;

/// A public key: checked when it was read, so that each value is a key of its kind
/// ([RFC 7517, section 4](https://www.rfc-editor.org/rfc/rfc7517#section-4)).
///
/// It serializes to the required members only, in the order that
/// [RFC 7638, section 3] fixes, and parses strictly: coordinates of full
/// width, the point on its curve, no private member.
/// Members it does not know (`use`, `alg`, `kid`) are passed over.
///
/// RSA and Ed25519 keys parse, and have their thumbprint, in every build; to
/// verify with them takes the feature of their name.
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
pub struct Jwk(pub(crate) Kind);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    P256(p256::ecdsa::VerifyingKey),
    #[cfg(feature = "p384")]
    P384(p384::ecdsa::VerifyingKey),
    #[cfg(feature = "p521")]
    P521(p521::ecdsa::VerifyingKey),
    Ed25519([u8; 32]),
    Rsa(RsaMembers),
}

/// Modulus and exponent, big endian, without leading zeros.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RsaMembers {
    pub(crate) n: Box<[u8]>,
    pub(crate) e: Box<[u8]>,
}

/// The smallest RSA modulus that signatures are taken from, in bits.
pub(crate) const MIN_RSA_BITS: usize = 2048;

/// The largest RSA modulus that is read, in bits: verifying costs its square.
pub(crate) const MAX_RSA_BITS: usize = 8192;

/// The largest RSA exponent that is read, in bits: most libraries take no longer one.
pub(crate) const MAX_RSA_EXPONENT_BITS: usize = 32;

impl RsaMembers {
    /// Checks that these can be a public key: odd numbers, the modulus bounded,
    /// no leading zero.
    pub(crate) fn new(n: Vec<u8>, e: Vec<u8>) -> Result<Self, InvalidJwk> {
        let minimal_and_odd = |number: &[u8]| {
            number.first().is_some_and(|it| *it != 0) && number.last().is_some_and(|it| it % 2 == 1)
        };
        let exponent_fits = e.len() * 8 <= MAX_RSA_EXPONENT_BITS && e != [1];
        if !minimal_and_odd(&n) || !minimal_and_odd(&e) || !exponent_fits {
            return Err(InvalidJwk::BadRsaMember);
        }
        let members = Self {
            n: n.into(),
            e: e.into(),
        };
        if members.bits() > MAX_RSA_BITS {
            return Err(InvalidJwk::TooLarge);
        }
        Ok(members)
    }

    pub(crate) fn bits(&self) -> usize {
        let first = self.n.first().map_or(8, |it| it.leading_zeros() as usize);
        self.n.len() * 8 - first
    }
}

impl Jwk {
    /// The algorithm that signatures of this key use where nothing else is said.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        match &self.0 {
            Kind::P256(_) => SigningAlgorithm::Es256,
            #[cfg(feature = "p384")]
            Kind::P384(_) => SigningAlgorithm::Es384,
            #[cfg(feature = "p521")]
            Kind::P521(_) => SigningAlgorithm::Es512,
            Kind::Ed25519(_) => SigningAlgorithm::EdDsa,
            Kind::Rsa(_) => SigningAlgorithm::Rs256,
        }
    }

    /// Whether a signature of this algorithm can be this key's.
    #[must_use]
    pub fn fits(&self, algorithm: SigningAlgorithm) -> bool {
        match &self.0 {
            Kind::Rsa(_) => matches!(
                algorithm,
                SigningAlgorithm::Rs256 | SigningAlgorithm::Rs384 | SigningAlgorithm::Rs512
            ),
            _ => algorithm == self.algorithm(),
        }
    }

    /// Checks that the key is strong enough to be somebody's account: RSA from 2048 bits on.
    ///
    /// # Errors
    /// - [`InvalidJwk::TooSmall`] when it is not.
    pub fn check_strength(&self) -> Result<(), InvalidJwk> {
        match &self.0 {
            Kind::Rsa(members) if members.bits() < MIN_RSA_BITS => Err(InvalidJwk::TooSmall),
            _ => Ok(()),
        }
    }

    /// The thumbprint of [RFC 7638] with SHA-256.
    ///
    /// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        // Strings in a fixed order, without white space: what the RFC hashes.
        let canonical = serde_json::to_vec(self).unwrap_or_default();
        Thumbprint(Sha256::digest(canonical).into())
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk")
            .field("algorithm", &self.algorithm())
            .field("thumbprint", &format_args!("{}", self.thumbprint()))
            .finish()
    }
}

/// The SHA-256 thumbprint of a public key; displayed as base64url
/// ([RFC 7638, section 3](https://www.rfc-editor.org/rfc/rfc7638#section-3)).
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

/// A JSON Web Key was refused
/// ([RFC 7518, section 6](https://www.rfc-editor.org/rfc/rfc7518#section-6)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJwk {
    /// A coordinate is not base64url of exactly the curve's width.
    #[error("a coordinate is not base64url of the curve's width")]
    BadCoordinate,
    /// `n` or `e` is not an odd number in base64url without leading zeros, or `e` is 1 or has
    /// over 32 bits.
    #[error(
        "n or e is not an odd number in base64url without leading zeros, or e is 1 or has over {MAX_RSA_EXPONENT_BITS} bits"
    )]
    BadRsaMember,
    /// A required member is absent.
    #[error("a required member is missing")]
    MissingMember,
    /// The coordinates are no point of the curve.
    #[error("the coordinates are not a point of the curve")]
    NotOnCurve,
    /// The key holds a private member: it was sent where a public key belongs.
    #[error("it holds a private member")]
    PrivateMember,
    /// The RSA modulus has over 8192 bits.
    #[error("the RSA modulus has over {MAX_RSA_BITS} bits")]
    TooLarge,
    /// The RSA modulus has under 2048 bits.
    #[error("the RSA modulus has under {MIN_RSA_BITS} bits")]
    TooSmall,
    /// The key type or curve is not one this build knows.
    #[error("the key type is not supported")]
    UnsupportedKey,
}
