//! Faults of resources: what stands in them, and in what order.

use acme_testing::{
    Fault, Operation,
    messages::{
        Authorization, AuthorizationStatus, Challenge, ChallengeStatus, ChallengeType, Directory,
        Order, OrderStatus, Problem, ProblemType, RenewalInfo,
    },
};
use serde_json::{Value, json};

use crate::world::{World, builder, challenge_path};

const NAMES: [&str; 6] = [
    "a.example",
    "b.example",
    "c.example",
    "d.example",
    "e.example",
    "f.example",
];

#[tokio::test]
async fn lists_come_in_another_order_each_time() {
    let mut world = World::new().await;
    let (url, first) = world.client.order(&NAMES).await;
    world.ca.inject(Fault::Shuffle);
    let mut orders = std::collections::BTreeSet::new();
    for _ in 0..8 {
        let order: Order = world.client.fetch(&url).await.json();
        let mut sorted = order.authorizations.clone();
        sorted.sort();
        let mut expected = first.authorizations.clone();
        expected.sort();
        assert_eq!(sorted, expected);
        orders.insert(order.authorizations);
    }
    assert!(orders.len() > 2);
}

#[tokio::test]
async fn there_is_more_than_anyone_knows() {
    let mut world = World::new().await;
    world.ca.inject(Fault::UnknownMembers);
    world.ca.inject(Fault::UnknownChallenges);
    let url = world.ca.directory_url();
    let answer = world.client.get(&url).await;
    let raw: Value = answer.json();
    assert!(
        raw.as_object()
            .unwrap()
            .values()
            .filter(|it| it.is_string())
            .count()
            > 6
    );
    answer.json::<Directory>();
    let (_, order) = world.client.order(&["example.com"]).await;
    let authorization: Authorization = world.client.fetch(&order.authorizations[0]).await.json();
    let unknown: Vec<_> = authorization
        .challenges
        .iter()
        .filter(|it| matches!(it.kind, ChallengeType::Other(_)))
        .collect();
    assert_eq!(unknown.len(), 2);
    assert!(unknown.iter().all(|it| it.token.is_none()));
    // The known ones are still as good.
    let (_, _) = world.ready_order(&["example.com"]).await;
}

#[tokio::test]
async fn a_status_is_none_that_anyone_knows() {
    let mut world = World::new().await;
    let (url, _) = world.client.order(&["example.com"]).await;
    world
        .ca
        .inject(Fault::UnknownStatus.on(Operation::Order).times(1));
    let order: Order = world.client.fetch(&url).await.json();
    assert!(matches!(order.status, OrderStatus::Other(_)));
    let order: Order = world.client.fetch(&url).await.json();
    assert_eq!(order.status, OrderStatus::Pending);
}

#[tokio::test]
async fn wildcard_may_be_false() {
    let mut world = World::new().await;
    world.ca.inject(Fault::WildcardFalse);
    let (_, order) = world.client.order(&["example.com", "*.example.com"]).await;
    let mut seen = Vec::new();
    for url in &order.authorizations {
        let raw: Value = world.client.fetch(url).await.json();
        seen.push(raw["wildcard"].clone());
    }
    assert_eq!(seen, [json!(false), json!(true)]);
}

#[tokio::test]
async fn problems_come_without_a_known_type() {
    let mut world = World::new().await;
    world
        .ca
        .inject(Fault::NoProblemType.on(Operation::NewOrder).times(1));
    world.ca.inject(
        Fault::UnknownProblemType
            .on(Operation::NewOrder)
            .times(1)
            .after(1),
    );
    let answer = world.client.new_order(json!({})).await;
    let raw: Value = answer.expect(400).json();
    assert!(raw.get("type").is_none() && raw["detail"].is_string());
    let problem: Problem = world.client.new_order(json!({})).await.json();
    assert!(matches!(problem.kind, ProblemType::Other(_)));
}

#[tokio::test]
async fn an_order_stays_pending_and_processing_for_a_while() {
    let mut world = World::new().await;
    let (url, order) = world.ready_order(&["example.com"]).await;
    world.ca.inject(Fault::StaysPending.times(2));
    for expected in [
        OrderStatus::Pending,
        OrderStatus::Pending,
        OrderStatus::Ready,
    ] {
        let order: Order = world.client.fetch(&url).await.json();
        assert_eq!(order.status, expected);
    }
    world.ca.inject(Fault::StaysProcessing.on(Operation::Order));
    let key = acme_testing::messages::jose::PrivateKey::generate(
        acme_testing::messages::jose::KeyType::EcdsaP256,
    );
    let csr = crate::world::csr(&["example.com"], &key.unwrap());
    let answer = world
        .client
        .post(&order.finalize, json!({ "csr": csr }))
        .await;
    assert_eq!(answer.json::<Order>().status, OrderStatus::Valid);
    for _ in 0..5 {
        let order: Order = world.client.fetch(&url).await.json();
        assert_eq!(
            (order.status, order.certificate),
            (OrderStatus::Processing, None)
        );
    }
    world.ca.clear_faults();
    let order: Order = world.client.fetch(&url).await.json();
    assert_eq!(order.status, OrderStatus::Valid);
}

