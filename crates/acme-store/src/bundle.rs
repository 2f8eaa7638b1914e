//! One private key, the leaf that holds it, and the leaf's chain: what a file or record keeps.

use std::{fmt, sync::Arc};

use acme_messages::{
    CertificateChain, CertificateInfo, ChainError,
    jose::{KeyError, PrivateKey},
};
use rustls_pki_types::{
    CertificateDer,
    pem::{PemObject, SectionKind},
};
use zeroize::Zeroizing;

pub(crate) use pem_text::readable;

mod pem_text;

/// A private key with the certificate for it, checked when it was made.
///
/// The leaf holds the key, each certificate is issued by the next, and a
/// self-signed root at the end is left out, since no client needs to be sent it.
/// Cloning is cheap, and no `Debug` shows the key.
///
/// ```
/// use acme_store::CertificateBundle;
///
/// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/www.example.com.pem");
/// let bundle = CertificateBundle::from_pem(&std::fs::read(file)?)?;
/// assert!(bundle.chain().leaf().is_valid_for(&"www.example.com".parse()?));
/// assert!(bundle.to_pem().starts_with("-----BEGIN PRIVATE KEY-----\n"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "pem_objects")]
#[derive(Clone)]
pub struct CertificateBundle {
    parts: Arc<Parts>,
}

struct Parts {
    key: PrivateKey,
    key_pem: Zeroizing<String>,
    chain: CertificateChain,
}

impl CertificateBundle {
    /// The most certificates read from one file, the surplus ones included.
    ///
    /// Sorting them takes the square of their number.
    pub const MAX_CERTIFICATES: usize = 32;

    /// The longest PEM text read, in bytes: that of the longest chain, and its key.
    pub const MAX_LENGTH: usize = CertificateChain::MAX_LENGTH + (1 << 14);

    /// Puts a key and the chain for it together.
    ///
    /// # Errors
    /// - [`BundleError::Chain`] when a certificate was not issued by the next one.
    /// - [`BundleError::Key`] when the key cannot be written.
    /// - [`BundleError::KeyMismatch`] when the leaf holds another key.
    /// - [`BundleError::TooLong`] when its PEM text would be over [`MAX_LENGTH`](Self::MAX_LENGTH),
    ///   and so be read by nobody.
    pub fn new(key: PrivateKey, chain: CertificateChain) -> Result<Self, BundleError> {
        chain
            .check_key(key.public_jwk())
            .map_err(|_| BundleError::KeyMismatch)?;
        chain.check_links().map_err(BundleError::Chain)?;
        let (all, mut length) = (chain.as_der(), chain.as_der().len());
        while length > 1 && issued(&all[length - 1], &all[length - 1]) {
            length -= 1;
        }
        let chain = CertificateChain::from_der(all[..length].to_vec());
        let chain = chain.map_err(BundleError::Chain)?;
        let key_pem = key.to_pkcs8_pem().map_err(BundleError::Key)?;
        if key_pem.len() + chain.to_pem().len() > Self::MAX_LENGTH {
            return Err(BundleError::TooLong);
        }
        let parts = Parts {
            key,
            key_pem,
            chain,
        };
        Ok(Self {
            parts: Arc::new(parts),
        })
    }

    /// Reads what people's files contain.
    ///
    /// The blocks may come in any order. The leaf is the certificate for the
    /// key; of the others those that continue its chain are kept. Parameters,
    /// requests, what OpenSSL says of trust, text, CRLF and missing line ends between blocks are passed over.
    ///
    /// # Errors
    /// - [`BundleError::Chain`] when the chain of the leaf is too long.
    /// - [`BundleError::Key`] when the key is encrypted, damaged or of an unknown type.
    /// - [`BundleError::KeyMismatch`] when no certificate is for the key.
    /// - [`BundleError::Malformed`] when a PEM block is damaged.
    /// - [`BundleError::NoCertificate`] when there is no certificate.
    /// - [`BundleError::NoKey`] when there is no private key.
    /// - [`BundleError::NoPem`] when there is no PEM block at all.
    /// - [`BundleError::SeveralKeys`] when there is more than one private key.
    /// - [`BundleError::TooLong`] when text or certificates are over their limits.
    #[doc(alias = "parse")]
    pub fn from_pem(text: &[u8]) -> Result<Self, BundleError> {
        if text.len() > Self::MAX_LENGTH {
            return Err(BundleError::TooLong);
        }
        let text = readable(text).ok_or(BundleError::NoPem)?;
        let key = PrivateKey::from_pem(&text).map_err(|error| match error {
            KeyError::Missing => BundleError::NoKey,
            KeyError::Several => BundleError::SeveralKeys,
            other => BundleError::Key(other),
        });
        if matches!(key, Err(BundleError::Key(KeyError::Encrypted))) {
            // The headers of a block that was encrypted in the old way read as damage.
            return Err(BundleError::Key(KeyError::Encrypted));
        }
        let certificates = certificates(&text)?;
        let key = key?;
        let chain = CertificateChain::from_der(chain_for(&key, certificates)?)
            .map_err(BundleError::Chain)?;
        Self::new(key, chain)
    }

