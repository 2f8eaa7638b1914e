//! `initial_check`: whom it waits for, and that it always ends.

use acme_service::{IssueError, ServiceEvent};
use acme_testing::{FakeOutcome, Mishap, StoreOperation};

use crate::{
    doubles::{problem, unreachable_ca},
    world::{DAY, MINUTE, World, name, settle, within},
};
use acme_service::messages::ProblemType;

// V13
#[tokio::test]
async fn nothing_to_do_is_ready() {
    let world = World::new();
    within(world.start().handle.initial_check()).await.unwrap();
    world
        .put("a.example", &world.bundle("a.example", 80 * DAY))
        .await;
    let service = world.start();
    assert!(
        within(service.handle.initial_check())
            .await
            .unwrap()
            .is_ok()
    );
    assert_eq!(world.orders(), 0);
}

// V14: names with nothing to serve are waited for, expiring ones are not.
#[tokio::test]
async fn waits_for_what_cannot_be_served() {
    let world = World::new();
    world
        .put(
            "expiring.example",
            &world.bundle("expiring.example", 10 * DAY),
        )
        .await;
    world.request("blank.example");
    let expiring = name("expiring.example");
    world.authority.answer_name(expiring, FakeOutcome::Hang);
    world.authority.gate().pause();
    let service = world.start();
    settle().await;
    assert_eq!(world.orders(), 2);
    assert!(!service.is_ready());
    world.authority.gate().resume();
    let check = within(service.handle.initial_check()).await.unwrap();
    assert_eq!(check.attempted.len(), 1);
    assert_eq!(check.attempted[0].0, name("blank.example"));
    // Any number of waiters, and at once from then on.
    assert!(service.is_ready() && service.is_ready());
}

#[tokio::test]
async fn what_has_expired_is_waited_for() {
    let world = World::new();
    let old = world.bundle("a.example", DAY);
    world.put("a.example", &old).await;
    world.clock.advance(2 * DAY);
    world.authority.gate().pause();
    let service = world.start();
    settle().await;
    assert!(!service.is_ready());
    world.authority.gate().resume();
    assert!(
        within(service.handle.initial_check())
            .await
            .unwrap()
            .is_ok()
    );
}

// V15, V21, V22: txacme hung where registration failed or a hook raised.
#[tokio::test]
async fn readiness_never_hangs() {
    // A CA that refuses, one that is down, and one that panics.
    let acts: [fn() -> FakeOutcome; 3] = [
        || FakeOutcome::Fail(problem(ProblemType::Unauthorized)),
        || FakeOutcome::Fail(unreachable_ca()),
        || FakeOutcome::Panic,
    ];
    for act in acts {
        let world = World::new();
        world.request("a.example");
        world.authority.script(move |_| act());
        let check = within(world.start().handle.initial_check()).await.unwrap();
        assert!(!check.is_ok());
        assert!(check.attempted[0].1.is_err());
    }
}

#[tokio::test]
async fn readiness_survives_a_ca_that_says_nothing() {
    let world = World::new();
    world.request("a.example");
    world.authority.script(|_| FakeOutcome::Hang);
    let service = world.start();
    settle().await;
    assert!(!service.is_ready());
    world.pass(acme_service::ISSUE_DEADLINE, MINUTE).await;
    let check = within(service.handle.initial_check()).await.unwrap();
    assert!(matches!(check.attempted[0].1, Err(IssueError::TimedOut)));
}

#[tokio::test]
async fn readiness_survives_a_store_that_fails() {
    let world = World::new();
    world.request("a.example");
    world.store.set(StoreOperation::List, Some(Mishap::Fail));
    let mut service = world.start();
    let check = within(service.handle.initial_check()).await.unwrap();
    assert!(!check.is_ok() && check.store_error.is_some());
    let events = service.reported();
    assert!(
        matches!(events[0], ServiceEvent::StoreFailed { .. }),
        "{events:?}"
    );
    // The store is looked through again, and the name found.
    world.store.set(StoreOperation::List, None);
    world.pass(MINUTE, MINUTE).await;
    assert!(world.stored("a.example").await.is_some());
}

#[tokio::test]
async fn readiness_survives_a_store_that_hangs() {
    let world = World::new();
    world.store.set(StoreOperation::List, Some(Mishap::Hang));
    let service = world.start();
    settle().await;
    world.pass(2 * MINUTE, MINUTE).await;
    let check = within(service.handle.initial_check()).await.unwrap();
    assert!(check.store_error.is_some());
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_reported_and_read_again() {
    let world = World::new();
    world.request("a.example");
    world.store.set(StoreOperation::Get, Some(Mishap::Fail));
    let service = world.start();
    let check = within(service.handle.initial_check()).await.unwrap();
    assert!(check.store_error.is_some());
    world.store.set(StoreOperation::Get, None);
    world.pass(MINUTE, MINUTE).await;
    assert!(world.stored("a.example").await.is_some());
}

// A name that is waited for and goes away, or is served by somebody else meanwhile.
#[tokio::test]
async fn readiness_does_not_wait_for_what_nobody_will_try() {
    let world = World::new();
    for text in ["a.example", "gone.example", "served.example"] {
        world.request(text);
    }
    world.authority.gate().pause();
    let service = world.start_with(|it| it.parallel(1));
    settle().await;
    world.memory.remove(&name("gone.example"));
    world
        .put("served.example", &world.bundle("served.example", 80 * DAY))
        .await;
    settle().await;
    world.authority.gate().resume();
    let check = within(service.handle.initial_check()).await.unwrap();
    assert_eq!(check.attempted.len(), 1);
    assert_eq!(world.ordered(), ["a.example"]);
}
