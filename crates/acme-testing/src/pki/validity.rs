//! When a certificate begins and ends.

use std::time::Duration;

use acme_messages::Timestamp;
use der::DateTime;
use x509_cert::time::{Time, Validity};

use super::PkiError;

/// When a certificate begins and ends, both seconds included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateValidity {
    /// The first second.
    pub not_before: Timestamp,
    /// The last second.
    pub not_after: Timestamp,
}

impl CertificateValidity {
    /// How far back a certificate begins, as Let's Encrypt does for slow clocks.
    pub const BACKDATE: Duration = Duration::from_secs(60 * 60);

    /// From 1970 to 9999: no clock disagrees.
    pub const FOREVER: Self = Self {
        not_before: Timestamp::UNIX_EPOCH,
        not_after: Timestamp::constant(253_402_207_199, 0),
    };

    /// From one moment to another.
    #[must_use]
    pub const fn between(not_before: Timestamp, not_after: Timestamp) -> Self {
        Self {
            not_before,
            not_after,
        }
    }

    /// A lifetime that is under way: it began [`BACKDATE`](Self::BACKDATE) ago,
    /// but at most a tenth of the lifetime, and lasts for exactly `lifetime`.
    #[must_use]
    pub fn starting(now: Timestamp, lifetime: Duration) -> Self {
        let back = Self::BACKDATE.min(lifetime / 10).as_secs();
        let clamp = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        let begin = now.as_second().saturating_sub_unsigned(back);
        // The last second belongs to the lifetime (RFC 5280, section 4.1.2.5).
        let last = lifetime.as_secs().saturating_sub(1);
        Self {
            not_before: clamp(begin),
            not_after: clamp(begin.saturating_add_unsigned(last)),
        }
    }
}

impl CertificateValidity {
    /// As a certificate tells it.
    pub(super) fn encode(self) -> Result<Validity, PkiError> {
        Ok(Validity::new(time(self.not_before)?, time(self.not_after)?))
    }
}

/// `UTCTime` up to 2049, `GeneralizedTime` from then on.
fn time(moment: Timestamp) -> Result<Time, PkiError> {
    let seconds = u64::try_from(moment.as_second()).map_err(|_| PkiError::BadTime)?;
    DateTime::from_unix_duration(Duration::from_secs(seconds))
        .map(Time::from)
        .map_err(|_| PkiError::BadTime)
}
