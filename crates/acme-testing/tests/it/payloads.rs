//! What payloads may be (RFC 8555, sections 6.2, 6.3 and 7.1).

use acme_testing::messages::{Account, AccountStatus, ProblemType};
use serde_json::{Value, json};

use crate::{
    client::Client,
    world::{World, builder, csr},
};

fn wish() -> Value {
    json!({ "type": "dns", "value": "example.com" })
}

#[tokio::test]
async fn unknown_members_are_passed_over_and_not_repeated() {
    let mut world = World::new().await;
    let with = |mut payload: Value| {
        payload["x-unknown"] = json!({ "deep": [1, 2, { "er": null }] });
        payload
    };
    let mut newcomer = Client::connect(&world.ca).await;
    let wanted = json!({ "termsOfServiceAgreed": true, "onlyReturnExisting": false });
    let created = newcomer.new_account(with(wanted)).await;
    let account: Value = created.expect(201).json();
    assert_eq!(account.get("x-unknown"), None);
    assert_eq!(account.get("onlyReturnExisting"), None);

    let (_, ready) = world.ready_order(&["example.com"]).await;
    let client = &mut world.client;
    let directory = client.directory.clone();
    let order = client
        .new_order(with(json!({ "identifiers": [wish()] })))
        .await;
    let order: Value = order.expect(201).json();
    assert_eq!(order.get("x-unknown"), None);
    let url = directory.new_authz.unwrap();
    let answer = client
        .post(&url, with(json!({ "identifier": wish() })))
        .await;
    answer.expect(201);
    let key = acme_testing::messages::jose::PrivateKey::generate(
        acme_testing::messages::jose::KeyType::EcdsaP256,
    );
    let csr = csr(&["example.com"], &key.unwrap());
    let answer = client
        .post(&ready.finalize, with(json!({ "csr": csr })))
        .await;
    answer.expect(200);
    let kid = client.kid.clone();
    client.post(&kid, with(json!({}))).await.expect(200);
    let chain = world.ca.issued()[0].chain.clone();
    let der = acme_testing::messages::jose::base64url::encode(&chain.as_der()[0]);
    let url = directory.revoke_cert.unwrap();
    let answer = client.post(&url, with(json!({ "certificate": der }))).await;
    answer.expect(200);
}

#[tokio::test]
async fn a_payload_is_an_object() {
    let mut world = World::new().await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let client = &mut world.client;
    let directory = client.directory.clone();
    let urls = [
        directory.new_order,
        directory.new_authz.unwrap(),
        directory.revoke_cert.unwrap(),
        directory.key_change.unwrap(),
        order.finalize,
        order.authorizations[0].clone(),
        client.kid.clone(),
    ];
    for url in urls {
        // An array of a structure's members is none, nor is what is no JSON.
        for payload in [
            "[]",
            "[[]]",
            "[\"\"]",
            "[null,null]",
            "null",
            "7",
            "\"\"",
            "{",
            "{}x",
        ] {
            let header = client.header(&url).await;
            let answer = client.post_with(&url, &header, payload.as_bytes()).await;
            answer.expect_problem(400, ProblemType::Malformed);
        }
    }
    for payload in [json!([]), json!([["mailto:a@example.com"], true, false])] {
        let answer = client.new_account(payload).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
}

#[tokio::test]
async fn what_acts_takes_no_fetch() {
    let mut world = World::new().await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let directory = world.client.directory.clone();
    for url in [
        directory.new_order,
        directory.new_authz.unwrap(),
        directory.revoke_cert.unwrap(),
        directory.key_change.unwrap(),
        order.finalize,
    ] {
        let answer = world.client.fetch(&url).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
}

#[tokio::test]
async fn what_is_only_looked_at_takes_no_payload_and_no_get() {
    let mut world = World::new().await;
    let (_, _, certificate) = world.issue(&["example.com"]).await;
    let (order_url, order) = world.client.order(&["example.com"]).await;
    let client = &mut world.client;
    let kid = client.kid.clone();
    let kind = acme_testing::messages::ChallengeType::Http01;
    let (challenge, _) = client.challenge(&order.authorizations[0], kind).await;
    let orders = format!("{kid}/orders");
    for url in [&certificate, &order_url, &orders] {
        let answer = client.post(url, json!({})).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
    let directory = client.directory.clone();
    let urls = [
        certificate,
        order_url,
        orders,
        kid,
        challenge.url,
        order.finalize,
        order.authorizations[0].clone(),
        directory.new_account,
        directory.new_order,
        directory.new_authz.unwrap(),
        directory.key_change.unwrap(),
        directory.revoke_cert.unwrap(),
    ];
    for url in urls {
        let answer = client.get(&url).await;
        answer.expect_problem(405, ProblemType::Malformed);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}

#[tokio::test]
async fn an_account_cannot_set_what_is_the_cas() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let kid = client.kid.clone();
    let before: Account = client.fetch(&kid).await.json();
    for status in ["valid", "revoked", "contemplating"] {
        let update = json!({
            "status": status,
            "orders": "https://elsewhere.example/",
            "termsOfServiceAgreed": false,
            "externalAccountBinding": { "protected": "", "payload": "", "signature": "" },
        });
        let answer = client.post(&kid, update).await;
        assert_eq!(answer.expect(200).json::<Account>(), before);
    }
    assert_eq!(before.status, AccountStatus::Valid);
}
