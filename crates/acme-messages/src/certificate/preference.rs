//! Which of several chains to take ([RFC 8555, section 7.4.2]).
//!
//! [RFC 8555, section 7.4.2]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4.2

use sha2::{Digest, Sha256};

use super::{CertificateChain, info::common_name, parts::Parts};

/// Which of the chains that a CA offers for one certificate to take
/// ([RFC 8555, section 7.4.2](https://www.rfc-editor.org/rfc/rfc8555#section-7.4.2)).
///
/// CAs sign with one of several intermediates as they like: prefer by a root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainPreference {
    /// The one that the CA gives first.
    #[default]
    Default,
    /// The one that leads to an issuer of this common name: `ISRG Root X1`.
    ///
    /// A chain whose last certificate has that issuer goes before one that only passes by it.
    IssuerCommonName(String),
    /// The one with a certificate of this SHA-256 fingerprint in it; CAs mostly leave the root out.
    Fingerprint([u8; 32]),
}

impl ChainPreference {
    /// The position of the chain to take, the CA's default chain being first; of several that
    /// fit equally well the first.
    ///
    /// `None` when none fits: a caller that would rather have a certificate than none takes the
    /// first.
    #[must_use]
    pub fn pick(&self, chains: &[CertificateChain]) -> Option<usize> {
        match self {
            Self::Default => (!chains.is_empty()).then_some(0),
            Self::IssuerCommonName(name) => {
                let is = |it: &Option<String>| it.as_ref() == Some(name);
                let issuers: Vec<Vec<Option<String>>> = chains
                    .iter()
                    .map(|it| it.issuer_common_names().collect())
                    .collect();
                let last = issuers.iter().position(|it| it.last().is_some_and(is));
                last.or_else(|| issuers.iter().position(|it| it.iter().any(is)))
            }
            Self::Fingerprint(wanted) => chains
                .iter()
                .position(|it| it.fingerprints().any(|it| it == *wanted)),
        }
    }
}

impl CertificateChain {
    /// The common name of each certificate's issuer, that of the leaf's first.
    pub fn issuer_common_names(&self) -> impl Iterator<Item = Option<String>> {
        self.certificates
            .iter()
            .map(|it| common_name(Parts::from_der(it).ok()?.issuer))
    }

    /// The SHA-256 fingerprint of each certificate's DER, the leaf's first.
    pub fn fingerprints(&self) -> impl Iterator<Item = [u8; 32]> {
        self.certificates.iter().map(|it| Sha256::digest(it).into())
    }
}
