//! Accounts that were deactivated (RFC 8555, section 7.3.6).

use acme_testing::messages::{OrderStatus, ProblemType, jose::base64url};
use serde_json::json;

use crate::world::World;

async fn close(world: &mut World) {
    let kid = world.client.kid.clone();
    let closed = json!({ "status": "deactivated" });
    world.client.post(&kid, closed).await.expect(200);
}

#[tokio::test]
async fn nothing_of_it_is_shown_or_done_any_more() {
    let mut world = World::new().await;
    let (chain, _, certificate) = world.issue(&["example.com"]).await;
    let (ready_url, ready) = world.ready_order(&["example.com"]).await;
    let kind = acme_testing::messages::ChallengeType::Http01;
    let (_, pending) = world.client.order(&["a.example"]).await;
    let (challenge, _) = world
        .client
        .challenge(&pending.authorizations[0], kind)
        .await;
    close(&mut world).await;

    let client = &mut world.client;
    let directory = client.directory.clone();
    let kid = client.kid.clone();
    for url in [
        kid.clone(),
        format!("{kid}/orders"),
        ready_url,
        pending.authorizations[0].clone(),
        challenge.url.clone(),
        certificate,
        directory.new_nonce,
    ] {
        let answer = client.fetch(&url).await;
        answer.expect_problem(401, ProblemType::Unauthorized);
    }
    let name = json!({ "type": "dns", "value": "example.com" });
    let key = acme_testing::messages::jose::PrivateKey::generate(
        acme_testing::messages::jose::KeyType::EcdsaP256,
    );
    let csr = crate::world::csr(&["example.com"], &key.unwrap());
    let leaf = base64url::encode(&chain.as_der()[0]);
    for (url, payload) in [
        (kid, json!({ "status": "valid" })),
        (directory.new_order, json!({ "identifiers": [name] })),
        (directory.new_authz.unwrap(), json!({ "identifier": name })),
        (ready.finalize, json!({ "csr": csr })),
        (challenge.url, json!({})),
        (
            pending.authorizations[0].clone(),
            json!({ "status": "deactivated" }),
        ),
        (
            directory.revoke_cert.unwrap(),
            json!({ "certificate": leaf }),
        ),
    ] {
        let answer = client.post(&url, payload).await;
        answer.expect_problem(401, ProblemType::Unauthorized);
    }
    assert!(world.web.requests().len() < 3, "no challenge was looked at");
    assert_eq!(world.ca.issued().len(), 1);
    assert_eq!(world.ca.issued()[0].revocation, None);
}

#[tokio::test]
async fn its_open_orders_are_given_up_and_the_others_stay() {
    let mut world = World::new().await;
    world.issue(&["a.example"]).await;
    world.ready_order(&["b.example"]).await;
    world.client.order(&["c.example"]).await;
    close(&mut world).await;
    let statuses: Vec<_> = world.ca.orders().into_iter().map(|it| it.status).collect();
    assert_eq!(
        statuses,
        [
            OrderStatus::Valid,
            OrderStatus::Invalid,
            OrderStatus::Invalid
        ]
    );
}

#[tokio::test]
async fn its_certificates_key_still_revokes() {
    let mut world = World::new().await;
    let (chain, key, _) = world.issue(&["example.com"]).await;
    close(&mut world).await;
    let url = world.client.directory.revoke_cert.clone().unwrap();
    world.client.key = key;
    let header = world.client.jwk_header(&url).await;
    let payload = json!({ "certificate": base64url::encode(&chain.as_der()[0]) });
    let answer = world
        .client
        .post_with(&url, &header, payload.to_string().as_bytes())
        .await;
    answer.expect(200);
}
