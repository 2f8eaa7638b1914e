//! A clock on which waiting takes no time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use acme_client::SystemClock;
use acme_messages::{Clock, Timestamp, jose::BoxFuture};

/// Shows the system's time, and lets nobody wait: what sleeps up to a limit wakes at once, and
/// what sleeps longer, as deadlines do, never. It remembers the waits. Clones are one.
///
/// The waits that were spared are in neither of its times, which are the system's: a deadline
/// comes no sooner for them.
///
/// It suits what really talks to somebody and would only wait in between; what a test is to
/// see happen in time goes by a [`ManualClock`](crate::ManualClock).
///
/// ```
/// use std::time::Duration;
/// use acme_testing::{QuickClock, messages::Clock};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let clock = QuickClock::new(Duration::from_secs(10));
/// let deadline = clock.sleep(Duration::from_secs(30));
/// tokio::select! {
///     () = deadline => unreachable!("deadlines never come"),
///     () = clock.sleep(Duration::from_secs(10)) => {}
/// }
/// assert_eq!(clock.waits(), [Duration::from_secs(10)]);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct QuickClock {
    limit: Duration,
    wall: Arc<dyn Clock>,
    start: Instant,
    waits: Arc<Mutex<Vec<Duration>>>,
}

impl QuickClock {
    /// A clock on which waits of up to `limit` take no time, and others never end.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self {
            limit,
            wall: Arc::new(SystemClock),
            start: Instant::now(),
            waits: Arc::default(),
        }
    }

    /// Shows the time of another clock, such as a [`ManualClock`](crate::ManualClock) that a CA
    /// and its client are to agree on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use acme_testing::{ManualClock, QuickClock, messages::Clock};
    ///
    /// let manual = ManualClock::new("2026-11-23T00:00:00Z".parse()?);
    /// let clock = QuickClock::new(Duration::from_secs(10)).showing(manual.clone());
    /// manual.advance(Duration::from_secs(60));
    /// assert_eq!(clock.now(), "2026-11-23T00:01:00Z".parse()?);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn showing(mut self, wall: impl Clock) -> Self {
        self.wall = Arc::new(wall);
        self
    }

    /// The waits so far that took no time, in the order they began.
    #[must_use]
    pub fn waits(&self) -> Vec<Duration> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Duration>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for QuickClock {
    fn now(&self) -> Timestamp {
        self.wall.now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        if span > self.limit {
            return Box::pin(std::future::pending());
        }
        let waits = self.waits.clone();
        Box::pin(async move {
            waits
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(span);
            // The others run first, as they would in that time.
            tokio::task::yield_now().await;
        })
    }
}
