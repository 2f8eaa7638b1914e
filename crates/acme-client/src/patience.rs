//! The waits between looks at something that is on its way.

use std::time::Duration;

use crate::{Client, Error, order};

/// How much longer something is waited for. The pauses are counted, not the
/// clock read: a clock that jumps neither ends a wait nor prolongs it.
#[derive(Debug)]
pub(crate) struct Patience {
    left: Duration,
    interval: Duration,
}

impl Patience {
    /// Patience for as long as an order may take.
    pub(crate) const fn for_order() -> Self {
        Self {
            left: order::ORDER_DEADLINE,
            interval: order::FIRST_POLL_INTERVAL,
        }
    }

    /// Waits as long as was asked, or a little longer each time; `false` when
    /// patience is over.
    pub(crate) async fn wait(&mut self, client: &Client, asked: Option<Duration>) -> bool {
        let pause = match asked {
            Some(asked) => asked.max(order::MIN_POLL_INTERVAL),
            None => {
                let pause = self.interval;
                self.interval = (pause * 2).min(order::MAX_POLL_INTERVAL);
                pause
            }
        };
        let Some(left) = self.left.checked_sub(pause) else {
            return false;
        };
        self.left = left;
        client.clock().sleep(pause).await;
        true
    }

    /// Waits after an error that may pass, or gives it back.
    pub(crate) async fn endure(&mut self, client: &Client, error: Error) -> Result<(), Error> {
        if !error.is_transient() {
            return Err(error);
        }
        tracing::debug!(%error, "looking again");
        match self.wait(client, error.retry_after()).await {
            true => Ok(()),
            false => Err(error),
        }
    }
}
