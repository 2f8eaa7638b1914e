//! What is handed out, and what is refused.

use std::sync::Arc;

use acme_client::{
    CertificateRequest, ErrorKind,
    messages::{
        ChallengeType, OrderStatus, Problem, ProblemType,
        jose::{KeyType, PrivateKey},
    },
};
use acme_testing::{CertificateValidity, Failure, NullResponder, Operation as Asked};

use crate::{
    transport::Meddle,
    world::{World, builder, http_01, names, request, within},
};

#[tokio::test]
async fn several_names_in_one_certificate() {
    let world = World::new().await;
    let issued = world
        .obtain(&["a.example", "b.example", "c.example"])
        .await
        .unwrap();
    issued
        .chain
        .check_names(&names(&["a.example", "b.example", "c.example"]))
        .unwrap();
    issued.chain.check_links().unwrap();
}

// C34.
#[tokio::test]
async fn no_supported_challenge_names_offered_and_available() {
    let world = World::with(builder().challenges([ChallengeType::Dns01])).await;
    let error = world.obtain(&["a.example"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSupportedChallenge);
    let text = error.to_string();
    for part in ["a.example", "dns-01", "http-01"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(world.asked_for(Asked::Challenge), 0);
    assert!(!error.is_transient());
}

#[tokio::test]
async fn the_callers_order_of_responders_counts() {
    let world = World::new().await;
    let account = world.account().await;
    // The second of a type is never asked.
    let request = world
        .request(&["a.example"])
        .responder(Arc::new(NullResponder::new(http_01())))
        .responder(Arc::new(NullResponder::new(ChallengeType::Dns01)));
    within(account.obtain(&request)).await.unwrap();
}

// C35.
#[tokio::test]
async fn authorization_failed_carries_the_problem_and_the_name() {
    let world = World::new().await;
    let account = world.account().await;
    // Nothing answers.
    let request = request(&["a.example"]).responder(Arc::new(NullResponder::new(http_01())));
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthorizationFailed);
    let problem = error.problem().unwrap();
    assert_eq!(problem.identifier.as_ref().unwrap().value, "a.example");
    assert!(problem.detail.is_some());
    assert!(
        error.to_string().contains("a.example is invalid"),
        "{error}"
    );
}

// rustls-acme serves what it is handed.
#[tokio::test]
async fn foreign_chain_is_refused() {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let check = async |key_of_leaf: &PrivateKey, name: &str, validity, reason: &str| {
        let world = World::new().await;
        let spki = key_of_leaf.public_jwk().to_spki_der().unwrap();
        let chain = world
            .ca
            .pki()
            .issue(&spki, &names(&[name]), validity)
            .unwrap();
        let pem = chain.to_pem();
        world.transport.once(
            "cert",
            Meddle::Change(Box::new(move |answer| *answer.body_mut() = pem.into())),
        );
        let account = world.account().await;
        let request = CertificateRequest::for_names(&names(&["a.example"]), &key).unwrap();
        let result = within(account.obtain(&request.responder(world.responder.clone()))).await;
        match (result, reason) {
            (Ok(_), "") => {}
            (Err(error), _) if error.kind() == ErrorKind::InvalidChain => {
                assert!(
                    !reason.is_empty() && error.to_string().contains(reason),
                    "{error}"
                );
            }
            (result, _) => panic!("{result:?}"),
        }
    };
    let forever = CertificateValidity::FOREVER;
    let past = CertificateValidity::between(
        "2020-01-01T00:00:00Z".parse().unwrap(),
        "2020-03-01T00:00:00Z".parse().unwrap(),
    );
    check(&key, "a.example", forever, "").await;
    check(&other, "a.example", forever, "another key").await;
    check(&key, "b.example", forever, "not for the names").await;
    check(&key, "a.example", past, "expired").await;
}

#[tokio::test]
async fn a_chain_that_is_no_chain_is_refused() {
    for body in [
        "",
        "<html>",
        "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
    ] {
        let world = World::new().await;
        world.transport.once(
            "cert",
            Meddle::Change(Box::new(move |answer| *answer.body_mut() = body.into())),
        );
        let error = world.obtain(&["a.example"]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidChain, "{body:?}");
    }
}

#[tokio::test]
async fn an_order_for_other_names_is_refused() {
    let world = World::new().await;
    world.transport.once(
        "new-order",
        Meddle::Change(Box::new(|answer| {
            let text = String::from_utf8(answer.body().to_vec()).unwrap();
            *answer.body_mut() = text.replace("a.example", "b.example").into();
        })),
    );
    let error = world.obtain(&["a.example"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadResponse);
    assert_eq!(world.asked(), [Asked::NewOrder]);
}

// instant-acme times out on an order that is valid already.
#[tokio::test]
async fn resumed_valid_order_finishes() {
    let world = World::new().await;
    let account = world.account().await;
    let request = world.request(&["a.example"]);
    let issued = within(account.obtain(&request)).await.unwrap();
    let mut order = account.order(issued.order_url.clone()).await.unwrap();
    assert_eq!(order.state().status, OrderStatus::Valid);
    world.ca.clear_requests();
    order.leaves(&OrderStatus::Pending).await.unwrap();
    assert_eq!(order.certificate().await.unwrap(), issued.chain);
    assert_eq!(world.asked(), [Asked::Certificate]);

    // A CA may give the order back that it has.
    let (url, body) = (issued.order_url, serde_json::to_vec(order.state()).unwrap());
    world.transport.once(
        "new-order",
        Meddle::Change(Box::new(move |answer| {
            answer
                .headers_mut()
                .insert("location", url.parse().unwrap());
            *answer.body_mut() = body.into();
        })),
    );
    world.ca.clear_requests();
    let again = within(account.obtain(&request)).await.unwrap();
    assert_eq!(again.chain, issued.chain);
    assert_eq!(world.asked(), [Asked::NewOrder, Asked::Certificate]);
}

// C47, C48.
#[tokio::test]
async fn what_the_ca_says_is_told() {
    let world = World::new().await;
    let problem = Problem::new(ProblemType::RateLimited, "too many orders");
    let failure = Failure::problem(429, problem).retry_after(std::time::Duration::from_secs(77));
    world.ca.fail_next(Asked::NewOrder, failure);
    let error = world.obtain(&["a.example"]).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Problem, Some(429))
    );
    assert_eq!(
        error.retry_after(),
        Some(std::time::Duration::from_secs(77))
    );
    assert!(error.is_transient());
    assert!(
        error.to_string().contains("rateLimited: too many orders"),
        "{error}"
    );
    assert_eq!(world.asked(), [Asked::NewOrder], "it is not tried again");
}

#[tokio::test]
async fn every_request_says_who_asks() {
    let world = World::new().await;
    world.obtain(&["a.example"]).await.unwrap();
    let own = concat!("acme-client/", env!("CARGO_PKG_VERSION"), " hyper/1");
    for seen in world.transport.seen() {
        let agent = seen.user_agent.unwrap();
        assert!(agent.ends_with(own), "{agent}");
    }
}
