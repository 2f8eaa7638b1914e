//! The end: a grace, then everything is given up and taken down.

use std::{sync::Arc, time::Duration};

use acme_service::{IssueError, ServiceStopped, messages::ChallengeType};
use acme_testing::{FakeOutcome, RecordingResponder};

use crate::world::{MINUTE, World, name, settle, within};

// V26: whoever waits is told, and the service can be started anew.
#[tokio::test]
async fn waiters_get_stopped() {
    let world = World::new();
    world.request("a.example");
    world.authority.script(|_| FakeOutcome::Hang);
    let service = world.start();
    let call = |text: &'static str| {
        let handle = service.handle.clone();
        tokio::spawn(async move { handle.issue(&name(text)).await })
    };
    let calls = [call("a.example"), call("b.example")];
    let handle = service.handle.clone();
    let ready = tokio::spawn(async move { handle.initial_check().await });
    settle().await;
    within(service.handle.shutdown(Duration::ZERO)).await;
    for call in calls {
        let result = within(call).await.unwrap();
        assert!(matches!(result, Err(IssueError::Stopped)), "{result:?}");
    }
    assert_eq!(within(ready).await.unwrap().unwrap_err(), ServiceStopped);
    assert!(service.handle.subscribe().is_err());
    let late = within(service.handle.issue(&name("c.example"))).await;
    assert!(matches!(late, Err(IssueError::Stopped)));

    world.authority.script(|_| FakeOutcome::Issue);
    let again = world.start();
    assert!(within(again.handle.initial_check()).await.unwrap().is_ok());
}

// V27: what is under way gets the grace, and what it brings is stored.
#[tokio::test]
async fn attempts_get_the_grace() {
    let world = World::new();
    world.request("a.example");
    world.request("b.example");
    world.authority.gate().pause();
    let service = world.start_with(|it| it.parallel(1));
    settle().await;
    let handle = service.handle.clone();
    let shutdown = tokio::spawn(async move { handle.shutdown(MINUTE).await });
    settle().await;
    assert!(!shutdown.is_finished());
    // A second one waits for the same end.
    let handle = service.handle.clone();
    let second = tokio::spawn(async move { handle.shutdown(Duration::ZERO).await });
    settle().await;
    assert!(!second.is_finished());
    world.authority.gate().resume();
    within(shutdown).await.unwrap();
    within(second).await.unwrap();
    assert!(world.stored("a.example").await.is_some());
    assert_eq!(world.orders(), 1, "nothing new was begun");
}

#[tokio::test]
async fn the_grace_ends() {
    let world = World::new();
    world.request("a.example");
    world.authority.script(|_| FakeOutcome::Hang);
    let service = world.start();
    settle().await;
    let handle = service.handle.clone();
    let shutdown = tokio::spawn(async move { handle.shutdown(MINUTE).await });
    settle().await;
    assert!(!shutdown.is_finished());
    world.clock.advance(MINUTE);
    within(shutdown).await.unwrap();
    assert_eq!(world.clock.sleepers(), 0, "nothing is left behind");
}

// V27: no token is left where the CA looks.
#[tokio::test]
async fn answers_are_down_when_shutdown_returns() {
    let world = World::with_ca(|ca| ca);
    let responder = Arc::new(RecordingResponder::new(ChallengeType::Http01));
    world.request("a.example");
    world.authority.script(|_| FakeOutcome::HangAfterProof);
    let service = world.start_with(|it| it.responder(responder.clone()));
    settle().await;
    assert_eq!(responder.under_way(), 1);
    within(service.handle.shutdown(Duration::ZERO)).await;
    assert_eq!(responder.under_way(), 0);
}

// Nobody need keep a handle.
#[tokio::test]
async fn the_service_works_without_a_handle() {
    let world = World::new();
    drop(world.start());
    settle().await;
    world.request("a.example");
    settle().await;
    assert!(world.stored("a.example").await.is_some());
}
