//! How often the CA is looked at while it works, and how long it may take.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use acme_messages::ProblemType;

use crate::{Client, Error};

/// How long the CA may take over all authorizations of an order, and over issuing.
pub const ORDER_DEADLINE: Duration = Duration::from_secs(300);

/// The wait before the first look at what the CA works on, where nothing is known of its pace;
/// the waits double from here.
pub const FIRST_POLL_INTERVAL: Duration = Duration::from_millis(2);

/// The longest wait between two looks, where the CA names none.
pub const MAX_POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The longest wait believed from a `Retry-After` between two looks: some CAs
/// say a day where they mean seconds.
pub const MAX_POLL_RETRY_AFTER: Duration = Duration::from_secs(60);

/// How long the CA is given to ask for an answer before its side is looked at for the first time.
pub const ASKED_WAIT: Duration = Duration::from_secs(1);

/// How long an order may be pending while its names are proved before one of its authorizations is
/// looked at too; each later look at one comes after twice the time. Few CAs take so long, and some
/// never say that the order has failed.
pub const DOUBT_AFTER: Duration = Duration::from_secs(10);

/// The shortest wait believed from a `Retry-After` between two looks; a shorter one, as a date that
/// is over by this machine's clock, is none.
const MIN_POLL_RETRY_AFTER: Duration = Duration::from_millis(100);

/// How often the CA is looked at while it works, and how long it may take.
///
/// A `Retry-After` is obeyed, up to [`MAX_POLL_RETRY_AFTER`].
/// Where there is none, or it asks for nothing, the first look comes when the CA was done the last
/// time, as far as this client has seen, and the waits between later looks double: a CA that is
/// fast is not waited for, and one that is slow is not pestered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pacing {
    /// The shortest wait; [`FIRST_POLL_INTERVAL`] by default.
    pub first: Duration,
    /// The longest wait; [`MAX_POLL_INTERVAL`] by default.
    pub longest: Duration,
    /// How long the CA is given to ask for an answer; [`ASKED_WAIT`] by default.
    pub asked: Duration,
    /// How long it may take over all authorizations of an order, and over issuing; after that the
    /// order is given up. [`ORDER_DEADLINE`] by default.
    pub deadline: Duration,
}

impl Default for Pacing {
    fn default() -> Self {
        Self {
            first: FIRST_POLL_INTERVAL,
            longest: MAX_POLL_INTERVAL,
            asked: ASKED_WAIT,
            deadline: ORDER_DEADLINE,
        }
    }
}

impl Pacing {
    /// The shortest and the longest wait between two looks.
    #[must_use]
    pub const fn intervals(mut self, first: Duration, longest: Duration) -> Self {
        self.first = first;
        self.longest = longest;
        self
    }

    /// How long the CA is given to ask for an answer.
    #[must_use]
    pub const fn asked(mut self, span: Duration) -> Self {
        self.asked = span;
        self
    }

    /// How long it may take over all authorizations of an order, and over issuing.
    #[must_use]
    pub const fn deadline(mut self, span: Duration) -> Self {
        self.deadline = span;
        self
    }
}

/// What the CA works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Validating, from the moment it asked for the answers.
    Asked,
    /// Validating, from the moment it was told; it did not ask.
    Told,
    /// Issuing.
    Issuing,
}

/// How long the CA took lately, by what it did; a hint, no more.
#[derive(Debug, Default)]
pub(crate) struct Experience {
    asked: AtomicU64,
    told: AtomicU64,
    issuing: AtomicU64,
}

impl Experience {
    fn of(&self, work: Work) -> &AtomicU64 {
        match work {
            Work::Asked => &self.asked,
            Work::Told => &self.told,
            Work::Issuing => &self.issuing,
        }
    }

    /// When the CA will be done, most likely; `None` when nothing is known.
    pub(crate) fn expected(&self, work: Work) -> Option<Duration> {
        let micros = self.of(work).load(Ordering::Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros))
    }

    /// It was done between these two moments.
    fn learn(&self, work: Work, after: Duration, before: Duration) {
        let middle = (after.saturating_add(before) / 2).as_micros().max(1);
        let micros = u64::try_from(middle).unwrap_or(u64::MAX);
        self.of(work).store(micros, Ordering::Relaxed);
    }
}

/// The waits between looks at something that is on its way. They are counted, and the time that
/// the looks take is measured by monotonic time: a wall clock that jumps neither ends the wait nor
/// prolongs it, and neither does a CA that lets each look wait for an answer.
#[derive(Debug)]
pub(crate) struct Patience {
    work: Work,
    pacing: Pacing,
    waited: Duration,
    /// When it began, by monotonic time.
    since: Duration,
    /// How long it had waited at the look before the last.
    before: Duration,
    looks: u32,
    next: Duration,
    /// When it is time to doubt what the CA says, or does not say.
    doubt: Duration,
    /// Whether a wait was the CA's: then only the first look tells of its pace.
    asked: bool,
    /// How often there was nothing where something should be.
    absences: u32,
}

