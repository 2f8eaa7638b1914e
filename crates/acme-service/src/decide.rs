//! What to do next about one name: a pure function of what is known and the time.

use std::time::Duration;

use acme_client::{Error, ErrorKind};
use acme_messages::{ProblemType, Timestamp};

use crate::{
    RenewalPolicy,
    policy::{after, lifetime},
};

/// The pauses after the first failures of a name; the last one goes on.
pub(crate) const BACKOFF: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(100 * 60),
    Duration::from_secs(24 * 60 * 60),
];

/// Where in [`BACKOFF`] a failure starts that nothing but a person can mend,
/// or that has spent what CAs count.
const PERMANENT_FROM: usize = 2;

/// The longest wait that a CA may ask for: one that says more has miscounted.
const MAX_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// What is left of a certificate's life is worth this many attempts, or more.
const ATTEMPTS_LEFT: u32 = 8;

/// The shortest pause of a name that fails and fails: CAs allow five failures an hour.
const SUSTAINED: Duration = Duration::from_secs(12 * 60);

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

/// No attempt by the clock for a span, whatever else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Floor {
    since: Timestamp,
    span: Duration,
}

impl Floor {
    fn end(self) -> Timestamp {
        after(self.since, self.span)
    }

    fn holds(self, now: Timestamp) -> bool {
        Duration::try_from(now.duration_since(self.since)).is_ok_and(|past| past < self.span)
            || now < self.since
    }
}

/// What is known of a name.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    holding: Holding,
    /// How many attempts in a row failed.
    pub(crate) failures: u32,
    floor: Option<Floor>,
}

/// What to do about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Get a certificate now.
    Issue {
        /// There is none that can be served.
        urgent: bool,
        /// When it fell due.
        since: Timestamp,
    },
    /// Nothing before this moment.
    Wait(Timestamp),
}

impl Record {
    pub(crate) const fn new(holding: Holding) -> Self {
        Self {
            holding,
            failures: 0,
            floor: None,
        }
    }

    /// Notes that somebody changed what the store holds. Failures are forgotten;
    /// a pause is shortened, but for the first: a store that keeps changing is
    /// no reason for an order each time.
    pub(crate) fn changed(&mut self, holding: Holding) {
        self.holding = holding;
        self.failures = 0;
        if let Some(floor) = &mut self.floor {
            floor.span = floor.span.min(BACKOFF[0]);
        }
    }

    /// Notes that the clock was set back: no pause began in the future.
    pub(crate) fn clock_went_back(&mut self, now: Timestamp) {
        if let Some(floor) = &mut self.floor {
            floor.since = floor.since.min(now);
        }
    }

    /// When what can be served ends.
    pub(crate) const fn end(&self) -> Option<Timestamp> {
        match self.holding {
            Holding::Nothing => None,
            Holding::Certificate { not_after, .. } => Some(not_after),
        }
    }

    /// Whether there is nothing that a client would accept.
    pub(crate) fn is_urgent(&self, now: Timestamp) -> bool {
        self.end().is_none_or(|end| end < now)
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
            Holding::Nothing => Timestamp::MIN,
            Holding::Certificate {
                not_before,
                not_after,
            } => policy.renew_at(not_before, not_after),
        };
        match self.floor {
            Some(floor) if floor.holds(now) => Decision::Wait(due.max(floor.end())),
            _ if due > now => Decision::Wait(due),
            floor => Decision::Issue {
                urgent: self.is_urgent(now),
                since: floor.map_or(due, |it| due.max(it.end())),
            },
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
        self.floor = Some(Floor {
            since: now,
            span: lifetime(not_before, not_after) / YOUNGEST_RENEWAL,
        });
    }

    /// Notes that an attempt failed, and when the next one may be.
    pub(crate) fn failed(&mut self, now: Timestamp, error: Option<&Error>) -> Timestamp {
        let first = match error {
            Some(error) if is_permanent(error) => PERMANENT_FROM,
            _ => 0,
        };
        let place = usize::try_from(self.failures).unwrap_or(BACKOFF.len());
        let place = place.saturating_add(first).min(BACKOFF.len() - 1);
        let asked = error.and_then(Error::retry_after).unwrap_or_default();
        let span = BACKOFF[place]
            .min(self.longest_pause(now))
            .max(asked.min(MAX_ASKED));
        self.failures = self.failures.saturating_add(1);
        let floor = Floor { since: now, span };
        self.floor = Some(floor);
        floor.end()
    }

    /// What a short life leaves time for.
    fn longest_pause(&self, now: Timestamp) -> Duration {
        let longest = BACKOFF[BACKOFF.len() - 1];
        match self.holding {
            Holding::Nothing => longest,
            Holding::Certificate {
                not_before,
                not_after,
            } => {
                let left = Duration::try_from(not_after.duration_since(now));
                let left = left.unwrap_or_else(|_| lifetime(not_before, not_after));
                (left / ATTEMPTS_LEFT).clamp(SUSTAINED, longest)
            }
        }
    }
}

/// Whether the same attempt would fail the same way until a person does
/// something, or has cost a certificate that CAs count.
fn is_permanent(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::InvalidChain
        | ErrorKind::InvalidUrl
        | ErrorKind::NoSupportedChallenge
        | ErrorKind::NotOffered
        | ErrorKind::Request
        | ErrorKind::TermsNotAgreed
        | ErrorKind::UnknownProfile => true,
        ErrorKind::Problem => match error.problem().map(|it| &it.kind) {
            // Without a time to come back at, a person must act.
            Some(ProblemType::RateLimited) => error.retry_after().is_none(),
            kind => matches!(
                kind,
                Some(
                    ProblemType::Caa
                        | ProblemType::ExternalAccountRequired
                        | ProblemType::InvalidContact
                        | ProblemType::InvalidProfile
                        | ProblemType::Malformed
                        | ProblemType::RejectedIdentifier
                        | ProblemType::Unauthorized
                        | ProblemType::UnsupportedContact
                        | ProblemType::UnsupportedIdentifier
                        | ProblemType::UserActionRequired
                )
            ),
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests;
