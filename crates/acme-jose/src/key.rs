//! Private keys: made, read from what people's files contain, written as PKCS#8.

mod elliptic;
mod export;
mod import;
mod secret;

use std::{fmt, str::FromStr};

use zeroize::Zeroizing;

use crate::{Jwk, SignError, Signer, SigningAlgorithm};

use secret::Secret;

/// The kinds of key that [`PrivateKey::generate`] makes
/// ([RFC 7518, section 3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1)).
///
/// Each kind but P-256 takes the feature of its name; without it, making one is
/// [`KeyError::Unsupported`].
///
/// ```
/// use acme_jose::KeyType;
///
/// assert_eq!("rsa".parse(), Ok(KeyType::Rsa2048));
/// assert_eq!(KeyType::default().to_string(), "p256");
/// assert!("RSA".parse::<KeyType>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// ECDSA on P-256: small, fast, and taken by every ACME server.
    #[default]
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// Ed25519; few CAs take it.
    Ed25519,
    /// RSA with 2048 bits: what the oldest readers of a shared directory know.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits; making one takes the better part of a second.
    Rsa4096,
}

impl KeyType {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::Ed25519,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
    ];

    /// The name in settings: `p256`, `p384`, `ed25519`, `rsa2048`, `rsa3072`, `rsa4096`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "p256",
            Self::EcdsaP384 => "p384",
            Self::Ed25519 => "ed25519",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyType {
    type Err = UnknownKeyType;

    /// Reads a name; `rsa` is `rsa2048`, as it was in txacme.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "rsa" => Ok(Self::Rsa2048),
            _ => Self::ALL
                .iter()
                .copied()
                .find(|it| it.as_str() == text)
                .ok_or_else(|| UnknownKeyType(text.to_owned())),
        }
    }
}

/// A text names no kind of key
/// ([RFC 7518, section 3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1)).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no key type (p256, p384, ed25519, rsa2048, rsa3072 and rsa4096 are)")]
pub struct UnknownKeyType(pub String);

/// A private key in memory, for an account or for a certificate
/// (PKCS#8: [RFC 5958](https://www.rfc-editor.org/rfc/rfc5958), SEC1:
/// [RFC 5915](https://www.rfc-editor.org/rfc/rfc5915), PKCS#1:
/// [RFC 8017](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.2)).
///
/// The secret is wiped when the value is dropped, and no `Debug` or `Display`
/// shows it.
///
/// ```
/// use acme_jose::{KeyType, PrivateKey};
///
/// let key = PrivateKey::generate(KeyType::EcdsaP256)?;
/// let again = PrivateKey::from_pem(key.to_pkcs8_pem()?.as_bytes())?;
/// assert_eq!(key.thumbprint(), again.thumbprint());
/// # Ok::<_, acme_jose::KeyError>(())
/// ```
#[derive(Clone)]
pub struct PrivateKey {
    secret: Secret,
    public: Jwk,
}

impl PrivateKey {
    /// Makes a key from the system's randomness.
    ///
    /// # Errors
    /// - [`KeyError::Unsupported`] when this build has not the feature of the kind.
    /// - [`KeyError::Randomness`] when the system has none to give.
    #[doc(alias = "generate_private_key")]
    pub fn generate(key_type: KeyType) -> Result<Self, KeyError> {
        Self::generate_from_rng(key_type, &mut getrandom::SysRng)
    }

    /// Makes a key from the given source of randomness.
    ///
    /// # Errors
    /// - As [`generate`](Self::generate).
    pub fn generate_from_rng(
        key_type: KeyType,
        rng: &mut impl rand_core::TryCryptoRng,
    ) -> Result<Self, KeyError> {
        Secret::generate(key_type, rng).map(Self::from_secret)
    }

    /// Makes an elliptic key whose public half somebody else computes, who is quicker at it: a
    /// TLS library, say.
    ///
    /// `public_half` is given the secret, as SEC1 (`ECPrivateKey` of [RFC 5915]) without that half. What it returns is taken as
    /// it stands: with a wrong one, nobody can verify what the key signs.
    ///
    /// [RFC 5915]: https://www.rfc-editor.org/rfc/rfc5915
    ///
    /// ```
    /// use acme_jose::{KeyType, PrivateKey, Signer};
    ///
    /// # let another_library = |sec1: &[u8]| {
    /// #     Some(PrivateKey::from_der(sec1).ok()?.public_jwk().clone())
    /// # };
    /// let rng = &mut getrandom::SysRng;
    /// let key = PrivateKey::generate_with_public_half(KeyType::EcdsaP256, rng, another_library)?;
    /// let signature = Signer::sign(&key, b"message")?;
    /// key.public_jwk().verify(b"message", &signature)?;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// - [`KeyError::Mismatched`] when there is no public half, or it is of another kind.
    /// - [`KeyError::Unsupported`] when the kind is not elliptic; what is left is as with
    ///   [`generate`](Self::generate).
    pub fn generate_with_public_half(
        key_type: KeyType,
        rng: &mut impl rand_core::TryCryptoRng,
        public_half: impl FnOnce(&[u8]) -> Option<Jwk>,
    ) -> Result<Self, KeyError> {
        let algorithm = match key_type {
            KeyType::EcdsaP256 => SigningAlgorithm::Es256,
            KeyType::EcdsaP384 => SigningAlgorithm::Es384,
            _ => return Err(KeyError::Unsupported),
        };
        let secret = Secret::generate(key_type, rng)?;
        let public = public_half(&secret.to_sec1()?);
        let public = public.filter(|it| it.algorithm() == algorithm);
        Ok(Self {
            secret,
            public: public.ok_or(KeyError::Mismatched)?,
        })
    }

