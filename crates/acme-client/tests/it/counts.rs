//! The fewest requests that the protocol allows.

use acme_testing::{Operation as Asked, ResponderCall};

use crate::world::{World, builder};

#[tokio::test]
async fn request_count_is_minimal() {
    let world = World::new().await;
    world.obtain(&["a.example"]).await.unwrap();
    let expected = [
        Asked::NewOrder,
        Asked::Authorization,
        Asked::Challenge,
        Asked::Order,
        Asked::Finalize,
        Asked::Certificate,
    ];
    assert_eq!(world.asked(), expected);
    // All on one connection, the account's included.
    assert!(world.ca.requests().iter().all(|it| it.connection == 1));
}

#[tokio::test]
async fn seven_when_the_ca_takes_a_moment() {
    let world = World::with(builder().processing_polls(1)).await;
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked().len(), 7);
    assert_eq!(world.asked_for(Asked::Order), 2);
}

#[tokio::test]
async fn three_names_take_no_more_than_eleven() {
    let world = World::new().await;
    let names = ["a.example", "b.example", "c.example"];
    world.obtain(&names).await.unwrap();
    // Requests side by side need a nonce each; the pool had one.
    let fresh = world.asked_for(Asked::NewNonce);
    assert!(fresh <= 2, "{:?}", world.asked());
    assert_eq!(world.asked().len(), 10 + fresh);
    // The second time they are at hand.
    world.obtain(&names).await.unwrap();
    assert_eq!(world.asked().len(), 10, "{:?}", world.asked());
    world.ca.configure(|it| it.issuance.processing_polls = 1);
    world.obtain(&names).await.unwrap();
    assert_eq!(world.asked().len(), 11, "{:?}", world.asked());
}

// What the transport carries is what the CA sees: nothing is sent aside or in vain.
#[tokio::test]
async fn the_transport_carries_nothing_else() {
    let world = World::new().await;
    world.obtain(&["a.example"]).await.unwrap();
    let before = world.transport.seen().len();
    world.obtain(&["a.example"]).await.unwrap();
    // The account is asked for once more by the test.
    assert_eq!(world.transport.seen().len() - before, 1 + 6);
}

// Authorizations that are valid already, and a CA that takes a moment to issue.
#[tokio::test]
async fn reused_authorizations_take_no_proof() {
    let world = World::with(builder().authorization_reuse(true).processing_polls(1)).await;
    world.obtain(&["a.example"]).await.unwrap();
    world.obtain(&["a.example"]).await.unwrap();
    let expected = [
        Asked::NewOrder,
        Asked::Finalize,
        Asked::Order,
        Asked::Certificate,
    ];
    assert_eq!(world.asked(), expected);
}

// One name of two is proved already: nothing is put up for it, and the CA is not told.
#[tokio::test]
async fn a_valid_authorization_is_only_looked_at() {
    let world = World::with(builder().authorization_reuse(true)).await;
    world.obtain(&["a.example"]).await.unwrap();
    let before = world.responder.calls().len();
    world.obtain(&["a.example", "b.example"]).await.unwrap();
    let calls = world.responder.calls().split_off(before);
    let names: Vec<_> = calls
        .iter()
        .map(|it| match it {
            ResponderCall::Start(it) | ResponderCall::Stop(it) => it.name().to_string(),
            _ => panic!("{it:?}"),
        })
        .collect();
    assert_eq!(names, ["b.example", "b.example"]);
    assert_eq!(world.asked_for(Asked::Authorization), 2);
    assert_eq!(world.asked_for(Asked::Challenge), 1);
}

#[tokio::test]
async fn a_ready_order_skips_its_authorizations() {
    let world = World::with(builder().authorization_reuse(true)).await;
    world.obtain(&["a.example"]).await.unwrap();
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(
        world.asked(),
        [Asked::NewOrder, Asked::Finalize, Asked::Certificate]
    );
}

// C2, C3: one GET, through the transport that was handed in; no nonce, no account.
#[tokio::test]
async fn the_directory_is_fetched_once() {
    let world = World::new().await;
    world.client.directory().await.unwrap();
    world.client.clone().directory().await.unwrap();
    assert_eq!(world.asked(), [Asked::Directory]);
}
