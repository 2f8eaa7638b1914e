//! A CA that never answers.

use std::{future::pending, sync::Arc};

use acme_client::{
    CertificateAuthority, CertificateRequest, Error, IssuedCertificate, RenewalAdvice,
};
use acme_messages::{CertificateId, jose::BoxFuture};
use tokio::sync::watch;

use crate::counted::Counted;

/// Never answers any call, and counts those that wait for it.
///
/// Clones count together. Who gives a call up is not counted any more.
///
/// ```
/// use acme_testing::{HangingCa, client::CertificateAuthority};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let ca = HangingCa::new();
/// let call = tokio::spawn({
///     let ca = ca.clone();
///     async move { ca.prepare().await }
/// });
/// ca.wait_for_waiting(1).await;
/// call.abort();
/// assert!(call.await.unwrap_err().is_cancelled());
/// assert_eq!(ca.waiting(), 0);
/// # }
/// ```
#[doc(alias = "HangingClient")]
#[derive(Clone, Debug, Default)]
pub struct HangingCa {
    waiting: Arc<watch::Sender<usize>>,
}

impl HangingCa {
    /// Who this is.
    pub const IDENTITY: &'static str = "https://hanging-ca.example/directory";

    /// A CA that never answers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many calls wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        *self.waiting.borrow()
    }

    /// Waits until at least `count` calls wait.
    pub async fn wait_for_waiting(&self, count: usize) {
        let mut waiting = self.waiting.subscribe();
        // The sender lives as long as this CA: there is no error to meet.
        let _ = waiting.wait_for(|now| *now >= count).await;
    }

    fn hang<T: Send>(&self) -> BoxFuture<'_, Result<T, Error>> {
        Box::pin(async move {
            let _waiting = Counted::new(&self.waiting);
            pending().await
        })
    }
}

impl CertificateAuthority for HangingCa {
    fn identity(&self) -> &str {
        Self::IDENTITY
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.hang()
    }

    fn obtain<'a>(
        &'a self,
        _: &'a CertificateRequest,
    ) -> BoxFuture<'a, Result<IssuedCertificate, Error>> {
        self.hang()
    }

    fn renewal_info<'a>(
        &'a self,
        _: &'a CertificateId,
    ) -> BoxFuture<'a, Result<Option<RenewalAdvice>, Error>> {
        self.hang()
    }
}
