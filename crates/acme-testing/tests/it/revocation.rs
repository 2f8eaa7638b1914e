//! Revocation (RFC 8555, section 7.6).

use acme_testing::messages::{
    CertificateChain, ProblemType,
    jose::{FlattenedJws, KeyType, PrivateKey, ProtectedHeader, base64url},
};
use http::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    world::World,
};

fn payload(chain: &CertificateChain, reason: Option<u64>) -> Value {
    let mut payload = json!({ "certificate": base64url::encode(&chain.as_der()[0]) });
    if let Some(reason) = reason {
        payload["reason"] = json!(reason);
    }
    payload
}

/// Revokes with a key that stands in the request.
async fn revoke_with(client: &mut Client, key: &PrivateKey, payload: Value) -> Answer {
    let url = client.directory.revoke_cert.clone().unwrap();
    let header = ProtectedHeader::with_jwk(key.public_jwk().clone(), &url);
    let header = header.nonce(client.nonce().await);
    let body = payload.to_string();
    let body = FlattenedJws::sign(key, header, body.as_bytes())
        .unwrap()
        .to_json();
    client.send(Client::request(Method::POST, &url, body)).await
}

#[tokio::test]
async fn the_account_revokes_what_it_ordered() {
    let mut world = World::new().await;
    let (chain, ..) = world.issue(&["example.com"]).await;
    let url = world.client.directory.revoke_cert.clone().unwrap();
    for reason in [7, 11, 256] {
        let answer = world.client.post(&url, payload(&chain, Some(reason))).await;
        answer.expect_problem(400, ProblemType::BadRevocationReason);
    }
    let answer = world.client.post(&url, payload(&chain, Some(4))).await;
    assert!(answer.expect(200).body.is_empty());
    assert_eq!(world.ca.issued()[0].revocation, Some(4));
    let answer = world.client.post(&url, payload(&chain, None)).await;
    answer.expect_problem(400, ProblemType::AlreadyRevoked);
}

#[tokio::test]
async fn the_certificates_key_revokes_it() {
    let mut world = World::new().await;
    let (chain, key, _) = world.issue(&["example.com"]).await;
    let stranger = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let answer = revoke_with(&mut world.client, &stranger, payload(&chain, Some(1))).await;
    answer.expect_problem(403, ProblemType::Unauthorized);
    revoke_with(&mut world.client, &key, payload(&chain, Some(1)))
        .await
        .expect(200);
    assert_eq!(world.ca.issued()[0].revocation, Some(1));
}

#[tokio::test]
async fn whoever_controls_all_names_revokes() {
    let mut world = World::new().await;
    let (chain, ..) = world.issue(&["a.example", "b.example"]).await;
    let stranger = Client::register(&world.ca).await;
    let owner = std::mem::replace(&mut world.client, stranger);
    let url = owner.directory.revoke_cert.clone().unwrap();
    world.ready_order(&["a.example"]).await;
    let answer = world.client.post(&url, payload(&chain, None)).await;
    answer.expect_problem(403, ProblemType::Unauthorized);
    world.ready_order(&["b.example"]).await;
    world
        .client
        .post(&url, payload(&chain, None))
        .await
        .expect(200);
    assert_eq!(world.ca.issued()[0].revocation, Some(0));
}

#[tokio::test]
async fn only_what_was_issued_here_is_revoked() {
    let mut world = World::new().await;
    let mut other = World::new().await;
    let (chain, ..) = other.issue(&["example.com"]).await;
    let url = world.client.directory.revoke_cert.clone().unwrap();
    let answer = world.client.post(&url, payload(&chain, None)).await;
    answer.expect_problem(404, ProblemType::Malformed);
    let answer = world
        .client
        .post(&url, json!({ "certificate": "AA==" }))
        .await;
    answer.expect_problem(400, ProblemType::Malformed);
}

#[tokio::test]
async fn a_reason_is_one_of_the_list() {
    let mut world = World::new().await;
    let (chain, ..) = world.issue(&["example.com"]).await;
    let url = world.client.directory.revoke_cert.clone().unwrap();
    let mut wrong = payload(&chain, None);
    for reason in [-1, i64::from(u8::MAX), i64::MAX, 7, 11] {
        wrong["reason"] = json!(reason);
        let answer = world.client.post(&url, wrong.clone()).await;
        answer.expect_problem(400, ProblemType::BadRevocationReason);
    }
    for reason in [json!("1"), json!(1.5), json!([1])] {
        wrong["reason"] = reason;
        let answer = world.client.post(&url, wrong.clone()).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
    assert_eq!(world.ca.issued()[0].revocation, None);
    // Each that there is will do.
    for reason in [0, 1, 2, 3, 4, 5, 6, 8, 9, 10] {
        let (chain, ..) = world.issue(&["example.com"]).await;
        let answer = world.client.post(&url, payload(&chain, Some(reason))).await;
        answer.expect(200);
    }
}

/// Giving up the latest authorization leaves the earlier one as good as it was.
#[tokio::test]
async fn any_valid_authorization_counts() {
    let mut world = World::new().await;
    let (chain, ..) = world.issue(&["a.example"]).await;
    let stranger = Client::register(&world.ca).await;
    world.client = stranger;
    let url = world.client.directory.revoke_cert.clone().unwrap();
    world.ready_order(&["a.example"]).await;
    let (_, second) = world.ready_order(&["a.example"]).await;
    let give_up = json!({ "status": "deactivated" });
    let latest = &second.authorizations[0];
    world.client.post(latest, give_up).await.expect(200);
    let answer = world.client.post(&url, payload(&chain, None)).await;
    answer.expect(200);
}

#[tokio::test]
async fn revoked_is_revoked_whoever_asks() {
    let mut world = World::new().await;
    let (chain, key, _) = world.issue(&["example.com"]).await;
    let url = world.client.directory.revoke_cert.clone().unwrap();
    let answer = world.client.post(&url, payload(&chain, None)).await;
    answer.expect(200);
    let again = revoke_with(&mut world.client, &key, payload(&chain, Some(1))).await;
    again.expect_problem(400, ProblemType::AlreadyRevoked);
    assert_eq!(world.ca.issued()[0].revocation, Some(0));
    // The chain's other certificates are not for a client to revoke.
    let other = json!({ "certificate": base64url::encode(&chain.as_der()[1]) });
    let answer = world.client.post(&url, other).await;
    answer.expect_problem(404, ProblemType::Malformed);
}
