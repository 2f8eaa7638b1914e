//! The store changes, fails, and comes back.

use acme_service::{IssueError, messages::ProblemType};
use acme_testing::{FakeOutcome, Mishap, StoreOperation};

use crate::{
    doubles::{problem, unreachable_ca},
    world::{DAY, HOUR, MINUTE, World, name, settle, within},
};

// rustls-acme took a read error for an absent certificate.
#[tokio::test]
async fn read_error_is_not_absence() {
    let world = World::new();
    let old = world.bundle("a.example", 80 * DAY);
    world.put("a.example", &old).await;
    world.store.set(StoreOperation::Get, Some(Mishap::Fail));
    let service = world.start();
    settle().await;
    let error = within(service.handle.issue(&name("b.example")))
        .await
        .unwrap_err();
    assert!(matches!(error, IssueError::Store(_)), "{error:?}");
    world.pass(2 * DAY, HOUR).await;
    assert_eq!(world.orders(), 0);
}

// An order is not spent on what cannot be kept.
#[tokio::test]
async fn a_name_that_the_store_refuses_is_not_ordered() {
    let world = World::new();
    world.request("a.example");
    world.store.set_refused(name("a.example"), true);
    let service = world.start();
    let check = within(service.handle.initial_check()).await.unwrap();
    assert!(matches!(check.attempted[0].1, Err(IssueError::Store(_))));
    assert_eq!(world.orders(), 0);
}

#[tokio::test]
async fn what_could_not_be_stored_is_stored_later_without_a_new_order() {
    let world = World::new();
    world.request("a.example");
    world.store.set(StoreOperation::Put, Some(Mishap::Fail));
    let service = world.start();
    let check = within(service.handle.initial_check()).await.unwrap();
    assert!(matches!(check.attempted[0].1, Err(IssueError::Store(_))));
    world.store.set(StoreOperation::Put, None);
    world.pass(MINUTE, MINUTE).await;
    assert!(world.stored("a.example").await.is_some());
    assert_eq!(world.orders(), 1);
}

// Whatever else the store does meanwhile, the certificate is not lost.
#[tokio::test]
async fn what_could_not_be_stored_survives_every_other_failure() {
    let world = World::new();
    world.request("a.example");
    world.store.set(StoreOperation::Put, Some(Mishap::Fail));
    let _service = world.start();
    settle().await;
    world.store.set(StoreOperation::Get, Some(Mishap::Fail));
    world.pass(MINUTE, MINUTE).await;
    world.store.set(StoreOperation::Get, None);
    world.store.set(StoreOperation::Put, Some(Mishap::Panic));
    world.pass(10 * MINUTE, MINUTE).await;
    world.store.set(StoreOperation::Put, None);
    world.store.set(StoreOperation::Put, None);
    world.pass(DAY, MINUTE).await;
    assert!(world.stored("a.example").await.is_some());
    assert_eq!(world.orders(), 1);
}

// What was kept for the store does not replace what is newer, nor what has aged.
#[tokio::test]
async fn what_could_not_be_stored_never_makes_things_worse() {
    let world = World::new();
    world.request("a.example");
    world.store.set(StoreOperation::Put, Some(Mishap::Fail));
    let service = world.start();
    settle().await;
    world.clock.advance(HOUR);
    let newer = world.bundle("a.example", 90 * DAY);
    world.put("a.example", &newer).await;
    settle().await;
    world.store.set(StoreOperation::Put, None);
    let got = within(service.handle.issue(&name("a.example")))
        .await
        .unwrap();
    assert_eq!(world.stored("a.example").await.unwrap(), got);
    assert_eq!(world.orders(), 2, "what is older than theirs was dropped");
}

#[tokio::test]
async fn what_could_not_be_stored_for_too_long_is_ordered_anew() {
    let world = World::new();
    world.request("a.example");
    world.store.set(StoreOperation::Put, Some(Mishap::Fail));
    let _service = world.start();
    settle().await;
    world.pass(70 * DAY, HOUR).await;
    assert_eq!(world.orders(), 2, "once, and once more at its renewal");
    world.store.set(StoreOperation::Put, None);
    world.pass(DAY, HOUR).await;
    let leaf = world
        .stored("a.example")
        .await
        .unwrap()
        .chain()
        .leaf()
        .clone();
    assert!(leaf.not_after.duration_since(world.now()) > jiff::SignedDuration::from_hours(24 * 70));
}

