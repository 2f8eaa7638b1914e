//! The one clock of these crates: a trait, so that a year passes in a test in a second.

use std::{fmt, sync::Arc, time::Duration};

use acme_jose::BoxFuture;
use jiff::Timestamp;

/// Tells the time and waits.
///
/// Nothing here reads a clock of its own; whoever waits is given one.
/// The wall clock and the waiting belong together so that a test moves both.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall clock's time.
    #[doc(alias = "clock_now")]
    fn now(&self) -> Timestamp;

    /// The time since a fixed moment of the clock's own choice: what deadlines are
    /// counted by.
    ///
    /// It never falls, and no step of the wall clock changes it. Readings of one
    /// clock can be subtracted from each other, those of two mean nothing to each
    /// other. It runs as [`sleep`](Self::sleep) does: whoever has slept for a span
    /// finds it grown by that span. As sleepers do, it may stand still while the
    /// machine is suspended; each clock says whether it does.
    #[doc(alias = "Instant")]
    fn monotonic(&self) -> Duration;

    /// Waits for a span; dropping the future ends the wait.
    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()>;
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(span)
    }
}

impl<T: Clock + ?Sized> Clock for Box<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(span)
    }
}
