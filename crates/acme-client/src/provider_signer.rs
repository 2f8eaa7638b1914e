//! A key that signs with a TLS provider's cryptography.

use std::{fmt, sync::Arc};

use acme_messages::jose::{Jwk, KeyType, PrivateKey, SignError, Signer, SigningAlgorithm};
use rustls::{
    SignatureScheme,
    crypto::CryptoProvider,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer},
    sign::{self, SigningKey},
};

/// A key in memory that signs with the cryptography of a TLS provider: with `ring` or
/// `aws-lc-rs` several times as fast as by itself.
///
/// It is a [`Signer`], and so an account's key or a certificate's.
/// A client signs like this by itself where its transport has a provider; see
/// [`Cryptography`](crate::Cryptography).
///
/// The provider gets a copy of the key: `aws-lc-rs` wipes what it keeps of it when this is dropped,
/// `ring` does not, and the bytes that it is loaded from are wiped by neither.
///
/// ```
/// use acme_client::{ProviderSigner, messages::jose::{KeyType, PrivateKey, Signer}};
///
/// let key = PrivateKey::generate(KeyType::EcdsaP256)?;
/// let signer = ProviderSigner::new(&rustls::crypto::ring::default_provider(), &key)?;
/// let signature = Signer::sign(&signer, b"message")?;
/// Signer::public_jwk(&key).verify(b"message", &signature)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct ProviderSigner {
    signer: Box<dyn sign::Signer>,
    algorithm: SigningAlgorithm,
    public: Jwk,
}

impl ProviderSigner {
    /// Gives a key to a provider.
    ///
    /// # Errors
    /// - [`SignError`] when the provider does not take keys of this kind.
    pub fn new(provider: &CryptoProvider, key: &PrivateKey) -> Result<Self, SignError> {
        let der = key.to_pkcs8_der().map_err(SignError::new)?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.as_slice()));
        let loaded = load(provider, &der).map_err(SignError::new)?;
        Self::of(&*loaded, key.public_jwk().clone())
    }

    /// Makes a key, with the provider's help where it knows how, and gives it to the provider.
    ///
    /// The dear part of making an elliptic key is its public half, and `aws-lc-rs` computes it in
    /// a quarter of the time. `ring` does not, nor for other kinds: such a key makes itself.
    ///
    /// ```
    /// use acme_client::{ProviderSigner, messages::jose::{KeyType, Signer}};
    ///
    /// let provider = rustls::crypto::ring::default_provider();
    /// let (key, signer) = ProviderSigner::generate(&provider, KeyType::EcdsaP256)?;
    /// let signature = Signer::sign(&signer, b"message")?;
    /// key.public_jwk().verify(b"message", &signature)?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// - [`SignError`] when no key of this kind can be made, or the provider does not take it.
    pub fn generate(
        provider: &CryptoProvider,
        key_type: KeyType,
    ) -> Result<(PrivateKey, Self), SignError> {
        let mut loaded = None;
        let public_half = |der: &[u8]| {
            let der = PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(der));
            let key = loaded.insert(load(provider, &der).ok()?);
            Jwk::from_spki_der(&key.public_key()?).ok()
        };
        let rng = &mut getrandom::SysRng;
        let key = PrivateKey::generate_with_public_half(key_type, rng, public_half);
        let (key, signer) = match (key, loaded) {
            (Ok(key), Some(loaded)) => {
                let signer = Self::of(&*loaded, key.public_jwk().clone())?;
                (key, signer)
            }
            _ => {
                let key = PrivateKey::generate(key_type).map_err(SignError::new)?;
                let signer = Self::new(provider, &key)?;
                (key, signer)
            }
        };
        Ok((key, signer))
    }

    fn of(loaded: &dyn SigningKey, public: Jwk) -> Result<Self, SignError> {
        let algorithm = public.algorithm();
        let signer = scheme(algorithm).and_then(|(scheme, _)| loaded.choose_scheme(&[scheme]));
        Ok(Self {
            signer: signer.ok_or_else(|| SignError::new(NOT_TAKEN))?,
            algorithm,
            public,
        })
    }
}