// T31: no wait until the next check.
#[tokio::test]
async fn a_name_added_while_running_is_issued() {
    let world = World::new();
    let service = world.start();
    within(service.handle.initial_check()).await.unwrap();
    world.request("late.example");
    settle().await;
    assert!(world.stored("late.example").await.is_some());
}

// V33
#[tokio::test]
async fn a_name_removed_is_forgotten() {
    let world = World::new();
    world.request("a.example");
    world
        .authority
        .script(|_| FakeOutcome::Fail(unreachable_ca()));
    let _service = world.start();
    settle().await;
    assert_eq!(world.orders(), 1);
    world.memory.remove(&name("a.example"));
    settle().await;
    world.pass(3 * DAY, HOUR).await;
    assert_eq!(world.orders(), 1);
}

// Who removes a name while it is being issued wants it gone.
#[tokio::test]
async fn a_name_removed_while_it_is_issued_stays_removed() {
    for fails in [false, true] {
        let world = World::new();
        world.request("a.example");
        world.authority.gate().pause();
        let service = world.start_with(|it| it.check_interval(30 * DAY));
        settle().await;
        world.memory.remove(&name("a.example"));
        settle().await;
        world
            .store
            .set(StoreOperation::Put, fails.then_some(Mishap::Fail));
        world.authority.gate().resume();
        let check = within(service.handle.initial_check()).await.unwrap();
        assert!(
            check.attempted.iter().all(|(_, result)| result.is_err()),
            "{check:?}"
        );
        world.store.set(StoreOperation::Put, None);
        world.pass(10 * DAY, HOUR).await;
        assert_eq!(world.entry("a.example").await, None);
        assert_eq!(world.orders(), 1);
    }
}

#[tokio::test]
async fn an_external_renewal_is_noticed() {
    let world = World::new();
    world
        .put("a.example", &world.bundle("a.example", 31 * DAY))
        .await;
    let _service = world.start();
    settle().await;
    let theirs = world.bundle("a.example", 89 * DAY);
    world.put("a.example", &theirs).await;
    settle().await;
    world.pass(10 * DAY, HOUR).await;
    assert_eq!(world.orders(), 0);
    assert_eq!(world.stored("a.example").await.unwrap(), theirs);
}

// Somebody else was faster: theirs stays.
#[tokio::test]
async fn a_newer_certificate_is_not_overwritten() {
    let world = World::new();
    world.request("a.example");
    world.authority.gate().pause();
    let service = world.start();
    settle().await;
    let theirs = world.bundle("a.example", 90 * DAY);
    world.put("a.example", &theirs).await;
    world.authority.gate().resume();
    let check = within(service.handle.initial_check()).await.unwrap();
    assert!(check.is_ok());
    settle().await;
    assert_eq!(world.stored("a.example").await.unwrap(), theirs);
}

// A blank entry that is touched again and again is no order a time.
#[tokio::test]
async fn touching_an_entry_does_not_defeat_the_pause() {
    let world = World::new();
    world.request("a.example");
    world
        .authority
        .script(|_| FakeOutcome::Fail(problem(ProblemType::Connection)));
    let _service = world.start();
    settle().await;
    for _ in 0..20 {
        world.memory.remove(&name("a.example"));
        world.request("a.example");
        settle().await;
    }
    assert_eq!(world.orders(), 1);
    world.pass(MINUTE, MINUTE).await;
    assert_eq!(world.orders(), 2);
}

// txacme judged every certificate of the file.
#[tokio::test]
async fn expiring_intermediate_is_not_due() {
    let world = World::new();
    let name = name("a.example");
    let bundle = crate::old_chain::bundle(&name, world.now());
    let memory = &world.memory;
    let expected = acme_service::store::Expect::Absent;
    acme_service::store::CertificateStore::put(memory, &name, &bundle, expected)
        .await
        .unwrap();
    let service = world.start();
    assert!(
        within(service.handle.initial_check())
            .await
            .unwrap()
            .is_ok()
    );
    world.pass(5 * DAY, HOUR).await;
    assert_eq!(world.orders(), 0);
}