/// RFC 8555, section 7.1.6 has an order fall with its authorizations; not every CA does.
#[tokio::test]
async fn a_failure_is_not_seen_in_the_order_or_the_authorization() {
    let mut world = World::new().await;
    let (url, order) = world.client.order(&["example.com"]).await;
    let authorization = order.authorizations[0].clone();
    let (challenge, _) = world
        .client
        .challenge(&authorization, ChallengeType::Http01)
        .await;
    world.prove_or_fail(&challenge.url).await;
    world.ca.inject(Fault::InvalidStaysPending);
    let order: Order = world.client.fetch(&url).await.json();
    assert_eq!((order.status, order.error), (OrderStatus::Pending, None));
    let seen: Authorization = world.client.fetch(&authorization).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Pending);
    let failed = |it: &Challenge| it.status == ChallengeStatus::Invalid && it.error.is_some();
    assert!(seen.challenges.iter().any(failed));
    world.ca.clear_faults();
    let order: Order = world.client.fetch(&url).await.json();
    assert_eq!(order.status, OrderStatus::Invalid);
}

#[tokio::test]
async fn the_authorizations_of_an_order_change() {
    let mut world = World::new().await;
    let (url, first) = world.client.order(&["example.com"]).await;
    world
        .ca
        .inject(Fault::OtherAuthorizations.on(Operation::Order).times(1));
    let order: Order = world.client.fetch(&url).await.json();
    assert_ne!(order.authorizations, first.authorizations);
    let order: Order = world.client.fetch(&url).await.json();
    assert_eq!(order.authorizations, first.authorizations);
}

/// Challenges that stay `processing` before they fail, as at ZeroSSL and Actalis.
#[tokio::test]
async fn a_challenge_stays_processing_and_then_fails() {
    let mut world = World::new().await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let url = order.authorizations[0].clone();
    let (challenge, _) = world.client.challenge(&url, ChallengeType::Http01).await;
    world.prove_or_fail(&challenge.url).await;
    world
        .ca
        .inject(Fault::StaysProcessing.on(Operation::Challenge).times(1));
    world
        .ca
        .inject(Fault::StaysProcessing.on(Operation::Authorization).times(1));
    let seen: Challenge = world.client.fetch(&challenge.url).await.json();
    assert_eq!(
        (seen.status, seen.error),
        (ChallengeStatus::Processing, None)
    );
    let seen: Authorization = world.client.fetch(&url).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Pending);
    assert_eq!(seen.challenges[0].status, ChallengeStatus::Processing);
    let seen: Authorization = world.client.fetch(&url).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Invalid);
}

/// An attempt failed, and the CA will make another (RFC 8555, section 8.2).
#[tokio::test]
async fn a_challenge_tells_an_error_while_it_is_processing() {
    let mut world = World::with(builder().polls_wait(false)).await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let url = order.authorizations[0].clone();
    let (challenge, answer) = world.client.challenge(&url, ChallengeType::Http01).await;
    let path = challenge_path(challenge.token.as_deref());
    world.web.serve(&path, answer.as_str());
    world.ca.hold_validations();
    world.ca.inject(Fault::ErrorWhileProcessing);
    world
        .client
        .post(&challenge.url, json!({}))
        .await
        .expect(200);
    let seen: Challenge = world.client.fetch(&challenge.url).await.json();
    assert_eq!(seen.status, ChallengeStatus::Processing);
    assert_eq!(seen.error.unwrap().kind, ProblemType::Connection);
    world.ca.configure(|it| it.answers.polls_wait = true);
    world.ca.release_validations();
    let seen: Authorization = world.client.fetch(&url).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Valid);
}

#[tokio::test]
async fn a_renewal_window_ends_before_it_starts() {
    let mut world = World::new().await;
    let (chain, ..) = world.issue(&["example.com"]).await;
    let id = chain.leaf().certificate_id().unwrap();
    let base = world.client.directory.renewal_info.clone().unwrap();
    let url = format!("{base}/{}", id.as_str());
    world.ca.inject(Fault::WrongWindow.times(1));
    let info: RenewalInfo = world.client.get(&url).await.expect(200).json();
    assert!(!info.suggested_window.is_valid());
    world.ca.configure(|it| {
        it.renewal.explanation_url = Some("https://ca.example/why".to_owned());
    });
    let info: RenewalInfo = world.client.get(&url).await.json();
    assert!(info.suggested_window.is_valid());
    assert_eq!(
        info.explanation_url.as_deref(),
        Some("https://ca.example/why")
    );
    world.ca.configure(|it| it.renewal.offered = false);
    world.client.get(&url).await.expect(404);
}
