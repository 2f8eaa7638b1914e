//! Signatures checked with a public key.

use sha2::{Digest, Sha256, Sha384, Sha512};
use signature::hazmat::PrehashVerifier;

use super::{InvalidJwk, Jwk, Kind};
use crate::{HashAlgorithm, SigningAlgorithm};

impl Jwk {
    /// Checks a signature in the form of [RFC 7518, section 3], by the key's own
    /// [`algorithm`](Self::algorithm).
    ///
    /// # Errors
    /// - [`VerifyError`] when the signature is not this key's, or has not its form.
    ///
    /// [RFC 7518, section 3]: https://www.rfc-editor.org/rfc/rfc7518#section-3
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        self.verify_with(self.algorithm(), message, signature)
    }

    /// Checks a signature of a given algorithm, which must [fit](Self::fits) the key.
    ///
    /// # Errors
    /// - [`VerifyError`] as [`verify`](Self::verify), and when the algorithm does not fit.
    pub fn verify_with(
        &self,
        algorithm: SigningAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        if !self.fits(algorithm) {
            return Err(VerifyError);
        }
        self.verify_hash(algorithm.hash(), message, signature)
    }

    /// Checks a signature over a message that was hashed as given.
    ///
    /// X.509 lets an ECDSA key of any curve sign with any hash; JOSE does not,
    /// so this is for certificates. Ed25519 hashes by itself and passes `hash` over.
    ///
    /// # Errors
    /// - [`VerifyError`] when the signature is not this key's, has not its form, or this
    ///   build cannot verify with keys of its kind; an RSA key under 2048 bits counts as such.
    pub fn verify_hash(
        &self,
        hash: HashAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        match &self.0 {
            Kind::P256(key) => {
                let signature = p256::ecdsa::Signature::from_slice(signature);
                prehash(key, hash, message, signature.as_ref().ok())
            }
            #[cfg(feature = "p384")]
            Kind::P384(key) => {
                let signature = p384::ecdsa::Signature::from_slice(signature);
                prehash(key, hash, message, signature.as_ref().ok())
            }
            #[cfg(feature = "p521")]
            Kind::P521(key) => {
                let signature = p521::ecdsa::Signature::from_slice(signature);
                prehash(key, hash, message, signature.as_ref().ok())
            }
            #[cfg(feature = "ed25519")]
            Kind::Ed25519(key) => {
                let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| VerifyError)?;
                let signature =
                    ed25519_dalek::Signature::from_slice(signature).map_err(|_| VerifyError)?;
                key.verify_strict(message, &signature)
                    .map_err(|_| VerifyError)
            }
            #[cfg(feature = "rsa")]
            Kind::Rsa(key) => rsa(key, hash, message, signature),
            #[cfg(not(all(feature = "ed25519", feature = "rsa")))]
            _ => Err(VerifyError),
        }
    }
}

/// Checks that 32 bytes are a point that signatures can be checked with.
pub(super) fn check_ed25519(key: &[u8; 32]) -> Result<(), InvalidJwk> {
    #[cfg(feature = "ed25519")]
    match ed25519_dalek::VerifyingKey::from_bytes(key) {
        Ok(key) if !key.is_weak() => {}
        _ => return Err(InvalidJwk::NotOnCurve),
    }
    let _ = key;
    Ok(())
}

fn prehash<S, K: PrehashVerifier<S>>(
    key: &K,
    hash: HashAlgorithm,
    message: &[u8],
    signature: Option<&S>,
) -> Result<(), VerifyError> {
    let signature = signature.ok_or(VerifyError)?;
    let result = match hash {
        HashAlgorithm::Sha256 => key.verify_prehash(&Sha256::digest(message), signature),
        HashAlgorithm::Sha384 => key.verify_prehash(&Sha384::digest(message), signature),
        HashAlgorithm::Sha512 => key.verify_prehash(&Sha512::digest(message), signature),
    };
    result.map_err(|_| VerifyError)
}

#[cfg(feature = "rsa")]
fn rsa(
    key: &super::RsaMembers,
    hash: HashAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), VerifyError> {
    use rsa::{
        BoxedUint, PublicKey,
        pkcs1v15::{Signature, VerifyingKey},
    };
    use signature::Verifier;

    if key.bits() < super::MIN_RSA_BITS {
        return Err(VerifyError);
    }
    let number = BoxedUint::from_be_slice_vartime;
    let key = PublicKey::new_with_size_limits(
        number(&key.n),
        number(&key.e),
        super::MIN_RSA_BITS..=super::MAX_RSA_BITS,
    )
    .map_err(|_| VerifyError)?;
    let signature = Signature::try_from(signature).map_err(|_| VerifyError)?;
    let result = match hash {
        HashAlgorithm::Sha256 => VerifyingKey::<Sha256>::new(key).verify(message, &signature),
        HashAlgorithm::Sha384 => VerifyingKey::<Sha384>::new(key).verify(message, &signature),
        HashAlgorithm::Sha512 => VerifyingKey::<Sha512>::new(key).verify(message, &signature),
    };
    result.map_err(|_| VerifyError)
}

/// A signature is not the key's, or has not the right form
/// ([RFC 7515, section 5.2](https://www.rfc-editor.org/rfc/rfc7515#section-5.2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct VerifyError;