    /// Reads the one private key of a PEM text: PKCS#8, PKCS#1 or SEC1.
    ///
    /// Certificates, `EC PARAMETERS`, text between blocks, CRLF, a byte order mark and a
    /// missing last newline are passed over, since people's files hold them.
    ///
    /// # Errors
    /// - [`KeyError::Encrypted`] when the key is protected by a passphrase.
    /// - [`KeyError::Malformed`] when the PEM or the key inside cannot be read.
    /// - [`KeyError::Mismatched`] when the key's parts do not belong together.
    /// - [`KeyError::Missing`] when there is no private key.
    /// - [`KeyError::Several`] when there is more than one.
    /// - [`KeyError::TooSmall`] when it is an RSA key under 2048 bits.
    /// - [`KeyError::Unsupported`] when the key's type is not one this build knows.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        import::from_pem(text).map(Self::from_secret)
    }

    /// Reads a DER key: PKCS#8, PKCS#1 or SEC1, told apart by their first bytes.
    ///
    /// # Errors
    /// - As [`from_pem`](Self::from_pem).
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        import::from_der(der).map(Self::from_secret)
    }

    fn from_secret(secret: Secret) -> Self {
        let public = secret.public();
        Self { secret, public }
    }

    /// The public half.
    ///
    /// The same as both signer traits have, for those who import both or none.
    #[must_use]
    pub const fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    /// The thumbprint of the public half: the same key has the same one.
    #[must_use]
    pub fn thumbprint(&self) -> crate::Thumbprint {
        self.public.thumbprint()
    }

    /// The key as PKCS#8 PEM with LF line ends; wiped when dropped.
    ///
    /// Ed25519 is written without its public half, since older OpenSSL reads no other.
    ///
    /// # Errors
    /// - [`KeyError::Malformed`] never for a key that exists; the encoder's type says so.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        self.secret
            .to_pkcs8(&self.public)?
            .to_pem("PRIVATE KEY", pkcs8::LineEnding::LF)
            .map_err(|_| KeyError::Malformed)
    }

    /// The key as PKCS#8 DER; wiped when dropped.
    ///
    /// # Errors
    /// - [`KeyError::Malformed`] never for a key that exists; the encoder's type says so.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        Ok(self.secret.to_pkcs8(&self.public)?.to_bytes())
    }

    /// An RSA key as PKCS#1 PEM, `BEGIN RSA PRIVATE KEY`, which txacme writes; wiped when dropped.
    ///
    /// # Errors
    /// - [`KeyError::Unsupported`] when it is no RSA key: PKCS#1 holds no other.
    pub fn to_pkcs1_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        self.secret.to_pkcs1_pem()
    }
}

impl Signer for PrivateKey {
    fn algorithm(&self) -> SigningAlgorithm {
        self.public.algorithm()
    }

    fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.secret.sign(message)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// A private key could not be made, read or written
/// ([RFC 5958](https://www.rfc-editor.org/rfc/rfc5958)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key is protected by a passphrase; decrypt it first.
    #[error("the private key is encrypted; decrypt it first")]
    Encrypted,
    /// The PEM armour or the key inside is damaged.
    #[error("the private key cannot be read")]
    Malformed,
    /// The key's parts do not belong together: its public half, or its factors.
    #[error("the private key's parts do not belong together")]
    Mismatched,
    /// There is no private key.
    #[error("there is no private key")]
    Missing,
    /// The source of randomness failed.
    #[error("there is no randomness to make a key from")]
    Randomness,
    /// There is more than one private key.
    #[error("there is more than one private key")]
    Several,
    /// The RSA modulus is too small to be safe, and no TLS library would load it.
    #[error("the RSA key has {bits} bits, and 2048 are the least")]
    TooSmall {
        /// The modulus' size.
        bits: u32,
    },
    /// The key is of a type that this build does not know: each but P-256 takes the feature of
    /// this crate that has its name. The text names those that are off.
    #[error(
        "the private key's type is not supported by this build{}",
        features_off()
    )]
    Unsupported,
}

/// The features that add kinds of private keys, and that this build has not.
fn features_off() -> String {
    let features = [
        ("p384", cfg!(feature = "p384")),
        ("ed25519", cfg!(feature = "ed25519")),
        ("rsa", cfg!(feature = "rsa")),
    ];
    let off: Vec<_> = features.iter().filter(|it| !it.1).map(|it| it.0).collect();
    if off.is_empty() {
        return String::new();
    }
    format!(
        ", where these features of acme-jose are off: {}",
        off.join(", ")
    )
}
