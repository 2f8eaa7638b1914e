//! Certificate chains: read strictly, looked into, checked before they are trusted
//! with a server's name ([RFC 8555, sections 7.4.2, 9.1 and 11.4]).
//!
//! [RFC 8555, sections 7.4.2, 9.1 and 11.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4.2

mod info;
mod parts;
mod preference;
mod signature;

use std::{collections::BTreeSet, fmt};

use acme_jose::Jwk;
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, pem::PemObject};

use crate::{ServerName, x509_signature::Verdict};
use parts::Parts;

pub use info::CertificateInfo;
pub(crate) use info::alternative_names;
pub use preference::ChainPreference;

/// A leaf and what certifies it, in the order TLS sends them; never empty
/// ([RFC 8555, section 7.4.2](https://www.rfc-editor.org/rfc/rfc8555#section-7.4.2), [RFC 8555, section 9.1](https://www.rfc-editor.org/rfc/rfc8555#section-9.1)).
///
/// The DER is what was received; it is never encoded anew.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateChain {
    certificates: Vec<CertificateDer<'static>>,
    leaf: CertificateInfo,
}

impl CertificateChain {
    /// The most certificates a chain may have: the leaf and ten issuers.
    pub const MAX_CERTIFICATES: usize = 11;

    /// The longest PEM text read, and the most DER taken, in bytes: room for eleven
    /// certificates of a hundred long names each.
    pub const MAX_LENGTH: usize = 1 << 18;

