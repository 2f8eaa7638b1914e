//! When a request is sent again, and after what pause.

use std::time::Duration;

use acme_messages::{ProblemType, Timestamp};

use crate::{Client, Error, ErrorKind};

/// How a request is sent again after the network's and the CA's own troubles: with pauses drawn
/// between nothing and a bound that doubles, until the attempts or the time are over.
///
/// What is not known to be harmless a second time is sent again only if nothing of it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How often it is sent in all, `badNonce` not counted; at least 1.
    pub attempts: u32,
    /// The bound of the first pause; it doubles each time.
    pub first_pause: Duration,
    /// The longest pause, one that the CA asks for included: who must wait longer is told so.
    pub max_pause: Duration,
    /// After this span no new attempt begins.
    pub deadline: Duration,
}

impl Default for RetryPolicy {
    /// Three attempts in half a minute: a machine before the CA restarts in that time, and a person
    /// still waits.
    fn default() -> Self {
        Self {
            attempts: 3,
            first_pause: Duration::from_millis(500),
            max_pause: Duration::from_secs(5),
            deadline: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// Sends each request once.
    #[must_use]
    pub fn never() -> Self {
        Self {
            attempts: 1,
            ..Self::default()
        }
    }

    /// How often a request is sent in all.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// After which span no new attempt begins.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The longest pause before attempt `number`, the second being 1.
    fn bound(&self, number: u32) -> Duration {
        let doubled = 2u32.saturating_pow(number.saturating_sub(1));
        self.first_pause.saturating_mul(doubled).min(self.max_pause)
    }
}

/// How often a request was tried, and since when.
#[derive(Debug)]
pub(crate) struct Attempts {
    failed: u32,
    paused: Duration,
    since: Timestamp,
}

impl Attempts {
    pub(crate) fn new(client: &Client) -> Self {
        Self {
            failed: 0,
            paused: Duration::ZERO,
            since: client.clock().now(),
        }
    }

    /// Waits before the next attempt, or gives the error back when there is none.
    ///
    /// Only the network's and the server's own troubles are worth another attempt.
    pub(crate) async fn pause(&mut self, client: &Client, error: Error) -> Result<(), Error> {
        let limited = error.has_problem(&ProblemType::RateLimited) || error.status() == Some(429);
        let limited = limited && error.retry_after().is_some();
        let passing = matches!(error.kind(), ErrorKind::Transport | ErrorKind::Timeout)
            || error.status() >= Some(500)
            || limited;
        if !passing {
            return Err(error);
        }
        self.again(client, error).await
    }

    /// As [`pause`](Self::pause), for an error that is known to pass.
    pub(crate) async fn again(&mut self, client: &Client, error: Error) -> Result<(), Error> {
        let policy = client.retries();
        self.failed += 1;
        if self.failed >= policy.attempts {
            return Err(error);
        }
        let drawn = fraction(policy.bound(self.failed), client.randomness().draw());
        let pause = error.retry_after().unwrap_or_default().max(drawn);
        // The pauses are counted, so that a clock which is set back prolongs nothing.
        let elapsed = client.clock().now().duration_since(self.since);
        let elapsed = Duration::try_from(elapsed)
            .unwrap_or_default()
            .max(self.paused);
        if pause > policy.max_pause || elapsed.saturating_add(pause) > policy.deadline {
            return Err(error);
        }
        tracing::debug!(%error, ?pause, "trying again");
        self.paused += pause;
        client.clock().sleep(pause).await;
        Ok(())
    }
}

/// A part of a span: all of it for the largest number.
fn fraction(span: Duration, number: u64) -> Duration {
    span.mul_f64(number as f64 / u64::MAX as f64).min(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_double_up_to_their_limit() {
        let policy = RetryPolicy::default();
        let bounds: Vec<_> = (1..7).map(|it| policy.bound(it).as_millis()).collect();
        assert_eq!(bounds, [500, 1000, 2000, 4000, 5000, 5000]);
        assert_eq!(policy.bound(u32::MAX), policy.max_pause);
    }

    #[test]
    fn a_draw_covers_the_whole_span() {
        let second = Duration::from_secs(1);
        assert_eq!(fraction(second, 0), Duration::ZERO);
        assert_eq!(fraction(second, u64::MAX), second);
        let half = fraction(second, u64::MAX / 2).as_millis();
        assert!((499..=500).contains(&half), "{half}");
    }
}
