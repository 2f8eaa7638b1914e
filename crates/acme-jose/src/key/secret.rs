//! The secret half, by kind.

use p256::elliptic_curve::Generate;
#[cfg(any(feature = "ed25519", feature = "rsa"))]
use pkcs8::EncodePrivateKey;
use pkcs8::{AssociatedOid, SecretDocument};
use rand_core::TryCryptoRng;
use signature::Signer as _;
use zeroize::Zeroizing;

use super::{KeyError, KeyType, elliptic::Elliptic, export};
use crate::{Jwk, SignError, jwk::Kind};

/// A secret; each kind wipes itself.
#[derive(Clone)]
pub(super) enum Secret {
    P256(Elliptic<p256::SecretKey, p256::ecdsa::SigningKey>),
    #[cfg(feature = "p384")]
    P384(Elliptic<p384::SecretKey, p384::ecdsa::SigningKey>),
    #[cfg(feature = "ed25519")]
    Ed25519(ed25519_dalek::SigningKey),
    #[cfg(feature = "rsa")]
    Rsa(Box<rsa::PrivateKey>),
}

impl Secret {
    pub(super) fn generate(
        key_type: KeyType,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self, KeyError> {
        match key_type {
            KeyType::EcdsaP256 => p256::SecretKey::try_generate_from_rng(rng)
                .map(|it| Self::P256(Elliptic::new(it)))
                .map_err(|_| KeyError::Randomness),
            #[cfg(feature = "p384")]
            KeyType::EcdsaP384 => p384::SecretKey::try_generate_from_rng(rng)
                .map(|it| Self::P384(Elliptic::new(it)))
                .map_err(|_| KeyError::Randomness),
            #[cfg(feature = "ed25519")]
            KeyType::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                rng.try_fill_bytes(&mut *seed)
                    .map_err(|_| KeyError::Randomness)?;
                Ok(Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed)))
            }
            #[cfg(feature = "rsa")]
            KeyType::Rsa2048 => generate_rsa(rng, 2048),
            #[cfg(feature = "rsa")]
            KeyType::Rsa3072 => generate_rsa(rng, 3072),
            #[cfg(feature = "rsa")]
            KeyType::Rsa4096 => generate_rsa(rng, 4096),
            #[cfg(not(all(feature = "p384", feature = "ed25519", feature = "rsa")))]
            _ => Err(KeyError::Unsupported),
        }
    }

    pub(super) fn from_p256(scalar: &[u8]) -> Result<Self, KeyError> {
        p256::SecretKey::from_slice(scalar)
            .map(|it| Self::P256(Elliptic::new(it)))
            .map_err(|_| KeyError::Malformed)
    }

    #[cfg(feature = "p384")]
    pub(super) fn from_p384(scalar: &[u8]) -> Result<Self, KeyError> {
        p384::SecretKey::from_slice(scalar)
            .map(|it| Self::P384(Elliptic::new(it)))
            .map_err(|_| KeyError::Malformed)
    }

    pub(super) fn from_ed25519_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        #[cfg(feature = "ed25519")]
        {
            let bytes = ed25519_dalek::pkcs8::KeypairBytes::try_from(
                pkcs8::PrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::Malformed)?,
            )
            .map_err(|_| KeyError::Malformed)?;
            let key = ed25519_dalek::SigningKey::from_bytes(&bytes.secret_key);
            match bytes.public_key {
                Some(public) if public.0 != key.verifying_key().to_bytes() => {
                    Err(KeyError::Mismatched)
                }
                _ => Ok(Self::Ed25519(key)),
            }
        }
        #[cfg(not(feature = "ed25519"))]
        {
            let _ = der;
            Err(KeyError::Unsupported)
        }
    }

    pub(super) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        #[cfg(feature = "rsa")]
        {
            use pkcs8::der::Decode;
            use rsa::{pkcs1::DecodeRsaPrivateKey, traits::PublicKeyParts};

            let parts =
                rsa::pkcs1::RsaPrivateKeyRef::from_der(der).map_err(|_| KeyError::Malformed)?;
            let bits = bit_length(parts.modulus.as_bytes());
            if bits < crate::jwk::MIN_RSA_BITS {
                return Err(KeyError::TooSmall {
                    bits: u32::try_from(bits).unwrap_or_default(),
                });
            }
            let exponent = bit_length(parts.public_exponent.as_bytes());
            if bits > crate::jwk::MAX_RSA_BITS
                || exponent > crate::jwk::MAX_RSA_EXPONENT_BITS
                || parts.version() != rsa::pkcs1::Version::TwoPrime
            {
                return Err(KeyError::Unsupported);
            }
            // The numbers parsed; what is left to refuse is that they are no key.
            let key = rsa::PrivateKey::from_pkcs1_der(der).map_err(|_| KeyError::Mismatched)?;
            let modulus = key.n_bytes();
            debug_assert_eq!(bit_length(&modulus), bits);
            Ok(Self::Rsa(Box::new(key)))
        }
        #[cfg(not(feature = "rsa"))]
        {
            let _ = der;
            Err(KeyError::Unsupported)
        }
    }

    pub(super) fn public(&self) -> Jwk {
        Jwk(match self {
            Self::P256(key) => Kind::P256(*key.signing_key().verifying_key()),
            #[cfg(feature = "p384")]
            Self::P384(key) => Kind::P384(*key.signing_key().verifying_key()),
            #[cfg(feature = "ed25519")]
            Self::Ed25519(key) => Kind::Ed25519(key.verifying_key().to_bytes()),
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => {
                use rsa::traits::PublicKeyParts;
                Kind::Rsa(crate::jwk::RsaMembers {
                    n: key.n_bytes(),
                    e: key.e_bytes(),
                })
            }
        })
    }

    /// Whether a SEC1 point is the public half.
    pub(super) fn has_point(&self, point: &[u8]) -> bool {
        match self {
            Self::P256(key) => p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
                .is_ok_and(|public| public == *key.signing_key().verifying_key()),
            #[cfg(feature = "p384")]
            Self::P384(key) => p384::ecdsa::VerifyingKey::from_sec1_bytes(point)
                .is_ok_and(|public| public == *key.signing_key().verifying_key()),
            #[cfg(any(feature = "ed25519", feature = "rsa"))]
            _ => false,
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key
                    .signing_key()
                    .try_sign(message)
                    .map_err(SignError::new)?;
                Ok(signature.to_bytes().to_vec())
            }
            #[cfg(feature = "p384")]
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = key
                    .signing_key()
                    .try_sign(message)
                    .map_err(SignError::new)?;
                Ok(signature.to_bytes().to_vec())
            }
            #[cfg(feature = "ed25519")]
            Self::Ed25519(key) => {
                let signature = key.try_sign(message).map_err(SignError::new)?;
                Ok(signature.to_bytes().to_vec())
            }
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => {
                use sha2::Digest;
                let padding = rsa::Pkcs1v15Sign::new::<sha2::Sha256>();
                key.sign(padding, &sha2::Sha256::digest(message))
                    .map_err(SignError::new)
            }
        }
    }

    /// An elliptic secret as SEC1, without its public half; none of another kind.
    pub(super) fn to_sec1(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = match self {
            Self::P256(key) => export::sec1(p256::NistP256::OID, key.secret().to_bytes()),
            #[cfg(feature = "p384")]
            Self::P384(key) => export::sec1(p384::NistP384::OID, key.secret().to_bytes()),
            #[cfg(any(feature = "ed25519", feature = "rsa"))]
            _ => return Err(KeyError::Unsupported),
        };
        der.map_err(|_| KeyError::Malformed)
    }

    /// PKCS#8, with the public half of an elliptic key, which is not computed anew.
    pub(super) fn to_pkcs8(&self, public: &Jwk) -> Result<SecretDocument, KeyError> {
        let point = public.point().unwrap_or_default();
        let document = match self {
            Self::P256(key) => {
                let scalar = key.secret().to_bytes();
                export::elliptic(p256::NistP256::OID, scalar, &point)
            }
            #[cfg(feature = "p384")]
            Self::P384(key) => {
                let scalar = key.secret().to_bytes();
                export::elliptic(p384::NistP384::OID, scalar, &point)
            }
            #[cfg(feature = "ed25519")]
            Self::Ed25519(key) => ed25519_dalek::pkcs8::KeypairBytes {
                secret_key: key.to_bytes(),
                public_key: None,
            }
            .to_pkcs8_der(),
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => key.to_pkcs8_der(),
        };
        document.map_err(|_| KeyError::Malformed)
    }

    pub(super) fn to_pkcs1_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        match self {
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => {
                use rsa::pkcs1::EncodeRsaPrivateKey;
                key.to_pkcs1_pem(pkcs8::LineEnding::LF)
                    .map_err(|_| KeyError::Malformed)
            }
            _ => Err(KeyError::Unsupported),
        }
    }
}

#[cfg(feature = "rsa")]
fn generate_rsa(rng: &mut impl TryCryptoRng, bits: usize) -> Result<Secret, KeyError> {
    // What else can fail is the size, and that is a constant.
    rsa::PrivateKey::new(rng, bits)
        .map(|key| Secret::Rsa(Box::new(key)))
        .map_err(|_| KeyError::Randomness)
}

#[cfg(feature = "rsa")]
fn bit_length(number: &[u8]) -> usize {
    let trimmed = number
        .iter()
        .position(|it| *it != 0)
        .map_or(&[][..], |at| &number[at..]);
    let first = trimmed.first().map_or(0, |it| it.leading_zeros() as usize);
    trimmed.len() * 8 - first
}
