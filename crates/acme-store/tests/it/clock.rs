//! Clocks that do what a test says.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use acme_store::{
    BoxFuture,
    messages::{Clock, Timestamp},
};

/// A clock that moves when a test says so.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestClock(Arc<Mutex<(Timestamp, Duration)>>);

impl TestClock {
    pub(crate) fn advance(&self, span: Duration) {
        let mut time = self.0.lock().unwrap();
        time.0 += span;
        time.1 += span;
    }

    /// What an operator does to a machine.
    pub(crate) fn set_wall(&self, now: Timestamp) {
        self.0.lock().unwrap().0 = now;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().1
    }

    /// Whoever waits looks again and again.
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::task::yield_now())
    }
}

/// The system's.
#[derive(Clone, Debug)]
pub(crate) struct RealClock(Instant);

impl RealClock {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}

/// A clock that stands still: whoever sleeps by it never wakes.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub(crate) struct Frozen;

#[cfg(target_os = "linux")]
impl Clock for Frozen {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// A clock on which no sleep takes any time, and which remembers them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Impatient(Arc<Mutex<Vec<Duration>>>);

impl Impatient {
    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

impl Clock for Impatient {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.sleeps().into_iter().sum()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        self.0.lock().unwrap().push(span);
        Box::pin(tokio::task::yield_now())
    }
}
