//! When a request is sent again, and after what pause.

use std::time::Duration;

use crate::{Client, Error, ErrorKind};

/// How often a request that changes nothing is sent in all.
const MAX_ATTEMPTS: u32 = 3;

/// The pause after the first failure; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause inside one call; whoever must wait longer is told so.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// How often a request was tried.
#[derive(Debug, Default)]
pub(crate) struct Attempts(u32);

/// Waits before the next attempt, or gives the error back when there is none.
///
/// Only the network's and the server's own troubles are worth another attempt.
pub(crate) async fn pause(
    client: &Client,
    attempts: &mut Attempts,
    error: Error,
) -> Result<(), Error> {
    let passing = matches!(error.kind(), ErrorKind::Transport) || error.status() >= Some(500);
    if !passing {
        return Err(error);
    }
    again(client, attempts, error).await
}

/// As [`pause`], for an error that is known to pass.
pub(crate) async fn again(
    client: &Client,
    attempts: &mut Attempts,
    error: Error,
) -> Result<(), Error> {
    attempts.0 += 1;
    if attempts.0 >= MAX_ATTEMPTS {
        return Err(error);
    }
    let backoff = FIRST_PAUSE * 2u32.pow(attempts.0 - 1);
    let pause = error.retry_after().unwrap_or_default().max(jitter(backoff));
    if pause > MAX_PAUSE {
        return Err(error);
    }
    tracing::debug!(%error, ?pause, "trying again");
    client.clock().sleep(pause).await;
    Ok(())
}

/// Between half and the whole of a span, at random: clients that fail together
/// do not come back together.
fn jitter(span: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness the pause is the longest one.
    let part = getrandom::fill(&mut byte).map_or(255, |()| u32::from(byte[0]));
    span / 2 + span / 2 * part / 255
}