fn load(
    provider: &CryptoProvider,
    der: &PrivateKeyDer<'_>,
) -> Result<Arc<dyn SigningKey>, rustls::Error> {
    provider.key_provider.load_private_key(der.clone_key())
}

const NOT_TAKEN: &str = "the provider does not sign with keys of this kind";

impl Signer for ProviderSigner {
    fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature = self.signer.sign(message).map_err(SignError::new)?;
        match scheme(self.algorithm) {
            Some((_, Some(width))) => fixed_width(&signature, width)
                .ok_or_else(|| SignError::new("the provider's signature is malformed")),
            _ => Ok(signature),
        }
    }
}

impl fmt::Debug for ProviderSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderSigner")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// TLS's name for an algorithm, and the width of each half of an ECDSA signature, in bytes.
const fn scheme(algorithm: SigningAlgorithm) -> Option<(SignatureScheme, Option<usize>)> {
    Some(match algorithm {
        SigningAlgorithm::Es256 => (SignatureScheme::ECDSA_NISTP256_SHA256, Some(32)),
        SigningAlgorithm::Es384 => (SignatureScheme::ECDSA_NISTP384_SHA384, Some(48)),
        SigningAlgorithm::Es512 => (SignatureScheme::ECDSA_NISTP521_SHA512, Some(66)),
        SigningAlgorithm::EdDsa => (SignatureScheme::ED25519, None),
        SigningAlgorithm::Rs256 => (SignatureScheme::RSA_PKCS1_SHA256, None),
        SigningAlgorithm::Rs384 => (SignatureScheme::RSA_PKCS1_SHA384, None),
        SigningAlgorithm::Rs512 => (SignatureScheme::RSA_PKCS1_SHA512, None),
        _ => return None,
    })
}

/// The two numbers of an ECDSA signature in DER, as JWS wants them: side by side, with
/// leading zeros ([RFC 7518, section 3.4]).
///
/// [RFC 7518, section 3.4]: https://www.rfc-editor.org/rfc/rfc7518#section-3.4
fn fixed_width(der: &[u8], width: usize) -> Option<Vec<u8>> {
    let (0x30, numbers, []) = element(der)? else {
        return None;
    };
    let mut fixed = Vec::with_capacity(2 * width);
    let mut rest = numbers;
    for _ in 0..2 {
        let (0x02, number, after) = element(rest)? else {
            return None;
        };
        rest = after;
        let zeros = number.iter().take_while(|it| **it == 0).count();
        let number = &number[zeros..];
        fixed.resize(fixed.len() + width.checked_sub(number.len())?, 0);
        fixed.extend_from_slice(number);
    }
    rest.is_empty().then_some(fixed)
}

/// The first element of DER: its tag, its contents, and what comes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0x81 => {
            let (length, rest) = rest.split_first()?;
            (usize::from(*length), rest)
        }
        0..=0x7f => (usize::from(*length), rest),
        _ => return None,
    };
    let (contents, after) = rest.split_at_checked(length)?;
    Some((*tag, contents, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_becomes_two_numbers_of_one_width() {
        let check = |der: &[u8], fixed: Option<&[u8]>| {
            assert_eq!(fixed_width(der, 2).as_deref(), fixed, "{der:?}");
        };
        check(&[0x30, 6, 2, 1, 1, 2, 1, 2], Some(&[0, 1, 0, 2]));
        check(
            &[0x30, 8, 2, 2, 0, 0x80, 2, 2, 3, 4],
            Some(&[0, 0x80, 3, 4]),
        );
        check(&[0x30, 0x81, 6, 2, 1, 1, 2, 1, 2], Some(&[0, 1, 0, 2]));
        check(&[0x30, 8, 2, 3, 1, 2, 3, 2, 1, 4], None);
        check(&[0x30, 6, 2, 1, 1, 2, 1, 2, 0], None);
        check(&[0x30, 7, 2, 1, 1, 2, 1, 2], None);
        check(&[0x30, 6, 2, 1, 1, 4, 1, 2], None);
        check(&[0x30, 3, 2, 1, 1], None);
        check(&[], None);
    }
}
