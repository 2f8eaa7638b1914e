//! Renewal information: when the CA would have a certificate renewed ([RFC 9773]).
//!
//! [RFC 9773]: https://www.rfc-editor.org/rfc/rfc9773

use std::time::Duration;

use acme_messages::{CertificateId, RenewalInfo};

use crate::{Client, Error, ErrorKind, Operation};

/// The shortest wait before renewal information is asked for again, whatever the CA says.
pub const MIN_RENEWAL_INFO_INTERVAL: Duration = Duration::from_secs(60);

/// The longest wait before renewal information is asked for again, whatever the CA says.
pub const MAX_RENEWAL_INFO_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait after an answer that says nothing of the next, and after an error that will last
/// ([RFC 9773, section 4.3.3](https://www.rfc-editor.org/rfc/rfc9773#section-4.3.3)).
pub const RENEWAL_INFO_INTERVAL: Duration = Duration::from_secs(6 * 60 * 60);

/// How many times in a row an error is taken for one that passes.
const MAX_PASSING: u32 = 6;

/// What a CA says about a certificate's renewal, and when to ask again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenewalAdvice {
    /// The span to renew in: its end comes after its start.
    pub info: RenewalInfo,
    /// How long to wait before asking again, as the CA said; `None` when it did not.
    pub retry_after: Option<Duration>,
}

impl RenewalAdvice {
    /// Advice as a CA gave it.
    #[must_use]
    pub const fn new(info: RenewalInfo, retry_after: Option<Duration>) -> Self {
        Self { info, retry_after }
    }

    /// When to ask again: as the CA says, between [`MIN_RENEWAL_INFO_INTERVAL`] and
    /// [`MAX_RENEWAL_INFO_INTERVAL`], and [`RENEWAL_INFO_INTERVAL`] when it says nothing
    /// ([RFC 9773, section 4.3.2](https://www.rfc-editor.org/rfc/rfc9773#section-4.3.2)).
    #[must_use]
    pub fn ask_again_after(&self) -> Duration {
        let asked = self.retry_after.unwrap_or(RENEWAL_INFO_INTERVAL);
        asked.clamp(MIN_RENEWAL_INFO_INTERVAL, MAX_RENEWAL_INFO_INTERVAL)
    }

    /// When to ask again after an error, the `failures`-th in a row: soon after one that may
    /// pass, and ever later; after some of those, and after all others, in
    /// [`RENEWAL_INFO_INTERVAL`]
    /// ([RFC 9773, section 4.3.3](https://www.rfc-editor.org/rfc/rfc9773#section-4.3.3)).
    ///
    /// ```
    /// use acme_client::{Error, ErrorKind, Operation, RENEWAL_INFO_INTERVAL, RenewalAdvice};
    ///
    /// let slow = Error::new(ErrorKind::Timeout, Operation::RenewalInfo);
    /// assert_eq!(RenewalAdvice::after_error(&slow, 1).as_secs(), 60);
    /// assert_eq!(RenewalAdvice::after_error(&slow, 3).as_secs(), 240);
    /// assert_eq!(RenewalAdvice::after_error(&slow, 100), RENEWAL_INFO_INTERVAL);
    /// ```
    #[must_use]
    pub fn after_error(error: &Error, failures: u32) -> Duration {
        let passing = matches!(error.kind(), ErrorKind::Timeout)
            || error.is_answer_lost()
            || error.status() >= Some(500);
        let pause = match failures.saturating_sub(1) {
            before if passing && before < MAX_PASSING => {
                MIN_RENEWAL_INFO_INTERVAL * 2u32.pow(before)
            }
            _ => RENEWAL_INFO_INTERVAL,
        };
        let asked = error.retry_after().unwrap_or_default();
        pause.max(asked).min(MAX_RENEWAL_INFO_INTERVAL)
    }
}

impl Client {
    /// Asks when a certificate is to be renewed; `None` when the CA has no such resource
    /// ([RFC 9773, section 4]).
    ///
    /// Nobody is to ask about a certificate that has expired or was replaced.
    ///
    /// # Errors
    /// - [`ErrorKind::BadResponse`] when the answer cannot be read, or its window ends before it
    ///   begins: as if there were none; [`RenewalAdvice::after_error`] says when to ask again.
    /// - Those of a request; see [`ErrorKind`].
    ///
    /// [RFC 9773, section 4]: https://www.rfc-editor.org/rfc/rfc9773#section-4
    pub async fn renewal_info(&self, id: &CertificateId) -> Result<Option<RenewalAdvice>, Error> {
        let Some(base) = self.directory().await?.renewal_info.clone() else {
            return Ok(None);
        };
        let url = format!("{}/{id}", base.trim_end_matches('/'));
        let reply = self.get(Operation::RenewalInfo, &url).await?;
        let info: RenewalInfo = reply.json()?;
        if !info.suggested_window.is_valid() {
            return Err(reply.bad_response("the window ends before it begins"));
        }
        if let Some(page) = &info.explanation_url {
            tracing::info!(%id, page, "the CA explains when to renew");
        }
        Ok(Some(RenewalAdvice::new(info, reply.retry_after())))
    }
}
