//! Whose cryptography signs and checks: the keys' own, or a TLS library's.

use std::{any::Any, fmt, sync::Arc};

use acme_messages::jose::{AsyncSigner, KeyType, PrivateKey, Signer};
use rustls_pki_types::SignatureVerificationAlgorithm;

use crate::Client;

/// Cryptography that does what that of this crate's keys does: faster, or certified, or both.
///
/// A client takes that of its transport's TLS library; [`ClientBuilder::cryptography`] names
/// another, or none. Accounts whose key is a [`PrivateKey`] sign with it, and the links of
/// certificate chains are checked with it; [`Client::certificate_request`] has it make the
/// certificate's key. What it does not know is done as without it.
///
/// A `CryptoProvider` of rustls is one:
///
/// ```
/// # #[cfg(feature = "hyper")] {
/// use acme_client::{Cryptography, messages::jose::{KeyType, PrivateKey}};
///
/// let provider = rustls::crypto::ring::default_provider();
/// let key = PrivateKey::generate(KeyType::EcdsaP256)?;
/// let signer = provider.signer(&key).expect("ring knows P-256");
/// assert_eq!(signer.public_jwk(), key.public_jwk());
/// # }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// [`ClientBuilder::cryptography`]: crate::ClientBuilder::cryptography
/// [`Client::certificate_request`]: crate::Client::certificate_request
pub trait Cryptography: fmt::Debug + Send + Sync + 'static {
    /// One that signs as this key does; `None` where it takes no such key.
    fn signer(&self, key: &PrivateKey) -> Option<Arc<dyn AsyncSigner>>;

    /// A new key, and one that signs as it does; `None` where it makes none of this kind.
    fn generate(&self, key_type: KeyType) -> Option<(PrivateKey, Box<dyn Signer>)> {
        let _ = key_type;
        None
    }

    /// What it checks the signatures of certificates with.
    fn verification_algorithms(&self) -> &[&dyn SignatureVerificationAlgorithm];
}

#[cfg(feature = "hyper")]
impl Cryptography for rustls::crypto::CryptoProvider {
    fn signer(&self, key: &PrivateKey) -> Option<Arc<dyn AsyncSigner>> {
        match crate::ProviderSigner::new(self, key) {
            Ok(signer) => Some(Arc::new(signer)),
            Err(error) => {
                tracing::debug!(%error, "the key signs by itself");
                None
            }
        }
    }

    fn generate(&self, key_type: KeyType) -> Option<(PrivateKey, Box<dyn Signer>)> {
        match crate::ProviderSigner::generate(self, key_type) {
            Ok((key, signer)) => Some((key, Box::new(signer))),
            Err(error) => {
                tracing::debug!(%error, "the key is made, and signs, by itself");
                None
            }
        }
    }

    fn verification_algorithms(&self) -> &[&dyn SignatureVerificationAlgorithm] {
        self.signature_verification_algorithms.all
    }
}

impl Client {
    /// The signer, or one that does the same with the client's cryptography.
    pub(crate) fn stand_in(&self, signer: Arc<dyn AsyncSigner>) -> Arc<dyn AsyncSigner> {
        let faster = self.cryptography().zip(in_memory(&*signer));
        let faster = faster.and_then(|(cryptography, key)| cryptography.signer(key));
        faster.unwrap_or(signer)
    }
}

/// The key, where the signer is one in memory.
fn in_memory(signer: &dyn Any) -> Option<&PrivateKey> {
    let shared = || signer.downcast_ref::<Arc<PrivateKey>>();
    let own = signer.downcast_ref::<PrivateKey>();
    own.or_else(|| shared().map(|it| &**it))
}
