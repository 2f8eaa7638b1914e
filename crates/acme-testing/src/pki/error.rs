//! Why a certificate could not be issued.

use acme_messages::jose::KeyType;

/// A certificate could not be issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PkiError {
    /// The public key is no DER `SubjectPublicKeyInfo`.
    #[error("the public key is no SubjectPublicKeyInfo")]
    BadPublicKey,
    /// The validity lies outside the years that certificates can tell.
    #[error("the validity lies outside the years 1970 to 9999")]
    BadTime,
    /// The certificate could not be encoded.
    #[error("the certificate could not be encoded")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Keys of this kind take a feature that this build lacks, or cannot sign certificates.
    #[error("this build cannot sign certificates with {0} keys")]
    KeyType(KeyType),
    /// There are no names.
    #[error("a certificate needs at least one name")]
    NoNames,
    /// The system has no randomness to give.
    #[error("the system has no randomness to give")]
    NoRandomness,
}

impl PkiError {
    pub(crate) fn encode(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Encode(cause.into())
    }
}
