//! When a certificate is due, and when its renewal is worth an alarm.

use std::time::Duration;

use acme_messages::Timestamp;

/// Certificates that live shorter than this are renewed at half their life.
const SHORT_LIVED: Duration = Duration::from_secs(10 * 24 * 60 * 60);

/// From how much life is left on a certificate is renewed, and alarms are raised.
///
/// ```
/// use std::time::Duration;
/// use acme_service::{RenewalPolicy, messages::Timestamp};
///
/// let not_before: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let not_after: Timestamp = "2026-03-31T23:59:59Z".parse()?;
/// let policy = RenewalPolicy::default();
/// assert_eq!(policy.renew_at(not_before, not_after), "2026-03-01T23:59:59Z".parse()?);
/// assert_eq!(policy.alert_at(not_before, not_after), "2026-03-16T23:59:59Z".parse()?);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenewalPolicy {
    /// By the lifetime: renewed with a third of it left and alarmed with a sixth;
    /// with a half and a quarter for certificates under ten days.
    /// For 90 days that is 30 and 15.
    #[default]
    Relative,
    /// By fixed spans before the end, both inclusive.
    ///
    /// Where the first is over two thirds of a certificate's life, it would be
    /// renewed for ever: that one is judged by its lifetime instead.
    #[doc(alias = "reissue_interval")]
    #[doc(alias = "panic_interval")]
    Fixed {
        /// Renewed with this much left.
        reissue: Duration,
        /// Alarmed with this much left.
        alert: Duration,
    },
}

impl RenewalPolicy {
    /// The moment from which the certificate is due.
    #[must_use]
    pub fn renew_at(&self, not_before: Timestamp, not_after: Timestamp) -> Timestamp {
        before(not_after, self.spans(lifetime(not_before, not_after)).0)
    }

    /// The moment from which a failed renewal is an alarm.
    #[must_use]
    pub fn alert_at(&self, not_before: Timestamp, not_after: Timestamp) -> Timestamp {
        before(not_after, self.spans(lifetime(not_before, not_after)).1)
    }

    /// How much of a life is left at its renewal, and at an alarm.
    fn spans(&self, life: Duration) -> (Duration, Duration) {
        match self {
            Self::Fixed { reissue, alert } if *reissue <= life / 3 * 2 => (*reissue, *alert),
            _ if life < SHORT_LIVED => (life / 2, life / 4),
            _ => (life / 3, life / 6),
        }
    }
}

/// The span of a validity, its last second included ([RFC 5280, section 4.1.2.5]).
///
/// [RFC 5280, section 4.1.2.5]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5
pub(crate) fn lifetime(not_before: Timestamp, not_after: Timestamp) -> Duration {
    let seconds = not_after.as_second().saturating_sub(not_before.as_second());
    Duration::from_secs(u64::try_from(seconds.saturating_add(1)).unwrap_or_default())
}

fn before(moment: Timestamp, span: Duration) -> Timestamp {
    moment.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// The end of a span, or of time.
pub(crate) fn after(moment: Timestamp, span: Duration) -> Timestamp {
    moment.checked_add(span).unwrap_or(Timestamp::MAX)
}
