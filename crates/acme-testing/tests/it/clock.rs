//! The manual clock.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use acme_testing::{ManualClock, messages::Clock};

fn clock() -> ManualClock {
    ManualClock::new("2026-11-23T00:00:00Z".parse().unwrap())
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn sleepers_wake_in_the_order_of_their_deadlines() {
    let clock = clock();
    let woken = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for seconds in [3, 1, 2] {
        let (sleep, woken) = (clock.sleep(SECOND * seconds), Arc::clone(&woken));
        tasks.push(tokio::spawn(async move {
            sleep.await;
            woken.lock().unwrap().push(seconds);
        }));
    }
    clock.wait_for_sleepers(3).await;
    tokio::task::yield_now().await;
    clock.advance(SECOND * 3);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*woken.lock().unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn only_those_wake_whose_deadline_has_come() {
    let clock = clock();
    let early = tokio::spawn(clock.sleep(SECOND));
    let late = clock.sleep(SECOND * 10);
    assert_eq!(clock.sleepers(), 2);
    assert_eq!(clock.advance_to_next(), Some(SECOND));
    early.await.unwrap();
    assert_eq!(clock.sleepers(), 1);
    drop(late);
    assert_eq!(clock.sleepers(), 0);
    assert_eq!(clock.advance_to_next(), None);
    clock.sleep(Duration::ZERO).await;
    let forever = clock.sleep(Duration::MAX);
    clock.advance(SECOND);
    assert_eq!(clock.sleepers(), 1);
    drop(forever);
}

#[tokio::test]
async fn setting_the_wall_clock_wakes_no_one() {
    let clock = clock();
    let before = clock.monotonic();
    let sleeper = tokio::spawn(clock.sleep(SECOND));
    clock.set_wall("2030-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(clock.sleepers(), 1);
    clock.set_wall("2020-01-01T00:00:00Z".parse().unwrap());
    clock.advance(SECOND);
    sleeper.await.unwrap();
    assert_eq!(clock.now(), "2020-01-01T00:00:01Z".parse().unwrap());
    assert_eq!(clock.monotonic() - before, SECOND);
}
