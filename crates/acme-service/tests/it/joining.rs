//! Issuing on demand: who asks for what is under way joins it.

use acme_service::IssueError;
use acme_testing::FakeOutcome;
use futures_util::future::join_all;

use crate::{
    doubles::unreachable_ca,
    world::{DAY, World, name, settle, within},
};

// V16: unconditional, also for a name that is not in the store.
#[tokio::test]
async fn issues_a_name_that_is_not_in_the_store() {
    let world = World::new();
    let service = world.start();
    let bundle = within(service.handle.issue(&name("a.example")))
        .await
        .unwrap();
    assert_eq!(world.stored("a.example").await.unwrap(), bundle);
}

#[tokio::test]
async fn issues_what_is_not_due() {
    let world = World::new();
    let old = world.bundle("a.example", 80 * DAY);
    world.put("a.example", &old).await;
    let service = world.start();
    let new = within(service.handle.issue(&name("a.example")))
        .await
        .unwrap();
    assert_ne!(new, old);
    assert_eq!(world.stored("a.example").await.unwrap(), new);
}

// V17: success and failure reach all who wait, from one order.
#[tokio::test]
async fn one_order_per_name() {
    for fails in [false, true] {
        let world = World::new();
        world.authority.gate().pause();
        if fails {
            world.authority.fail_next(unreachable_ca());
        }
        let service = world.start();
        // Spellings of one name are one name.
        let names = ["a.example", "A.Example"].map(name).into_iter().cycle();
        let calls = names.take(10).map(|name| {
            let handle = service.handle.clone();
            async move { handle.issue(&name).await }
        });
        let calls = tokio::spawn(join_all(calls));
        settle().await;
        world.authority.gate().resume();
        let results = within(calls).await.unwrap();
        assert_eq!(results.len(), 10);
        for result in &results {
            assert_eq!(result.is_err(), fails);
            assert_eq!(result.as_ref().ok(), results[0].as_ref().ok());
        }
        assert_eq!(world.orders(), 1);
    }
}

// V18: whoever asks for what the check is issuing joins it too.
#[tokio::test]
async fn asking_joins_what_the_check_began() {
    let world = World::new();
    world.request("a.example");
    world.authority.gate().pause();
    let service = world.start();
    settle().await;
    assert_eq!(world.orders(), 1);
    let handle = service.handle.clone();
    let call = tokio::spawn(async move { handle.issue(&name("a.example")).await });
    settle().await;
    world.authority.gate().resume();
    within(call).await.unwrap().unwrap();
    assert_eq!(world.orders(), 1);
}

// V19: in txacme, one that left took the others' work along.
#[tokio::test]
async fn one_waiter_leaving_harms_none() {
    let world = World::new();
    world.authority.gate().pause();
    let service = world.start();
    let call = || {
        let handle = service.handle.clone();
        tokio::spawn(async move { handle.issue(&name("a.example")).await })
    };
    let (leaving, staying) = (call(), call());
    settle().await;
    leaving.abort();
    settle().await;
    world.authority.gate().resume();
    within(staying).await.unwrap().unwrap();
    assert_eq!(world.orders(), 1);
}

#[tokio::test]
async fn when_all_have_left_the_certificate_is_stored_all_the_same() {
    let world = World::new();
    world.authority.gate().pause();
    let service = world.start();
    let handle = service.handle.clone();
    let call = tokio::spawn(async move { handle.issue(&name("a.example")).await });
    settle().await;
    call.abort();
    world.authority.gate().resume();
    settle().await;
    assert!(world.stored("a.example").await.is_some());
}

#[tokio::test]
async fn what_is_asked_for_is_bounded_too_and_goes_first() {
    let world = World::new();
    for at in 0..20 {
        world.request(&format!("blank{at:02}.example"));
    }
    world.authority.gate().pause();
    let service = world.start_with(|it| it.parallel(2));
    settle().await;
    let calls: Vec<_> = (0..10)
        .map(|at| {
            let handle = service.handle.clone();
            tokio::spawn(async move { handle.issue(&name(&format!("z{at}.example"))).await })
        })
        .collect();
    settle().await;
    world.authority.gate().resume();
    for call in calls {
        within(call).await.unwrap().unwrap();
    }
    within(service.handle.initial_check()).await.unwrap();
    assert_eq!(world.authority.most_at_once(), 2);
    assert!(world.ordered()[2..12].iter().all(|it| it.starts_with('z')));
}

#[tokio::test]
async fn a_failure_on_demand_is_told_and_not_repeated_for_a_name_nobody_keeps() {
    let world = World::new();
    world
        .authority
        .script(|_| FakeOutcome::Fail(unreachable_ca()));
    let service = world.start();
    let error = within(service.handle.issue(&name("a.example")))
        .await
        .unwrap_err();
    assert!(matches!(error, IssueError::Authority(_)), "{error:?}");
    world.pass(2 * DAY, crate::world::HOUR).await;
    assert_eq!(world.orders(), 1);
}
