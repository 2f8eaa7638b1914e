//! Whose ways the CA has where CAs differ: the table of `Style`.

use acme_testing::{
    ManualClock, Style,
    messages::{
        Order, ProblemType,
        jose::{KeyType, PrivateKey, Signer, base64url, key_change},
    },
};
use http::{HeaderValue, Method};
use serde_json::json;

use crate::{
    client::{Answer, Client},
    world::{World, builder, csr},
};

const ALL: [Style; 3] = [Style::Rfc8555, Style::Boulder, Style::Pebble];

async fn world(style: Style) -> World {
    World::with(builder().configure(|it| it.style = style)).await
}

fn fresh() -> PrivateKey {
    PrivateKey::generate(KeyType::EcdsaP256).unwrap()
}

/// The answer's status and its problem for each style, in the order of `ALL`.
#[track_caller]
fn check(at: usize, answer: &Answer, expected: [(u16, ProblemType); 3]) {
    let (status, kind) = expected[at].clone();
    answer.expect_problem(status, kind);
}

#[tokio::test]
async fn requests_that_are_amiss() {
    for (at, style) in ALL.into_iter().enumerate() {
        let mut world = world(style).await;
        let kid = world.client.kid.clone();
        let mut request = Client::request(Method::POST, &kid, b"{}".to_vec());
        let media_type = HeaderValue::from_static("application/json");
        request.headers_mut().insert("content-type", media_type);
        let answer = world.client.send(request).await;
        let malformed = ProblemType::Malformed;
        check(
            at,
            &answer,
            [
                (415, malformed.clone()),
                (400, malformed.clone()),
                (415, malformed.clone()),
            ],
        );

        let other = world.client.directory.new_order.clone();
        let header = world.client.header(&other).await;
        let answer = world.client.post_with(&kid, &header, b"").await;
        check(
            at,
            &answer,
            [
                (403, ProblemType::Unauthorized),
                (400, malformed.clone()),
                (400, malformed),
            ],
        );
    }
}

#[tokio::test]
async fn accounts_that_are_amiss() {
    for (at, style) in ALL.into_iter().enumerate() {
        let mut world = world(style).await;
        let mut newcomer = Client::connect(&world.ca).await;
        let answer = newcomer.new_account(json!({})).await;
        check(
            at,
            &answer,
            [
                (403, ProblemType::UserActionRequired),
                (400, ProblemType::Malformed),
                (403, ProblemType::UserActionRequired),
            ],
        );

        let kid = world.client.kid.clone();
        let answer = world.client.post(&kid, json!({})).await;
        match style {
            Style::Pebble => {
                answer.expect_problem(400, ProblemType::Malformed);
            }
            _ => {
                answer.expect(200);
            }
        }
        let closed = json!({ "status": "deactivated" });
        world.client.post(&kid, closed).await.expect(200);
        let expected = if style == Style::Rfc8555 { 401 } else { 403 };
        let answer = world.client.fetch(&kid).await;
        answer.expect_problem(expected, ProblemType::Unauthorized);
        let answer = world
            .client
            .new_account(json!({ "onlyReturnExisting": true }))
            .await;
        answer.expect_problem(expected, ProblemType::Unauthorized);
    }
}

#[tokio::test]
async fn signing_requests_that_are_amiss() {
    for (at, style) in ALL.into_iter().enumerate() {
        let mut world = world(style).await;
        let (url, order) = world.ready_order(&["example.com"]).await;
        let payload = json!({ "csr": csr(&["other.example"], &fresh()) });
        let answer = world.client.post(&order.finalize, payload).await;
        check(
            at,
            &answer,
            [
                (400, ProblemType::BadCsr),
                (403, ProblemType::Unauthorized),
                (403, ProblemType::Unauthorized),
            ],
        );
        let payload = json!({ "csr": base64url::encode(b"no DER at all") });
        let answer = world.client.post(&order.finalize, payload).await;
        check(
            at,
            &answer,
            [
                (400, ProblemType::BadCsr),
                (400, ProblemType::BadCsr),
                (400, ProblemType::Malformed),
            ],
        );
        let payload = json!({ "csr": csr(&["example.com"], &fresh()) });
        let answer = world.client.post(&order.finalize, payload).await;
        let location = answer.expect(200).header("location");
        assert_eq!(location.is_some(), style != Style::Pebble);
        let order: Order = world.client.fetch(&url).await.json();
        assert!(order.certificate.is_some());
    }
}