    /// Reads a PEM chain as a CA sends it.
    ///
    /// # Errors
    /// - [`ChainError::TooLong`] when the text or the number of certificates is over its limit.
    /// - [`ChainError::ForeignBlock`] when a block is not a certificate, as
    ///   [RFC 8555, section 11.4] demands.
    /// - [`ChainError::Empty`] when there is no certificate.
    /// - [`ChainError::Malformed`] when a certificate cannot be read, or a block does not begin
    ///   on a line of its own.
    ///
    /// [RFC 8555, section 11.4]: https://www.rfc-editor.org/rfc/rfc8555#section-11.4
    pub fn from_pem(text: &[u8]) -> Result<Self, ChainError> {
        if text.len() > Self::MAX_LENGTH {
            return Err(ChainError::TooLong);
        }
        let begin = b"-----BEGIN";
        let mut begun = 0;
        let dashes = (0..text.len()).filter(|at| text[*at] == b'-');
        for at in dashes.filter(|at| text[*at..].starts_with(begin)) {
            if !text[at + begin.len()..].starts_with(b" CERTIFICATE-----") {
                return Err(ChainError::ForeignBlock);
            }
            begun += 1;
        }
        let certificates = CertificateDer::pem_slice_iter(text)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ChainError::Malformed)?;
        // A block that begins in the middle of a line would be lost without a word.
        if certificates.len() != begun {
            return Err(ChainError::Malformed);
        }
        Self::from_der(certificates)
    }

    /// Takes certificates that were read already, leaf first.
    ///
    /// # Errors
    /// - As [`from_pem`](Self::from_pem), but for blocks.
    pub fn from_der(certificates: Vec<CertificateDer<'static>>) -> Result<Self, ChainError> {
        let length: usize = certificates.iter().map(|it| it.len()).sum();
        if certificates.len() > Self::MAX_CERTIFICATES || length > Self::MAX_LENGTH {
            return Err(ChainError::TooLong);
        }
        let (leaf, issuers) = certificates.split_first().ok_or(ChainError::Empty)?;
        let leaf = CertificateInfo::from_der(leaf)?;
        for issuer in issuers {
            let parts = Parts::from_der(issuer);
            let extensions = parts.and_then(|it| it.extensions());
            extensions.map_err(|_| ChainError::Malformed)?;
        }
        Ok(Self { certificates, leaf })
    }

    /// What the leaf says.
    #[must_use]
    pub const fn leaf(&self) -> &CertificateInfo {
        &self.leaf
    }

    /// The certificates, leaf first.
    #[must_use]
    pub fn as_der(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// The chain as PEM: LF, 64 columns, nothing between the blocks.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.certificates
            .iter()
            .map(|it| pem("CERTIFICATE", it))
            .collect()
    }

    /// Checks that each certificate is issued, and signed, by the next.
    ///
    /// A signature of an algorithm that this build does not know is judged by
    /// the names of issuer and subject alone.
    ///
    /// # Errors
    /// - [`ChainError::BrokenLink`] with the position of the first certificate that the next
    ///   one did not issue.
    pub fn check_links(&self) -> Result<(), ChainError> {
        self.check_links_with(&[])
    }

    /// As [`check_links`](Self::check_links), with the cryptography of a TLS library where
    /// that knows the algorithm: it is faster, and it may know more of them.
    ///
    /// A `CryptoProvider` of rustls has them as `signature_verification_algorithms.all`.
    ///
    /// # Errors
    /// - As [`check_links`](Self::check_links).
    pub fn check_links_with(
        &self,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Result<(), ChainError> {
        let parts = self.certificates.iter().map(|it| Parts::from_der(it));
        let parts = parts.collect::<Result<Vec<_>, _>>();
        let parts = parts.map_err(|_| ChainError::Malformed)?;
        let broken = parts
            .iter()
            .zip(parts.iter().skip(1))
            .position(|(subject, issuer)| {
                subject.issuer != issuer.subject
                    || signature::verdict(subject, issuer, algorithms) == Verdict::Invalid
            });
        match broken {
            Some(position) => Err(ChainError::BrokenLink { position }),
            None => Ok(()),
        }
    }

    /// Checks that the leaf holds this key.
    ///
    /// # Errors
    /// - [`ChainError::ForeignKey`] when it holds another.
    pub fn check_key(&self, key: &Jwk) -> Result<(), ChainError> {
        // Keys are nearly always written alike, and then the leaf's need not be computed with.
        if key.to_spki_der().is_ok_and(|it| it == self.leaf.spki) {
            return Ok(());
        }
        match Jwk::from_spki_der(&self.leaf.spki) {
            Ok(own) if own == *key => Ok(()),
            _ => Err(ChainError::ForeignKey),
        }
    }

    /// Checks that the leaf is for exactly these names, in any order.
    ///
    /// # Errors
    /// - [`ChainError::WrongNames`] when a name is missing, or one is there that was not
    ///   asked for.
    pub fn check_names(&self, names: &[ServerName]) -> Result<(), ChainError> {
        let asked: BTreeSet<_> = names.iter().collect();
        let got: BTreeSet<_> = self.leaf.names.iter().collect();
        if asked == got && self.leaf.other_dns_names.is_empty() {
            Ok(())
        } else {
            Err(ChainError::WrongNames)
        }
    }

    /// Checks that the leaf is not past its end.
    ///
    /// A beginning in the near future is no fault of the chain's: clocks differ.
    ///
    /// # Errors
    /// - [`ChainError::Expired`] when its end lies before `now`.
    pub fn check_time(&self, now: Timestamp) -> Result<(), ChainError> {
        if self.leaf.not_after.as_second() < now.as_second() {
            return Err(ChainError::Expired);
        }
        Ok(())
    }
}

/// Writes one PEM block: LF, 64 columns.
fn pem(label: &str, der: &[u8]) -> String {
    der::pem::encode_string(label, der::pem::LineEnding::LF, der).unwrap_or_default()
}

impl fmt::Debug for CertificateChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateChain")
            .field("leaf", &self.leaf)
            .field("length", &self.certificates.len())
            .finish()
    }
}

/// A certificate chain was refused
/// ([RFC 8555, section 7.4.2](https://www.rfc-editor.org/rfc/rfc8555#section-7.4.2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A certificate was not issued by the next one.
    #[error("certificate {position} of the chain was not issued by the next one")]
    BrokenLink {
        /// The position of the certificate, the leaf being 0.
        position: usize,
    },
    /// There is no certificate.
    #[error("there is no certificate")]
    Empty,
    /// The leaf is past its end.
    #[error("the certificate has expired")]
    Expired,
    /// A PEM block is not a certificate.
    #[error("a PEM block is not a certificate")]
    ForeignBlock,
    /// The leaf holds another key.
    #[error("the certificate is for another key")]
    ForeignKey,
    /// A certificate cannot be read.
    #[error("a certificate cannot be read")]
    Malformed,
    /// The chain is longer than its limit.
    #[error("the chain is too long")]
    TooLong,
    /// The leaf is not for exactly the names that were asked for.
    #[error("the certificate is not for the names that were asked for")]
    WrongNames,
}
