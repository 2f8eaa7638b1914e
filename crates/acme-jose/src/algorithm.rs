//! The algorithms of JWS that ACME uses ([RFC 7518, section 3], [RFC 8037]).
//!
//! [RFC 7518, section 3]: https://www.rfc-editor.org/rfc/rfc7518#section-3
//! [RFC 8037]: https://www.rfc-editor.org/rfc/rfc8037

use std::fmt;

/// A signature algorithm by its JOSE name ([RFC 7518, section 3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1)).
///
/// Which one a key uses follows from the key: see [`Signer::algorithm`](crate::Signer::algorithm).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// ECDSA on P-256 with SHA-256: each ACME server must take it ([RFC 8555, section 6.2]).
    ///
    /// [RFC 8555, section 6.2]: https://www.rfc-editor.org/rfc/rfc8555#section-6.2
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519 ([RFC 8037, section 3.1]).
    ///
    /// [RFC 8037, section 3.1]: https://www.rfc-editor.org/rfc/rfc8037#section-3.1
    EdDsa,
    /// RSA, PKCS #1 v1.5, with SHA-256.
    Rs256,
    /// RSA, PKCS #1 v1.5, with SHA-384.
    Rs384,
    /// RSA, PKCS #1 v1.5, with SHA-512.
    Rs512,
}

impl SigningAlgorithm {
    /// The algorithms that this build verifies, in the order a server lists them.
    pub const ALL: &'static [Self] = &[
        Self::Es256,
        #[cfg(feature = "p384")]
        Self::Es384,
        #[cfg(feature = "p521")]
        Self::Es512,
        #[cfg(feature = "ed25519")]
        Self::EdDsa,
        #[cfg(feature = "rsa")]
        Self::Rs256,
        #[cfg(feature = "rsa")]
        Self::Rs384,
        #[cfg(feature = "rsa")]
        Self::Rs512,
    ];

    /// The name that stands in a protected header's `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// Finds an algorithm that this build verifies by its JOSE name, which is case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.as_str() == name)
    }

    pub(crate) const fn hash(self) -> HashAlgorithm {
        match self {
            Self::Es256 | Self::Rs256 => HashAlgorithm::Sha256,
            Self::Es384 | Self::Rs384 => HashAlgorithm::Sha384,
            // Ed25519 hashes by itself.
            Self::Es512 | Self::Rs512 | Self::EdDsa => HashAlgorithm::Sha512,
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A hash function, where it is not fixed by the key: X.509 pairs them more freely than JOSE
/// ([RFC 6234](https://www.rfc-editor.org/rfc/rfc6234)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A MAC algorithm of external account bindings ([RFC 7518, section 3.2]).
///
/// [RFC 7518, section 3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MacAlgorithm {
    /// HMAC with SHA-256: what CAs expect.
    #[default]
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl MacAlgorithm {
    /// All MAC algorithms.
    pub const ALL: &'static [Self] = &[Self::Hs256, Self::Hs384, Self::Hs512];

    /// The name that stands in a protected header's `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Finds an algorithm by its JOSE name, which is case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.as_str() == name)
    }
}

impl fmt::Display for MacAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