    /// The key, the leaf and its issuers as PEM, in this order.
    ///
    /// Every reader of such files takes this form: PKCS#8, LF, 64 columns,
    /// nothing between the blocks. It is wiped when dropped.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let chain = self.parts.chain.to_pem();
        // Room for all of it: growing would leave copies of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(
            self.parts.key_pem.len() + chain.len(),
        ));
        text.push_str(&self.parts.key_pem);
        text.push_str(&chain);
        text
    }

    /// The private key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.parts.key
    }

    /// The leaf and its issuers, without a root.
    #[must_use]
    pub fn chain(&self) -> &CertificateChain {
        &self.parts.chain
    }
}

/// Compares the encodings: two bundles are equal when a reader sees no difference.
impl PartialEq for CertificateBundle {
    fn eq(&self, other: &Self) -> bool {
        // The leaf holds the key, so that equal chains have equal keys.
        self.parts.chain == other.parts.chain
    }
}

impl Eq for CertificateBundle {}

impl fmt::Debug for CertificateBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateBundle")
            .field("chain", &self.parts.chain)
            .finish_non_exhaustive()
    }
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, BundleError> {
    let mut found = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
        let (kind, der) = section.map_err(|_| BundleError::Malformed)?;
        if kind != SectionKind::Certificate {
            // It may be the key.
            drop(Zeroizing::new(der));
            continue;
        }
        if found.len() == CertificateBundle::MAX_CERTIFICATES {
            return Err(BundleError::TooLong);
        }
        found.push(CertificateDer::from(without_rest(der)));
    }
    Ok(found)
}

/// The certificate alone: OpenSSL writes behind it what it is trusted for, and other
/// readers do not look.
fn without_rest(mut der: Vec<u8>) -> Vec<u8> {
    let length = match der[..] {
        [_, length @ ..=0x7f, ..] => Some(2 + usize::from(length)),
        [_, 0x81, length, ..] => Some(3 + usize::from(length)),
        [_, 0x82, high, low, ..] => Some(4 + usize::from(u16::from_be_bytes([high, low]))),
        _ => None,
    };
    if let Some(length) = length {
        der.truncate(length);
    }
    der
}

/// The certificate for the key, then each one that issued the one before it.
fn chain_for(
    key: &PrivateKey,
    mut rest: Vec<CertificateDer<'static>>,
) -> Result<Vec<CertificateDer<'static>>, BundleError> {
    if rest.is_empty() {
        return Err(BundleError::NoCertificate);
    }
    let spki = key
        .public_jwk()
        .to_spki_der()
        .map_err(|_| BundleError::KeyMismatch)?;
    let leaf = rest
        .iter()
        .position(|der| CertificateInfo::from_der(der).is_ok_and(|info| info.spki == spki))
        .ok_or(BundleError::KeyMismatch)?;
    let mut last = rest.remove(leaf);
    // A root continues no chain, however often it is there; one that another root has
    // certified does.
    rest.retain(|it| !issued(it, it));
    let mut chain = Vec::new();
    while let Some(next) = rest.iter().position(|it| issued(&last, it)) {
        let next = rest.remove(next);
        chain.push(std::mem::replace(&mut last, next));
    }
    chain.push(last);
    Ok(chain)
}

/// Whether one certificate was issued by another.
fn issued(subject: &CertificateDer<'static>, issuer: &CertificateDer<'static>) -> bool {
    CertificateChain::from_der(vec![subject.clone(), issuer.clone()])
        .is_ok_and(|pair| pair.check_links().is_ok())
}

/// A key and certificates make no bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The chain is broken or too long.
    #[error("the certificate chain cannot be used")]
    Chain(#[source] ChainError),
    /// The private key is encrypted, damaged or of an unknown type.
    #[error("the private key cannot be used")]
    Key(#[source] KeyError),
    /// No certificate is for the key.
    #[error("no certificate is for the private key")]
    KeyMismatch,
    /// A PEM block is damaged.
    #[error("a PEM block is damaged")]
    Malformed,
    /// There is no certificate.
    #[error("there is no certificate")]
    NoCertificate,
    /// There is no private key.
    #[error("there is no private key")]
    NoKey,
    /// There is text, but no PEM block in it.
    #[error("there is no PEM block")]
    NoPem,
    /// There is more than one private key.
    #[error("there is more than one private key")]
    SeveralKeys,
    /// The text, or the number of certificates in it, is over its limit.
    #[error("there is more text, or there are more certificates, than a bundle may have")]
    TooLong,
}
