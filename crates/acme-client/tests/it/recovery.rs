//! Lost answers and passing troubles: the order is not given up.

use std::time::Duration;

use acme_client::{
    ErrorKind, MAX_POLL_RETRY_AFTER, Operation,
    messages::{Problem, ProblemType},
};
use acme_testing::{Failure, Operation as Asked};

use crate::{
    transport::Meddle,
    world::{World, builder},
};

#[tokio::test]
async fn a_lost_finalize_answer_is_recovered_via_the_order() {
    let world = World::new().await;
    world.transport.once("finalize", Meddle::LoseAnswer);
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::Finalize), 1);
    assert_eq!(world.asked_for(Asked::NewOrder), 1);
    assert_eq!(world.ca.issued().len(), 1);
}

#[tokio::test]
async fn a_lost_finalize_is_sent_again() {
    let world = World::new().await;
    world.transport.once("finalize", Meddle::LoseRequest);
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::Finalize), 1);
    assert_eq!(world.asked_for(Asked::NewOrder), 1);
}

// C25.
#[tokio::test]
async fn an_order_that_is_not_ready_yet_is_finalized_later() {
    let world = World::new().await;
    let late = Problem::new(ProblemType::OrderNotReady, "a moment");
    world
        .ca
        .fail_next(Asked::Finalize, Failure::problem(403, late));
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::Finalize), 2);
    assert_eq!(world.asked_for(Asked::NewOrder), 1);
}

#[tokio::test]
async fn a_lost_challenge_answer_is_survived() {
    let world = World::new().await;
    world.transport.once("chall", Meddle::LoseAnswer);
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::NewOrder), 1);
}

// Pebble refuses to be told twice.
#[tokio::test]
async fn a_challenge_that_is_on_its_way_need_not_be_told_twice() {
    let world = World::new().await;
    let mut posts = 0;
    world.transport.rule(move |request| {
        if !request.uri().path().contains("chall") {
            return Meddle::Pass;
        }
        posts += 1;
        match posts {
            1 => Meddle::LoseAnswer,
            _ => Meddle::Answer(crate::transport::answer(
                400,
                "application/problem+json",
                r#"{"type":"urn:ietf:params:acme:error:malformed","detail":"not pending"}"#,
            )),
        }
    });
    world.obtain(&["a.example"]).await.unwrap();
}

// A newOrder whose answer is lost may have been placed: it is looked for, not placed twice.
#[tokio::test]
async fn a_lost_order_is_found_in_the_list() {
    let world = World::new().await;
    world.transport.once("new-order", Meddle::LoseAnswer);
    let issued = world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::NewOrder), 1);
    assert_eq!(world.ca.orders().len(), 1);
    assert_eq!(world.ca.issued().len(), 1);
    assert!(issued.order_url.starts_with("https://"));
}

#[tokio::test]
async fn a_lost_order_that_cannot_be_found_is_undecided() {
    // Let's Encrypt has no list; and an order that never arrived is in none.
    for (list, lost) in [(false, Meddle::LoseAnswer), (true, Meddle::LoseRequest)] {
        let builder = builder().configure(|it| it.accounts.orders_list = list);
        let world = World::with(builder).await;
        world.transport.once("new-order", lost);
        let error = world.obtain(&["a.example"]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Undecided);
        assert_eq!(error.operation(), Operation::NewOrder);
        assert!(error.is_transient());
        assert!(world.asked_for(Asked::NewOrder) <= 1);
        assert_eq!(world.ca.orders().len(), usize::from(!list));
    }
}

// Nothing of it was sent: no nonce is lost, and nothing can have been done.
#[tokio::test]
async fn an_order_that_was_not_sent_is_sent_again() {
    let world = World::new().await;
    world.transport.once("new-order", Meddle::NoConnection);
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::NewOrder), 1);
    assert_eq!(world.asked_for(Asked::NewNonce), 0, "the nonce was kept");
}

#[tokio::test]
async fn passing_troubles_do_not_cost_the_order() {
    let world = World::with(builder().processing_polls(1)).await;
    for _ in 0..5 {
        world.ca.fail_next(Asked::Order, 503);
        let busy = Problem::new(ProblemType::ServerInternal, "busy");
        let busy = Failure::problem(503, busy).retry_after(Duration::from_secs(10));
        world.ca.fail_next(Asked::Certificate, busy);
    }
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::NewOrder), 1);
    let waits = world.clock.waits();
    assert!(waits.contains(&Duration::from_secs(10)), "{waits:?}");
}

// Let's Encrypt's "paused" names no end: a person must act, and no look helps.
#[tokio::test]
async fn a_limit_without_an_end_is_not_waited_for() {
    let world = World::with(builder().processing_polls(1)).await;
    world
        .ca
        .inject(acme_testing::Fault::RateLimited(None).on(Asked::Certificate));
    let error = world.obtain(&["a.example"]).await.unwrap_err();
    assert!(error.has_problem(&ProblemType::RateLimited), "{error}");
    assert_eq!(world.asked_for(Asked::Certificate), 1);
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let world = World::with(
        builder()
            .processing_polls(3)
            .retry_after(Duration::from_secs(7)),
    )
    .await;
    world.obtain(&["a.example"]).await.unwrap();
    let waits = world.clock.waits();
    let asked = waits.iter().filter(|it| **it == Duration::from_secs(7));
    assert_eq!(asked.count(), 3, "{waits:?}");
}

// ZeroSSL says a day between two looks.
#[tokio::test]
async fn retry_after_between_looks_is_clamped() {
    let day = Duration::from_secs(24 * 60 * 60);
    let world = World::with(builder().processing_polls(2).retry_after(day)).await;
    world.obtain(&["a.example"]).await.unwrap();
    let waits = world.clock.waits();
    assert!(waits.contains(&MAX_POLL_RETRY_AFTER), "{waits:?}");
    assert!(!waits.contains(&day), "{waits:?}");
}

// It ends, however long the CA goes on.
#[tokio::test]
async fn an_order_that_never_ends_times_out() {
    let world = World::with(builder().processing_polls(u32::MAX)).await;
    let error = world.obtain(&["a.example"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("still processing"), "{error}");
    let waited: Duration = world.clock.waits().iter().sum();
    assert!(
        waited <= acme_client::ORDER_DEADLINE + Duration::from_secs(10),
        "{waited:?}"
    );
}
