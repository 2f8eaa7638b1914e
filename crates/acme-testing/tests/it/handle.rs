//! What a test sees of the CA, and what it can hold up.

use acme_testing::{
    Operation,
    messages::{AuthorizationStatus, ChallengeType, OrderStatus, ProblemType},
};
use serde_json::json;

use crate::{
    client::Client,
    world::{World, builder, challenge_path},
};

#[tokio::test]
async fn a_request_is_recorded_whole() {
    let mut world = World::new().await;
    world.ca.clear_requests();
    let payload = json!({ "identifiers": [{ "type": "dns", "value": "example.com" }] });
    let answer = world.client.new_order(payload.clone()).await;
    let records = world.ca.requests();
    assert_eq!(records.len(), 2);
    let (nonce, order) = (&records[0], &records[1]);
    assert_eq!(nonce.operation, Operation::NewNonce);
    assert_eq!(nonce.account_url, None);
    assert_eq!(order.operation, Operation::NewOrder);
    assert_eq!(order.header("User-Agent"), Some("acme-testing-tests"));
    assert_eq!(order.header("content-type"), Some("application/jose+json"));
    assert_eq!(order.header("x-none"), None);
    assert_eq!(order.account_url.as_ref(), Some(&world.client.kid));
    assert_eq!(order.nonce, nonce.fresh_nonce);
    assert_eq!(order.payload, payload.to_string());
    assert_eq!(order.location, Some(answer.location()));
    assert_eq!(order.fresh_nonce.as_deref(), answer.header("replay-nonce"));
    assert_eq!(world.ca.count(Operation::NewOrder), 1);
    assert_eq!(world.ca.count(Operation::Finalize), 0);
}

#[tokio::test]
async fn nonces_are_counted() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    let before = ca.nonces();
    assert_eq!((before.given, before.spent, before.unspent), (0, 0, 0));
    let url = client.directory.new_account.clone();
    let header = client.jwk_header(&url).await;
    client.post_with(&url, &header, b"{}").await.expect(403);
    let again = client.post_with(&url, &header, b"{}").await;
    again.expect_problem(400, ProblemType::BadNonce);
    let counts = ca.nonces();
    assert_eq!(
        (counts.given, counts.spent, counts.refused, counts.unspent),
        (3, 1, 1, 2)
    );

    let header = client.jwk_header(&url).await;
    ca.forget_nonces();
    assert_eq!(ca.nonces().unspent, 0);
    let answer = client.post_with(&url, &header, b"{}").await;
    answer.expect_problem(400, ProblemType::BadNonce);
}

#[tokio::test]
async fn orders_are_shown_as_they_are_now() {
    let mut world = World::new().await;
    let (chain, _, url) = world.issue(&["a.example", "b.example"]).await;
    let (pending, _) = world.client.order(&["*.c.example"]).await;
    let orders = world.ca.orders();
    assert_eq!(orders.len(), 2);
    assert_eq!(orders[0].names, chain.leaf().names);
    assert_eq!(orders[0].status, OrderStatus::Valid);
    assert_eq!(orders[0].certificate_url, Some(url));
    assert_eq!(orders[0].account_url, world.client.kid);
    assert_eq!(orders[1].url, pending);
    assert_eq!(orders[1].names[0].to_string(), "*.c.example");
    assert_eq!(orders[1].status, OrderStatus::Pending);
    assert_eq!(orders[1].certificate_url, None);
    assert_eq!(orders[1].authorization_urls.len(), 1);
}

#[tokio::test]
async fn validations_can_be_held() {
    let mut world = World::with(builder().polls_wait(false)).await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let authorization = order.authorizations[0].clone();
    let (challenge, answer) = world
        .client
        .challenge(&authorization, ChallengeType::Http01)
        .await;
    let path = challenge_path(challenge.token.as_deref());
    world.web.serve(&path, answer.as_str());
    world.ca.hold_validations();
    world
        .client
        .post(&challenge.url, json!({}))
        .await
        .expect(200);
    for _ in 0..10 {
        let seen: acme_testing::messages::Authorization =
            world.client.fetch(&authorization).await.json();
        assert_eq!(seen.status, AuthorizationStatus::Pending);
    }
    assert!(world.web.requests().is_empty());

    world.ca.release_validations();
    world.ca.configure(|it| it.answers.polls_wait = true);
    let seen: acme_testing::messages::Authorization =
        world.client.fetch(&authorization).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Valid);
}

#[tokio::test]
async fn a_test_waits_for_requests() {
    let mut world = World::new().await;
    let ca = &world.ca;
    let asked = async {
        world.client.order(&["a.example"]).await;
        world.client.order(&["b.example"]).await;
    };
    tokio::join!(ca.wait_for(Operation::NewOrder, 2), asked);
    assert_eq!(ca.count(Operation::NewOrder), 2);
}
