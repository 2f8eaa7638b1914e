//! What is made once for all who need it.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, MutexGuard};

use crate::Error;

/// A value that it takes requests to make, by one at a time; those who wait meanwhile share what
/// comes of it, a failure too: else each would wait for all before it, and then fail as they did.
#[derive(Debug)]
pub(crate) struct Shared<T> {
    held: Mutex<Held<T>>,
    failures: AtomicU64,
}

#[derive(Debug)]
struct Held<T> {
    value: Option<T>,
    failure: Option<Error>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self::new(None)
    }
}

impl<T> Shared<T> {
    pub(crate) fn new(value: Option<T>) -> Self {
        let failure = None;
        Self {
            held: Mutex::new(Held { value, failure }),
            failures: AtomicU64::new(0),
        }
    }

    /// Waits until nobody else makes it.
    pub(crate) async fn turn(&self) -> Turn<'_, T> {
        let before = self.failures.load(Ordering::Acquire);
        let held = self.held.lock().await;
        Turn {
            held,
            failures: &self.failures,
            before,
        }
    }
}

/// The right to look at a shared value, and to make it.
#[derive(Debug)]
pub(crate) struct Turn<'a, T> {
    held: MutexGuard<'a, Held<T>>,
    failures: &'a AtomicU64,
    before: u64,
}

impl<T> Turn<'_, T> {
    pub(crate) fn value(&mut self) -> &mut Option<T> {
        &mut self.held.value
    }

    /// How another failed to make it while this one waited.
    pub(crate) fn missed_failure(&self) -> Option<Error> {
        let missed = self.failures.load(Ordering::Acquire) != self.before;
        let failure = self.held.failure.as_ref().filter(|_| missed);
        failure.map(Error::share)
    }

    /// Tells those who wait that it could not be made.
    pub(crate) fn fail(mut self, error: &Error) {
        self.held.failure = Some(error.share());
        self.failures.fetch_add(1, Ordering::Release);
    }
}
