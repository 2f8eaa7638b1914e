//! What to do next about one name: a pure function of what is known and the time.

use std::time::Duration;

use acme_client::{Error, ErrorKind};
use acme_messages::{ProblemType, Timestamp};

use crate::{RenewalPolicy, policy::lifetime};

/// The pauses after the first failures of a name; the last one goes on.
pub(crate) const BACKOFF: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(100 * 60),
    Duration::from_secs(24 * 60 * 60),
];

/// Where in [`BACKOFF`] a failure starts that nothing but a person can mend.
const PERMANENT_FROM: usize = 2;

/// A certificate younger than its life through this is not renewed by the clock:
/// one that looks due at once means that a clock is wrong.
const YOUNGEST_RENEWAL: u32 = 10;

/// What is in the store for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    /// Nothing to serve: blank or damaged.
    Nothing,
    /// A certificate.
    Certificate {
        not_before: Timestamp,
        not_after: Timestamp,
    },
}

/// What is known of a name.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) holding: Holding,
    /// How many attempts in a row failed.
    pub(crate) failures: u32,
    /// No attempt before this moment, whatever else.
    pub(crate) not_until: Option<Timestamp>,
}

/// What to do about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Get a certificate now; urgent when there is none that can be served.
    Issue { urgent: bool },
    /// Nothing before this moment.
    Wait(Timestamp),
}

impl Record {
    pub(crate) const fn new(holding: Holding) -> Self {
        Self {
            holding,
            failures: 0,
            not_until: None,
        }
    }

    /// Whether there is nothing that a client would accept.
    pub(crate) fn is_urgent(&self, now: Timestamp) -> bool {
        match self.holding {
            Holding::Nothing => true,
            Holding::Certificate { not_after, .. } => not_after < now,
        }
    }

    /// Whether a failure is worth an alarm.
    pub(crate) fn is_alarming(&self, now: Timestamp, policy: &RenewalPolicy) -> bool {
        match self.holding {
            Holding::Nothing => true,
            Holding::Certificate {
                not_before,
                not_after,
            } => now >= policy.alert_at(not_before, not_after),
        }
    }

    /// Decides.
    pub(crate) fn decide(&self, now: Timestamp, policy: &RenewalPolicy) -> Decision {
        let due = match self.holding {
            Holding::Nothing => now,
            Holding::Certificate {
                not_before,
                not_after,
            } => policy.renew_at(not_before, not_after),
        };
        let at = self.not_until.map_or(due, |floor| due.max(floor));
        if at <= now {
            Decision::Issue {
                urgent: self.is_urgent(now),
            }
        } else {
            Decision::Wait(at)
        }
    }

    /// Notes that a certificate was issued and stored.
    pub(crate) fn succeeded(
        &mut self,
        now: Timestamp,
        not_before: Timestamp,
        not_after: Timestamp,
    ) {
        self.holding = Holding::Certificate {
            not_before,
            not_after,
        };
        self.failures = 0;
        self.not_until = Some(now + lifetime(not_before, not_after) / YOUNGEST_RENEWAL);
    }

    /// Notes that an attempt failed, and when the next one may be.
    pub(crate) fn failed(&mut self, now: Timestamp, error: Option<&Error>) -> Timestamp {
        let first = match error {
            Some(error) if is_permanent(error) => PERMANENT_FROM,
            _ => 0,
        };
        let place = first + usize::try_from(self.failures).unwrap_or(usize::MAX);
        let backoff = BACKOFF[place.min(BACKOFF.len() - 1)];
        let asked = error.and_then(Error::retry_after).unwrap_or_default();
        self.failures = self.failures.saturating_add(1);
        let next = now + backoff.max(asked);
        self.not_until = Some(next);
        next
    }
}

/// Whether the same attempt would fail the same way until a person does something.
fn is_permanent(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::InvalidUrl
        | ErrorKind::NoSupportedChallenge
        | ErrorKind::Request
        | ErrorKind::TermsNotAgreed => true,
        ErrorKind::Problem => matches!(
            error.problem().map(|it| &it.kind),
            Some(
                ProblemType::Caa
                    | ProblemType::ExternalAccountRequired
                    | ProblemType::InvalidContact
                    | ProblemType::InvalidProfile
                    | ProblemType::Malformed
                    | ProblemType::RateLimited
                    | ProblemType::RejectedIdentifier
                    | ProblemType::Unauthorized
                    | ProblemType::UnsupportedContact
                    | ProblemType::UnsupportedIdentifier
                    | ProblemType::UserActionRequired
            )
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
