//! Whoever can sign: a key in memory, or one that never leaves its HSM.

use std::{any::Any, fmt, future::Future, pin::Pin, sync::Arc};

use crate::{Jwk, SigningAlgorithm};

/// A boxed future, the one async form at `dyn` boundaries.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A private key that signs at once.
///
/// Implementers answer three questions and hold no state that signing changes.
/// The signature has the form of [RFC 7518, section 3]: for ECDSA that is the
/// fixed-width `r ‖ s`, not DER.
///
/// [RFC 7518, section 3]: https://www.rfc-editor.org/rfc/rfc7518#section-3
pub trait Signer: fmt::Debug + Send + Sync + 'static {
    /// The algorithm of the signatures that [`sign`](Self::sign) makes.
    fn algorithm(&self) -> SigningAlgorithm;

    /// The public half of the key.
    fn public_jwk(&self) -> &Jwk;

    /// Signs `message`.
    ///
    /// # Errors
    /// - [`SignError`] when the key cannot be used.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// A private key that signs in its own time: in an HSM, a KMS, an agent
/// ([RFC 7518, section 3](https://www.rfc-editor.org/rfc/rfc7518#section-3)).
///
/// Each [`Signer`] is one; the client asks for no more than this.
/// It is [`Any`], so that one behind a pointer can be recognised: a key in memory, which another
/// implementation may sign with.
///
/// ```
/// use std::{any::Any, sync::Arc};
/// use acme_jose::{AsyncSigner, KeyType, PrivateKey};
///
/// let signer: Arc<dyn AsyncSigner> = Arc::new(PrivateKey::generate(KeyType::EcdsaP256)?);
/// let any: &dyn Any = &*signer;
/// assert!(any.is::<PrivateKey>());
/// # Ok::<_, acme_jose::KeyError>(())
/// ```
pub trait AsyncSigner: Any + fmt::Debug + Send + Sync + 'static {
    /// The algorithm of the signatures that [`sign`](Self::sign) makes.
    fn algorithm(&self) -> SigningAlgorithm;

    /// The public half of the key.
    fn public_jwk(&self) -> &Jwk;

    /// Signs `message`.
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>>;
}

impl<T: Signer> AsyncSigner for T {
    fn algorithm(&self) -> SigningAlgorithm {
        Signer::algorithm(self)
    }

    fn public_jwk(&self) -> &Jwk {
        Signer::public_jwk(self)
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        Box::pin(std::future::ready(Signer::sign(self, message)))
    }
}

macro_rules! forward_signer {
    ($($pointer:ty),*) => {$(
        impl<T: Signer + ?Sized> Signer for $pointer {
            fn algorithm(&self) -> SigningAlgorithm {
                (**self).algorithm()
            }

            fn public_jwk(&self) -> &Jwk {
                (**self).public_jwk()
            }

            fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
                (**self).sign(message)
            }
        }
    )*};
}

forward_signer!(Arc<T>, Box<T>);

macro_rules! forward_async_signer {
    ($($pointer:ty),*) => {$(
        impl AsyncSigner for $pointer {
            fn algorithm(&self) -> SigningAlgorithm {
                (**self).algorithm()
            }

            fn public_jwk(&self) -> &Jwk {
                (**self).public_jwk()
            }

            fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
                (**self).sign(message)
            }
        }
    )*};
}

// Not for each `Arc<T>`: those of signers that sign at once are async signers already.
forward_async_signer!(Arc<dyn AsyncSigner>, Box<dyn AsyncSigner>);

/// A key could not sign
/// ([RFC 7515, section 5.1](https://www.rfc-editor.org/rfc/rfc7515#section-5.1)).
///
/// The cause is whatever the key's keeper said; it must not hold key material.
#[derive(Debug, thiserror::Error)]
#[error("the key could not sign")]
pub struct SignError {
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl SignError {
    /// Wraps the reason that the key's keeper gave.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: cause.into(),
        }
    }
}
