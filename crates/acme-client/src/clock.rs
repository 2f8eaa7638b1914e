//! The system's clock on tokio's timer.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use acme_messages::{Clock, Timestamp, jose::BoxFuture};

/// What monotonic time is counted from.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Real time.
///
/// Its [`monotonic`](Clock::monotonic) time counts from the first reading in the
/// process and, like tokio's timer, stands still while a Linux machine is suspended.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        START.elapsed()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}
