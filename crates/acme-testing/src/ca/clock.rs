//! The clock of a CA that was given none.

use std::time::Duration;

use acme_messages::{Clock, Timestamp, jose::BoxFuture};

/// Real time, on tokio's timer.
#[derive(Debug)]
pub(super) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}
