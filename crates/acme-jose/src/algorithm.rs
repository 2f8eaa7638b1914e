//! The signature algorithms of JWS that ACME uses ([RFC 7518, section 3]).
//!
//! [RFC 7518, section 3]: https://www.rfc-editor.org/rfc/rfc7518#section-3

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
}

impl SigningAlgorithm {
    /// All algorithms that this build verifies, in the order a server lists them.
    pub const ALL: &'static [Self] = &[Self::Es256];

    /// The name that stands in a protected header's `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
        }
    }

    /// Finds an algorithm by its JOSE name, which is case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.as_str() == name)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
