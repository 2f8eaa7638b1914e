//! A CA with which every call fails.

use std::fmt;

use acme_client::{
    CertificateAuthority, CertificateRequest, Error, ErrorKind, IssuedCertificate, Operation,
    RenewalAdvice,
};
use acme_messages::{CertificateId, jose::BoxFuture};

/// Fails every call.
///
/// ```
/// use acme_testing::{FailingCa, client::{CertificateAuthority, ErrorKind}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = FailingCa::unreachable().prepare().await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Transport);
/// assert!(error.is_transient());
/// # }
/// ```
#[doc(alias = "FailingClient")]
pub struct FailingCa {
    error: Box<dyn Fn() -> Error + Send + Sync>,
}

impl FailingCa {
    /// Who this is.
    pub const IDENTITY: &'static str = "https://failing-ca.example/directory";

    /// A CA with which every call fails so.
    pub fn new(error: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        Self {
            error: Box::new(error),
        }
    }

    /// A CA that cannot be reached.
    #[must_use]
    pub fn unreachable() -> Self {
        Self::new(|| {
            Error::new(ErrorKind::Transport, Operation::Directory).with_url(Self::IDENTITY)
        })
    }

    fn fail<T: Send + 'static>(&self) -> BoxFuture<'static, Result<T, Error>> {
        Box::pin(std::future::ready(Err((self.error)())))
    }
}

impl CertificateAuthority for FailingCa {
    fn identity(&self) -> &str {
        Self::IDENTITY
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.fail()
    }

    fn obtain<'a>(
        &'a self,
        _: &'a CertificateRequest,
    ) -> BoxFuture<'a, Result<IssuedCertificate, Error>> {
        self.fail()
    }

    fn renewal_info<'a>(
        &'a self,
        _: &'a CertificateId,
    ) -> BoxFuture<'a, Result<Option<RenewalAdvice>, Error>> {
        self.fail()
    }
}

impl fmt::Debug for FailingCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailingCa").finish_non_exhaustive()
    }
}
