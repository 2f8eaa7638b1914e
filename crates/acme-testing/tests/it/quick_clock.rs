//! The clock on which waiting takes no time.

use std::time::Duration;

use acme_testing::{QuickClock, messages::Clock};
use futures_util::FutureExt;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn waits_up_to_the_limit_are_spared_and_longer_ones_never_end() {
    let clock = QuickClock::new(SECOND * 10);
    let before = clock.monotonic();
    let long = clock.sleep(SECOND * 11);
    clock.sleep(Duration::ZERO).await;
    clock.clone().sleep(SECOND * 10).await;
    assert!(long.now_or_never().is_none());
    assert_eq!(clock.waits(), [Duration::ZERO, SECOND * 10]);
    assert!(clock.monotonic() >= before, "it never falls");
    drop(clock.sleep(SECOND)); // Nobody waited.
    assert_eq!(clock.waits().len(), 2);
}