#[tokio::test]
async fn challenges_told_twice() {
    for style in ALL {
        let mut world = world(style).await;
        let (_, order) = world.client.order(&["example.com"]).await;
        let authorization = order.authorizations[0].clone();
        let kind = acme_testing::messages::ChallengeType::Http01;
        let (challenge, _) = world.client.challenge(&authorization, kind).await;
        world.prove_or_fail(&challenge.url).await;
        let answer = world.client.post(&challenge.url, json!({})).await;
        match style {
            Style::Pebble => {
                answer.expect_problem(400, ProblemType::Malformed);
            }
            _ => {
                answer.expect(200);
            }
        }
    }
}

#[tokio::test]
async fn reasons_to_revoke() {
    let mut world = world(Style::Boulder).await;
    let (chain, key, _) = world.issue(&["example.com"]).await;
    let url = world.client.directory.revoke_cert.clone().unwrap();
    let certificate = base64url::encode(&chain.as_der()[0]);
    let answer = world
        .client
        .post(&url, json!({ "certificate": certificate, "reason": 9 }))
        .await;
    answer.expect_problem(400, ProblemType::BadRevocationReason);
    let payload = json!({ "certificate": certificate, "reason": 4 });
    let own = std::mem::replace(&mut world.client.key, key);
    let header = world.client.jwk_header(&url).await;
    let answer = world
        .client
        .post_with(&url, &header, payload.to_string().as_bytes())
        .await;
    answer.expect(200);
    world.client.key = own;
    assert_eq!(
        world.ca.issued()[0].revocation,
        Some(1),
        "whoever has the key can sign"
    );
}

#[tokio::test]
async fn algorithms_that_it_cannot_verify() {
    for style in ALL {
        let mut world = world(style).await;
        let kid = world.client.kid.clone();
        let header = json!({ "alg": "HS256", "kid": kid, "url": kid, "nonce": "AAAA" });
        let protected = base64url::encode(header.to_string());
        let body = json!({ "protected": protected, "payload": "", "signature": "AAAA" });
        let body = body.to_string().into_bytes();
        let request = Client::request(Method::POST, &kid, body);
        let answer = world.client.send(request).await;
        let problem = answer.expect_problem(400, ProblemType::BadSignatureAlgorithm);
        assert_eq!(problem.algorithms.is_empty(), style == Style::Pebble);
    }
}

#[tokio::test]
async fn keys_in_use() {
    for style in ALL {
        let mut world = world(style).await;
        let other = Client::register(&world.ca).await;
        let url = world.client.directory.key_change.clone().unwrap();
        let own = world.client.key.public_jwk().clone();
        let kid = world.client.kid.clone();
        let inner = key_change::unsigned(&url, &kid, &own, other.key.public_jwk());
        let signature = other.key.sign(inner.signing_input()).unwrap();
        let inner = inner.assemble(&signature).to_json();
        let header = world.client.header(&url).await;
        let answer = world.client.post_with(&url, &header, &inner).await;
        assert_eq!(answer.expect(409).location(), other.kid);
        assert_eq!(answer.body.is_empty(), style == Style::Pebble);
    }
}

#[tokio::test]
async fn challenges_answered_wrongly() {
    for (at, style) in ALL.into_iter().enumerate() {
        let mut world = world(style).await;
        let (_, order) = world.client.order(&["example.com"]).await;
        let kind = acme_testing::messages::ChallengeType::Http01;
        let authorization = &order.authorizations[0];
        let (challenge, _) = world.client.challenge(authorization, kind).await;
        let path = crate::world::challenge_path(challenge.token.as_deref());
        world.web.serve(&path, "what?");
        world.client.post(&challenge.url, json!({})).await;
        let answer = world.client.fetch(&challenge.url).await;
        let seen: acme_testing::messages::Challenge = answer.expect(200).json();
        let expected = [
            ProblemType::IncorrectResponse,
            ProblemType::Unauthorized,
            ProblemType::Unauthorized,
        ];
        assert_eq!(seen.error.unwrap().kind, expected[at]);
    }
}

#[tokio::test]
async fn certificates_whose_time_is_over() {
    for style in ALL {
        let clock = ManualClock::new("2026-11-23T00:00:00Z".parse().unwrap());
        let builder = builder().clock(std::sync::Arc::new(clock.clone()));
        let mut world = World::with(builder.configure(|it| it.style = style)).await;
        let (chain, ..) = world.issue(&["example.com"]).await;
        clock.advance(std::time::Duration::from_secs(91 * 24 * 3600));
        let url = world.client.directory.revoke_cert.clone().unwrap();
        let payload = json!({ "certificate": base64url::encode(&chain.as_der()[0]) });
        let answer = world.client.post(&url, payload).await;
        if style == Style::Boulder {
            answer.expect_problem(403, ProblemType::Unauthorized);
        } else {
            answer.expect(200);
        }
    }
}
