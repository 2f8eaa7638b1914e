//! Clocks that jump.
use acme_testing::FakeOutcome;

use crate::{
    doubles::unreachable_ca,
    world::{DAY, HOUR, MINUTE, World, settle, within},
};

// Started with a clock far ahead, then set right: nothing waits for that future.
#[tokio::test]
async fn a_clock_set_back_delays_nothing() {
    let world = World::new();
    let right = world.now();
    world
        .clock
        .set_wall("2036-01-01T00:00:00Z".parse().unwrap());
    world.request("a.example");
    world
        .authority
        .script(|_| FakeOutcome::Fail(unreachable_ca()));
    let service = world.start();
    within(service.handle.initial_check()).await.unwrap();
    settle().await;
    world.clock.set_wall(right);
    world.authority.script(|_| FakeOutcome::Issue);
    world.pass(30 * MINUTE, MINUTE).await;
    assert!(world.stored("a.example").await.is_some());
}

#[tokio::test]
async fn a_clock_set_back_does_not_stop_the_checks() {
    let world = World::new();
    let right = world.now();
    world
        .clock
        .set_wall("2036-01-01T00:00:00Z".parse().unwrap());
    let mut service = world.start();
    settle().await;
    service.reported();
    world.clock.set_wall(right);
    world.pass(13 * HOUR, MINUTE).await;
    assert!(!service.reported().is_empty());
}

// A machine that slept: what fell due meanwhile is done soon after.
#[tokio::test]
async fn a_clock_set_ahead_is_noticed() {
    let world = World::new();
    world
        .put("a.example", &world.bundle("a.example", 60 * DAY))
        .await;
    let _service = world.start();
    settle().await;
    assert_eq!(world.orders(), 0);
    world.clock.set_wall(world.now() + 40 * DAY);
    world.pass(10 * MINUTE, MINUTE).await;
    assert_eq!(world.orders(), 1);
}

// The last year that a timestamp can tell is no reason to panic.
#[tokio::test]
async fn the_end_of_time_is_survived() {
    let world = World::new();
    world.clock.set_wall(acme_service::messages::Timestamp::MAX);
    world.request("a.example");
    world
        .authority
        .script(|_| FakeOutcome::Fail(unreachable_ca()));
    let service = world.start();
    assert!(
        !within(service.handle.initial_check())
            .await
            .unwrap()
            .is_ok()
    );
}
