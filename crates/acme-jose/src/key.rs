//! Private keys: made, read from what people's files contain, written as PKCS#8.

use std::fmt;

use p256::{
    NistP256,
    elliptic_curve::{ALGORITHM_OID, Generate},
    pkcs8::{AssociatedOid, DecodePrivateKey, EncodePrivateKey, LineEnding},
};
use rustls_pki_types::{
    PrivateKeyDer,
    pem::{PemObject, SectionKind},
};
use signature::Signer as _;
use zeroize::Zeroizing;

use crate::{Jwk, SignError, Signer, SigningAlgorithm};

/// The kinds of key that [`PrivateKey::generate`] makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// ECDSA on P-256 ([RFC 7518, section 3.4](https://www.rfc-editor.org/rfc/rfc7518#section-3.4)): small, fast, and taken by every ACME server.
    #[default]
    EcdsaP256,
}

/// A private key in memory, for an account or for a certificate
/// (PKCS#8: [RFC 5958](https://www.rfc-editor.org/rfc/rfc5958), SEC1: [RFC 5915](https://www.rfc-editor.org/rfc/rfc5915)).
///
/// The secret is wiped when the value is dropped, and no `Debug` or `Display`
/// shows it.
///
/// ```
/// use acme_jose::{KeyType, PrivateKey};
///
/// let key = PrivateKey::generate(KeyType::EcdsaP256);
/// let again = PrivateKey::from_pem(key.to_pkcs8_pem()?.as_bytes())?;
/// assert_eq!(key.thumbprint(), again.thumbprint());
/// # Ok::<_, acme_jose::KeyError>(())
/// ```
#[derive(Clone)]
pub struct PrivateKey {
    secret: Secret,
    public: Jwk,
}

#[derive(Clone)]
enum Secret {
    P256(p256::ecdsa::SigningKey),
}

impl PrivateKey {
    /// Makes a key from the system's randomness.
    ///
    /// # Panics
    /// When the system has no randomness to give, which no caller could mend.
    #[doc(alias = "generate_private_key")]
    #[must_use]
    pub fn generate(key_type: KeyType) -> Self {
        match key_type {
            KeyType::EcdsaP256 => Self::from_p256(p256::ecdsa::SigningKey::generate()),
        }
    }

    /// Makes a key from the given source of randomness.
    pub fn generate_from_rng(key_type: KeyType, rng: &mut impl rand_core::CryptoRng) -> Self {
        match key_type {
            KeyType::EcdsaP256 => Self::from_p256(p256::ecdsa::SigningKey::generate_from_rng(rng)),
        }
    }

    /// Reads the one private key of a PEM text: PKCS#8 or SEC1.
    ///
    /// Certificates, `EC PARAMETERS`, text between blocks, CRLF and a missing
    /// last newline are passed over, since people's files hold them.
    ///
    /// # Errors
    /// - [`KeyError::Encrypted`] when the key is protected by a passphrase.
    /// - [`KeyError::Missing`] when there is no private key.
    /// - [`KeyError::Several`] when there is more than one.
    /// - [`KeyError::Malformed`] when the PEM or the key inside cannot be read.
    /// - [`KeyError::Unsupported`] when the key's type is not one this build knows.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        if contains(text, b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
            || contains(text, b"Proc-Type: 4,ENCRYPTED")
        {
            return Err(KeyError::Encrypted);
        }
        let mut found = None;
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
            let (kind, der) = section.map_err(|_| KeyError::Malformed)?;
            let der = Zeroizing::new(der);
            let key = match kind {
                SectionKind::PrivateKey => Self::from_pkcs8_der(&der),
                SectionKind::EcPrivateKey => Self::from_sec1_der(&der),
                SectionKind::RsaPrivateKey => Err(KeyError::Unsupported),
                _ => continue,
            };
            if found.replace(key?).is_some() {
                return Err(KeyError::Several);
            }
        }
        found.ok_or(KeyError::Missing)
    }

    /// Reads a DER key: PKCS#8 or SEC1, told apart by their first bytes.
    ///
    /// # Errors
    /// - As [`from_pem`](Self::from_pem).
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        match PrivateKeyDer::try_from(der) {
            Ok(PrivateKeyDer::Pkcs8(_)) => Self::from_pkcs8_der(der),
            Ok(PrivateKeyDer::Sec1(_)) => Self::from_sec1_der(der),
            Ok(_) => Err(KeyError::Unsupported),
            Err(_) => Err(KeyError::Malformed),
        }
    }

    fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = pkcs8::PrivateKeyInfoRef::try_from(der).map_err(|_| KeyError::Malformed)?;
        if info
            .algorithm
            .assert_oids(ALGORITHM_OID, NistP256::OID)
            .is_err()
        {
            return Err(KeyError::Unsupported);
        }
        p256::SecretKey::from_pkcs8_der(der)
            .map(|key| Self::from_p256(key.into()))
            .map_err(|_| KeyError::Malformed)
    }

    fn from_sec1_der(der: &[u8]) -> Result<Self, KeyError> {
        p256::SecretKey::from_sec1_der(der)
            .map(|key| Self::from_p256(key.into()))
            .map_err(|_| KeyError::Unsupported)
    }

    fn from_p256(key: p256::ecdsa::SigningKey) -> Self {
        let public = Jwk::from_p256(*key.verifying_key());
        Self {
            secret: Secret::P256(key),
            public,
        }
    }

    /// The thumbprint of the public half: the same key has the same one.
    #[must_use]
    pub fn thumbprint(&self) -> crate::Thumbprint {
        self.public.thumbprint()
    }

    /// The key as PKCS#8 PEM with LF line ends; wiped when dropped.
    ///
    /// # Errors
    /// - [`KeyError::Malformed`] never for a key that exists; the encoder's type says so.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        match &self.secret {
            Secret::P256(key) => key
                .to_pkcs8_pem(LineEnding::LF)
                .map_err(|_| KeyError::Malformed),
        }
    }

    /// The key as PKCS#8 DER; wiped when dropped.
    ///
    /// # Errors
    /// - [`KeyError::Malformed`] never for a key that exists; the encoder's type says so.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match &self.secret {
            Secret::P256(key) => key
                .to_pkcs8_der()
                .map(|document| document.to_bytes())
                .map_err(|_| KeyError::Malformed),
        }
    }
}

fn contains(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|window| window == needle)
}

impl Signer for PrivateKey {
    fn algorithm(&self) -> SigningAlgorithm {
        self.public.algorithm()
    }

    fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match &self.secret {
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature =
                    key.try_sign(message).map_err(SignError::new)?;
                Ok(signature.to_bytes().to_vec())
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// A private key could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key is protected by a passphrase; decrypt it first.
    #[error("the private key is encrypted")]
    Encrypted,
    /// The PEM armour or the key inside is damaged.
    #[error("the private key cannot be read")]
    Malformed,
    /// There is no private key.
    #[error("there is no private key")]
    Missing,
    /// There is more than one private key.
    #[error("there is more than one private key")]
    Several,
    /// The key is of a type that this build does not know.
    #[error("the private key's type is not supported (P-256 is)")]
    Unsupported,
}
