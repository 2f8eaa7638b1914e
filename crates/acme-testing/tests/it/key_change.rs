//! Account key rollover: the CA's nine checks (RFC 8555, section 7.3.5).

use acme_testing::messages::{
    ProblemType,
    jose::{
        FlattenedJws, KeyType, Nonce, PrivateKey, ProtectedHeader, Signer, base64url, key_change,
    },
};
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    world::{World, builder},
};

fn fresh() -> PrivateKey {
    PrivateKey::generate(KeyType::EcdsaP256).unwrap()
}

/// An inner JWS of any header and payload, signed by `key`.
fn inner(key: &PrivateKey, header: &ProtectedHeader, payload: &Value) -> Vec<u8> {
    FlattenedJws::sign(key, header.clone(), payload.to_string().as_bytes())
        .unwrap()
        .to_json()
}

async fn send(client: &mut Client, inner: &[u8]) -> Answer {
    let url = client.directory.key_change.clone().unwrap();
    let header = client.header(&url).await;
    client.post_with(&url, &header, inner).await
}

async fn roll(client: &mut Client, new: &PrivateKey) -> Answer {
    let url = client.directory.key_change.clone().unwrap();
    let old = client.key.public_jwk().clone();
    let unsigned = key_change::unsigned(&url, &client.kid, &old, new.public_jwk());
    let signature = new.sign(unsigned.signing_input()).unwrap();
    let inner = unsigned.assemble(&signature).to_json();
    send(client, &inner).await
}

#[tokio::test]
async fn the_new_key_takes_the_place_of_the_old() {
    let mut world = World::new().await;
    let (order_url, _) = world.ready_order(&["example.com"]).await;
    let new = fresh();
    roll(&mut world.client, &new).await.expect(200);

    let old = std::mem::replace(&mut world.client.key, new);
    // Orders stay the account's.
    world.client.fetch(&order_url).await.expect(200);
    let found = world
        .client
        .new_account(json!({ "onlyReturnExisting": true }))
        .await;
    assert_eq!(found.expect(200).location(), world.client.kid);
    // The old key is nobody's now.
    world.client.key = old;
    let answer = world.client.fetch(&order_url).await;
    answer.expect_problem(400, ProblemType::Malformed);
    let answer = world
        .client
        .new_account(json!({ "onlyReturnExisting": true }))
        .await;
    answer.expect_problem(400, ProblemType::AccountDoesNotExist);
}

#[tokio::test]
async fn what_is_amiss_inside_is_refused() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let url = client.directory.key_change.clone().unwrap();
    let new = fresh();
    let old = serde_json::to_value(client.key.public_jwk()).unwrap();
    let change = json!({ "account": client.kid, "oldKey": old });
    let header = |key: &PrivateKey| ProtectedHeader::with_jwk(key.public_jwk().clone(), &url);

    // The inner JWS is well formed.
    let answer = send(&mut client, b"{}").await;
    answer.expect_problem(400, ProblemType::Malformed);
    // It has `jwk`, and neither `kid` nor `nonce`.
    let with_kid = ProtectedHeader::with_kid(new.algorithm(), &client.kid, &url);
    let answer = send(&mut client, &inner(&new, &with_kid, &change)).await;
    answer.expect_problem(400, ProblemType::Malformed);
    let nonce: Nonce = "AAAA".parse().unwrap();
    let with_nonce = header(&new).nonce(nonce);
    let answer = send(&mut client, &inner(&new, &with_nonce, &change)).await;
    answer.expect_problem(400, ProblemType::Malformed);
    // It verifies with that key.
    let forged = inner(&fresh(), &header(&new), &change);
    let answer = send(&mut client, &forged).await;
    answer.expect_problem(400, ProblemType::Malformed);
    // Its payload is a key change.
    for payload in [
        json!({}),
        json!({ "account": client.kid }),
        json!({ "oldKey": old }),
    ] {
        let answer = send(&mut client, &inner(&new, &header(&new), &payload)).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
    // Both are for the same URL.
    let other = client.directory.new_order.clone();
    let elsewhere = ProtectedHeader::with_jwk(new.public_jwk().clone(), other);
    let answer = send(&mut client, &inner(&new, &elsewhere, &change)).await;
    answer.expect_problem(400, ProblemType::Malformed);
    // It names the account that signs outside, and its key.
    let mut wrong = change.clone();
    wrong["account"] = json!(format!("{}x", client.kid));
    let answer = send(&mut client, &inner(&new, &header(&new), &wrong)).await;
    answer.expect_problem(400, ProblemType::Malformed);
    let mut wrong = change.clone();
    wrong["oldKey"] = serde_json::to_value(fresh().public_jwk()).unwrap();
    let answer = send(&mut client, &inner(&new, &header(&new), &wrong)).await;
    answer.expect_problem(400, ProblemType::Malformed);

    // And so it is taken.
    let answer = send(&mut client, &inner(&new, &header(&new), &change)).await;
    answer.expect(200);
}

#[tokio::test]
async fn a_key_in_use_tells_whose_it_is() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let other = Client::register(&ca).await;
    let answer = roll(&mut client, &other.key).await;
    answer.expect_problem(409, ProblemType::Malformed);
    assert_eq!(answer.location(), other.kid);
    // The account's own key is an account's too.
    let own = PrivateKey::from_pem(client.key.to_pkcs8_pem().unwrap().as_bytes()).unwrap();
    let answer = roll(&mut client, &own).await;
    assert_eq!(answer.expect(409).location(), client.kid);
}

#[tokio::test]
async fn a_closed_account_keeps_its_key() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let kid = client.kid.clone();
    client
        .post(&kid, json!({ "status": "deactivated" }))
        .await
        .expect(200);
    let answer = roll(&mut client, &fresh()).await;
    answer.expect_problem(401, ProblemType::Unauthorized);
}

#[tokio::test]
async fn a_ca_may_know_no_key_change() {
    let ca = builder()
        .configure(|it| it.accounts.key_change = false)
        .start()
        .await
        .unwrap();
    let client = Client::register(&ca).await;
    assert_eq!(client.directory.key_change, None);
}

#[tokio::test]
async fn the_new_key_must_be_a_good_one() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let url = client.directory.key_change.clone().unwrap();
    let weak = json!({ "kty": "RSA", "n": base64url::encode([0xff; 128]), "e": "AQAB" });
    for (alg, jwk, expected) in [
        ("ES256", weak, ProblemType::BadPublicKey),
        (
            "HS256",
            json!({ "kty": "oct" }),
            ProblemType::BadSignatureAlgorithm,
        ),
    ] {
        let header = json!({ "alg": alg, "jwk": jwk, "url": url });
        let inner = json!({
            "protected": base64url::encode(header.to_string()), "payload": "", "signature": "AAAA",
        });
        let answer = send(&mut client, inner.to_string().as_bytes()).await;
        answer.expect_problem(400, expected);
    }
}
