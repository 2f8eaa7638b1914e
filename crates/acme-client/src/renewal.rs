//! Renewal information: when the CA would have a certificate renewed ([RFC 9773]).
//!
//! [RFC 9773]: https://www.rfc-editor.org/rfc/rfc9773

use std::time::Duration;

use acme_messages::{CertificateId, RenewalInfo};

use crate::{Client, Error, Operation};

/// What a CA says about a certificate's renewal, and when to ask again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenewalAdvice {
    /// The span to renew in.
    pub info: RenewalInfo,
    /// How long to wait before asking again, clamped to a day; `None` when the CA did not say.
    pub retry_after: Option<Duration>,
}

impl RenewalAdvice {
    /// Advice as a CA gave it.
    #[must_use]
    pub const fn new(info: RenewalInfo, retry_after: Option<Duration>) -> Self {
        Self { info, retry_after }
    }
}

impl Client {
    /// Asks when a certificate is to be renewed; `None` when the CA has no such resource
    /// ([RFC 9773, section 4]).
    ///
    /// # Errors
    /// - Those of a request; see [`ErrorKind`](crate::ErrorKind).
    ///
    /// [RFC 9773, section 4]: https://www.rfc-editor.org/rfc/rfc9773#section-4
    pub async fn renewal_info(&self, id: &CertificateId) -> Result<Option<RenewalAdvice>, Error> {
        let Some(base) = self.directory().await?.renewal_info.clone() else {
            return Ok(None);
        };
        let url = format!("{}/{id}", base.trim_end_matches('/'));
        let reply = self.get(Operation::RenewalInfo, &url).await?;
        Ok(Some(RenewalAdvice::new(reply.json()?, reply.retry_after())))
    }
}