impl Patience {
    pub(crate) fn new(client: &Client, work: Work) -> Self {
        let pacing = client.settings().pacing;
        let expected = client.experience().expected(work);
        let first = expected.unwrap_or(match work {
            Work::Told => pacing.asked,
            Work::Asked | Work::Issuing => pacing.first,
        });
        Self {
            work,
            pacing,
            waited: Duration::ZERO,
            since: client.clock().monotonic(),
            before: Duration::ZERO,
            looks: 0,
            next: first.min(pacing.longest).max(pacing.first),
            doubt: DOUBT_AFTER,
            asked: false,
            absences: 0,
        }
    }

    /// As if the first wait were over.
    pub(crate) fn after_first_wait(mut self) -> Self {
        self.count(self.next);
        self
    }

    /// How long the wait is before the first look.
    pub(crate) const fn first_wait(&self) -> Duration {
        self.next
    }

    /// Waits as long as was asked, or a little longer each time; `false` when
    /// patience is over.
    pub(crate) async fn wait(&mut self, client: &Client, asked: Option<Duration>) -> bool {
        let pause = match asked {
            Some(asked) if asked >= MIN_POLL_RETRY_AFTER => {
                self.asked = true;
                asked.min(MAX_POLL_RETRY_AFTER)
            }
            _ => self.next,
        };
        if self.spent(client).saturating_add(pause) > self.pacing.deadline {
            return false;
        }
        self.count(pause);
        client.clock().sleep(pause).await;
        true
    }

    /// The time so far, that of the looks included.
    fn spent(&self, client: &Client) -> Duration {
        let elapsed = client.clock().monotonic().saturating_sub(self.since);
        self.waited.max(elapsed)
    }

    /// Whether what was found pending has been so for long; ever more rarely.
    pub(crate) fn has_doubts(&mut self, client: &Client) -> bool {
        let spent = self.spent(client);
        let due = spent >= self.doubt;
        if due {
            self.doubt = self.doubt.saturating_mul(2);
        }
        due
    }

    fn count(&mut self, pause: Duration) {
        self.before = self.waited;
        self.waited += pause;
        self.next = match self.looks {
            0 => self.step(),
            _ => (self.next * 2).clamp(self.pacing.first, self.longest()),
        };
        self.looks += 1;
    }

    /// The longest wait, even where a caller has them the wrong way round.
    fn longest(&self) -> Duration {
        self.pacing.longest.max(self.pacing.first)
    }

    /// The wait after the first look: a part of what was waited so far.
    fn step(&self) -> Duration {
        (self.waited / 4).clamp(self.pacing.first, self.longest())
    }

    /// The last look found it done, or not: the next one should come at a better moment.
    pub(crate) fn learn(&self, client: &Client, done: bool) {
        let experience = client.experience();
        match (done, self.looks) {
            (_, 0) => {}
            // The first look came late enough: somewhat earlier may do.
            (true, 1) => experience.learn(self.work, self.waited / 2, self.waited),
            (true, _) if !self.asked => experience.learn(self.work, self.before, self.waited),
            (false, 1) => experience.learn(self.work, self.waited, self.waited * 2),
            _ => {}
        }
    }

    /// As [`endure`](Self::endure), and a few times after nothing was found, too.
    pub(crate) async fn endure_absence(
        &mut self,
        client: &Client,
        error: Error,
    ) -> Result<(), Error> {
        if !error.is_absence() || self.absences == MAX_ABSENCES {
            return self.endure(client, error).await;
        }
        self.absences += 1;
        tracing::debug!(%error, "looking again: it may not be known everywhere yet");
        let asked = error.retry_after().unwrap_or_default();
        match self.wait(client, Some(asked.max(MIN_ENDURE))).await {
            true => Ok(()),
            false => Err(error),
        }
    }

    /// Waits after an error that may pass, or gives it back.
    pub(crate) async fn endure(&mut self, client: &Client, error: Error) -> Result<(), Error> {
        // A limit that names no end wants a person, not another look.
        let endless = error.has_problem(&ProblemType::RateLimited) && error.retry_after().is_none();
        if endless || !error.is_transient() {
            return Err(error);
        }
        tracing::debug!(%error, "looking again");
        let asked = error.retry_after().unwrap_or_default();
        // What has failed is given a moment, whatever the CA's usual pace.
        let pause = asked.max(self.next).max(MIN_ENDURE);
        match self.wait(client, Some(pause)).await {
            true => Ok(()),
            false => Err(error),
        }
    }
}

/// The shortest wait after an error that may pass.
const MIN_ENDURE: Duration = Duration::from_millis(500);

/// How often nothing may be found of what the CA has made: its machines know of it within a second
/// or two, where they are well.
const MAX_ABSENCES: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experience_is_the_middle_and_never_nothing() {
        let experience = Experience::default();
        assert_eq!(experience.expected(Work::Asked), None);
        let (two, four) = (Duration::from_secs(2), Duration::from_secs(4));
        experience.learn(Work::Asked, two, four);
        assert_eq!(
            experience.expected(Work::Asked),
            Some(Duration::from_secs(3))
        );
        assert_eq!(experience.expected(Work::Told), None);
        experience.learn(Work::Told, Duration::ZERO, Duration::ZERO);
        assert!(experience.expected(Work::Told).is_some());
    }
}
