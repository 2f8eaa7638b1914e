//! What the CA issued.

use std::sync::Arc;

use acme_messages::{CertificateChain, jose::PrivateKey};

/// A certificate as the CA issued it, checked against the request.
///
/// Checked is that each chain's leaf has the request's key and exactly its names, is not past its end
/// nor more than a day before its beginning, and that each certificate is signed by the next, as far as this build knows the algorithm.
/// Not checked is what only a client of the server can judge: whether it trusts the root that the
/// chain leads to, and whether the certificate is revoked or logged.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuedCertificate {
    /// The leaf and its chain.
    pub chain: CertificateChain,
    /// The other chains, where the request wants all.
    pub alternates: Vec<CertificateChain>,
    /// The order it came from.
    pub order_url: String,
    /// The account it was issued to, where that is known: only that one may say that another
    /// certificate replaces it.
    pub account_url: Option<String>,
    /// The key, where the request has it.
    pub key: Option<Arc<PrivateKey>>,
}

impl IssuedCertificate {
    /// A certificate and where it came from.
    #[must_use]
    pub const fn new(chain: CertificateChain, order_url: String) -> Self {
        Self {
            chain,
            alternates: Vec::new(),
            order_url,
            account_url: None,
            key: None,
        }
    }
}
