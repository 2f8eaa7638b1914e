//! Nonces: on each answer to a POST, fresh, good once (RFC 8555, section 6.5).

use std::collections::HashSet;

use acme_testing::messages::{
    ProblemType,
    jose::{Nonce, base64url},
};
use http::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    world::builder,
};

/// Sends a body with this protected header, and a signature that is none.
async fn send_header(client: &mut Client, url: &str, header: Value) -> Answer {
    let protected = base64url::encode(header.to_string());
    let body = json!({ "protected": protected, "payload": "", "signature": "AAAA" });
    let body = body.to_string().into_bytes();
    client.send(Client::request(Method::POST, url, body)).await
}

#[tokio::test]
async fn each_answer_to_a_post_brings_a_fresh_one() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let kid = client.kid.clone();
    let new_order = client.directory.new_order.clone();
    let wish = json!({ "identifiers": [{ "type": "dns", "value": "example.com" }] });
    let answers = [
        client.fetch(&kid).await,
        client.new_order(wish).await,
        client.new_order(json!({})).await,
        client.fetch(&format!("{kid}x")).await,
        client.fetch(&format!("{kid}/x/y/z")).await,
        send_header(&mut client, &new_order, json!({})).await,
        client
            .send(Client::request(Method::POST, &new_order, b"?".to_vec()))
            .await,
        client
            .send(Client::request(
                Method::POST,
                &new_order,
                vec![b'?'; 60_000],
            ))
            .await,
    ];
    let statuses: Vec<_> = answers.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [200, 201, 400, 403, 404, 400, 400, 413]);
    let mut seen = HashSet::new();
    for answer in answers {
        let nonce = answer.header("replay-nonce").expect("there is a nonce");
        nonce.parse::<Nonce>().unwrap();
        assert!(seen.insert(nonce.to_owned()), "{nonce} came twice");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_get_brings_none_but_where_it_is_asked_for() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    let directory = client.get(&ca.directory_url()).await;
    assert_eq!(directory.header("replay-nonce"), None);
    let url = client.directory.new_nonce.clone();
    let answer = client.get(&url).await;
    assert!(answer.expect(204).header("replay-nonce").is_some());
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn a_header_that_is_not_taken_spends_its_nonce() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let kid = client.kid.clone();
    for change in [
        json!({ "alg": "HS256" }),
        json!({ "jwk": { "kty": "EC" } }),
        json!({ "crit": ["exp"] }),
        json!({ "url": null }),
    ] {
        let header = client.header(&kid).await;
        let nonce = header.nonce.as_ref().unwrap().as_str();
        let mut bad = json!({ "alg": "ES256", "kid": kid, "url": kid, "nonce": nonce });
        bad.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        send_header(&mut client, &kid, bad).await.expect(400);
        let answer = client.post_with(&kid, &header, b"").await;
        answer.expect_problem(400, ProblemType::BadNonce);
    }
}

#[tokio::test]
async fn whatever_else_is_wrong_the_nonce_is_spent() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let kid = client.kid.clone();
    // The wrong URL, an account that is none, a payload that is none.
    let elsewhere = client.header(&client.directory.new_order.clone()).await;
    let mut stranger = client.header(&kid).await;
    stranger.kid = Some(format!("{kid}x"));
    let plain = client.header(&kid).await;
    for (mut header, payload, status) in [
        (elsewhere, b"".as_slice(), 403),
        (stranger, b"", 400),
        (plain, b"[]", 400),
    ] {
        client
            .post_with(&kid, &header, payload)
            .await
            .expect(status);
        header.url.clone_from(&kid);
        header.kid = Some(kid.clone());
        let answer = client.post_with(&kid, &header, b"").await;
        answer.expect_problem(400, ProblemType::BadNonce);
    }
}
