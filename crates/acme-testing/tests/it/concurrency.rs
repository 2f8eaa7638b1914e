//! The same request from several connections at once: it happens once.

use std::collections::BTreeSet;

use acme_testing::{
    Operation,
    messages::{
        ChallengeType, Order, OrderStatus,
        jose::{KeyType, PrivateKey, Signer, key_change},
    },
};
use futures_util::future::join_all;
use serde_json::json;

use crate::{
    client::{Answer, Client},
    world::{World, builder, challenge_path, csr},
};

const WIDTH: usize = 8;

/// Clients of one account, each with a connection of its own.
async fn twins(world: &World) -> Vec<Client> {
    let mut twins = Vec::new();
    for _ in 0..WIDTH {
        twins.push(world.client.twin(&world.ca).await);
    }
    twins
}

/// The same signed request from all of them; returns the answers.
async fn all_post(twins: &mut [Client], url: &str, payload: &str) -> Vec<Answer> {
    let posts = twins.iter_mut().map(async |twin| {
        let header = twin.header(url).await;
        twin.post_with(url, &header, payload.as_bytes()).await
    });
    join_all(posts).await
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|it| it.status == status).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_order_is_finalized_once() {
    let mut world = World::new().await;
    let (url, order) = world.ready_order(&["example.com"]).await;
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let payload = json!({ "csr": csr(&["example.com"], &key) }).to_string();
    let mut twins = twins(&world).await;
    let answers = all_post(&mut twins, &order.finalize, &payload).await;
    assert_eq!(count(&answers, 200), 1);
    assert_eq!(count(&answers, 403), WIDTH - 1);
    assert_eq!(world.ca.issued().len(), 1);
    let order: Order = world.client.fetch(&url).await.json();
    assert_eq!(order.status, OrderStatus::Valid);
    assert_eq!(order.certificate, Some(world.ca.issued()[0].url.clone()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_makes_one_account() {
    let ca = builder().start().await.unwrap();
    let first = Client::connect(&ca).await;
    let mut clients = Vec::new();
    for _ in 0..WIDTH {
        clients.push(first.twin(&ca).await);
    }
    let agreed = json!({ "termsOfServiceAgreed": true });
    let asked = clients.iter_mut().map(|it| it.new_account(agreed.clone()));
    let answers = join_all(asked).await;
    assert_eq!(count(&answers, 201), 1);
    assert_eq!(count(&answers, 200), WIDTH - 1);
    let urls: BTreeSet<_> = answers.iter().map(Answer::location).collect();
    assert_eq!(urls.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_challenge_is_looked_at_once() {
    let mut world = World::new().await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let url = order.authorizations[0].clone();
    let (challenge, answer) = world.client.challenge(&url, ChallengeType::Http01).await;
    let path = challenge_path(challenge.token.as_deref());
    world.web.serve(&path, answer.as_str());
    let mut twins = twins(&world).await;
    let answers = all_post(&mut twins, &challenge.url, "{}").await;
    assert_eq!(count(&answers, 200), WIDTH);
    world.client.fetch(&url).await.expect(200);
    assert_eq!(world.web.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_nonce_serves_one_request() {
    let mut world = World::new().await;
    let kid = world.client.kid.clone();
    let header = world.client.header(&kid).await;
    let mut twins = twins(&world).await;
    let posts = twins
        .iter_mut()
        .map(|twin| twin.post_with(&kid, &header, b""));
    let answers = join_all(posts).await;
    assert_eq!(count(&answers, 200), 1);
    assert_eq!(count(&answers, 400), WIDTH - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_certificate_is_replaced_and_revoked_once() {
    let mut world = World::new().await;
    let (chain, ..) = world.issue(&["example.com"]).await;
    let mut twins = twins(&world).await;
    let replaces = chain.leaf().certificate_id().unwrap().to_string();
    let order = json!({
        "identifiers": [{ "type": "dns", "value": "example.com" }], "replaces": replaces,
    });
    let url = world.client.directory.new_order.clone();
    let answers = all_post(&mut twins, &url, &order.to_string()).await;
    assert_eq!(count(&answers, 201), 1);
    assert_eq!(count(&answers, 409), WIDTH - 1);

    let der = acme_testing::messages::jose::base64url::encode(&chain.as_der()[0]);
    let url = world.client.directory.revoke_cert.clone().unwrap();
    let payload = json!({ "certificate": der }).to_string();
    let answers = all_post(&mut twins, &url, &payload).await;
    assert_eq!(count(&answers, 200), 1);
    assert_eq!(count(&answers, 400), WIDTH - 1);
    assert_eq!(world.ca.count(Operation::RevokeCertificate), WIDTH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_takes_the_place_of_another_once() {
    let mut world = World::new().await;
    let url = world.client.directory.key_change.clone().unwrap();
    let new = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let old = world.client.key.public_jwk().clone();
    let inner = key_change::unsigned(&url, &world.client.kid, &old, new.public_jwk());
    let signature = new.sign(inner.signing_input()).unwrap();
    let inner = inner.assemble(&signature).to_json();
    let mut twins = twins(&world).await;
    let payload = String::from_utf8(inner).unwrap();
    let answers = all_post(&mut twins, &url, &payload).await;
    assert_eq!(count(&answers, 200), 1);
    // The rest came too late: the key is taken, or the old one signs no more.
    assert_eq!(count(&answers, 409) + count(&answers, 400), WIDTH - 1);
    let kid = world.client.kid.clone();
    world.client.key = new;
    world.client.fetch(&kid).await.expect(200);
}
