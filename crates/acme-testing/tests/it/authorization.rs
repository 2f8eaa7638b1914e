//! Authorizations and challenges (RFC 8555, section 7.5).

use acme_testing::{
    Resolver, ValidationConfig,
    messages::{
        Authorization, AuthorizationStatus, Challenge, ChallengeStatus, ChallengeType, Order,
        OrderStatus, ProblemType,
    },
};
use serde_json::json;

use crate::world::{World, builder, challenge_path};

#[tokio::test]
async fn a_challenge_leads_up_to_its_authorization() {
    let mut world = World::new().await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let url = order.authorizations[0].clone();
    let (challenge, _) = world.client.challenge(&url, ChallengeType::Http01).await;
    let answer = world.client.fetch(&challenge.url).await;
    assert_eq!(answer.expect(200).json::<Challenge>(), challenge);
    assert_eq!(answer.link("up"), Some(url));
    assert_eq!(world.web.requests().len(), 0, "a look is no response");
}

#[tokio::test]
async fn what_was_tried_remains() {
    let mut world = World::new().await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let url = &order.authorizations[0];
    world.prove(url).await;
    let seen: Authorization = world.client.fetch(url).await.json();
    assert_eq!(seen.challenges.len(), 1);
    assert_eq!(seen.challenges[0].status, ChallengeStatus::Valid);
    assert!(seen.challenges[0].validated.is_some() && seen.challenges[0].error.is_none());
    // Another response changes nothing and asks no one.
    let asked = world.web.requests().len();
    let again = world.client.post(&seen.challenges[0].url, json!({})).await;
    assert_eq!(again.expect(200).json::<Challenge>(), seen.challenges[0]);
    assert_eq!(world.web.requests().len(), asked);
}

// RFC 8555, section 8.2: an explicit request for another look.
#[tokio::test]
async fn what_could_not_be_reached_is_looked_at_again_on_request() {
    let mut world = World::with(builder().configure(|config| {
        config.validation.tries_again_on_request = true;
        config.validation.resolver = Resolver::new(|_| None);
    }))
    .await;
    let (url, order) = world.client.order(&["example.com"]).await;
    let authorization = &order.authorizations[0];
    let (challenge, answer) = world
        .client
        .challenge(authorization, ChallengeType::Http01)
        .await;
    for _ in 0..2 {
        world.prove_or_fail(&challenge.url).await;
        let seen: Challenge = world.client.fetch(&challenge.url).await.json();
        assert_eq!(seen.status, ChallengeStatus::Pending);
        assert_eq!(seen.error.unwrap().kind, ProblemType::Dns);
    }
    world.ca.configure(|config| {
        config.validation.resolver = ValidationConfig::default().resolver;
    });
    let path = challenge_path(challenge.token.as_deref());
    world.web.serve(&path, answer.as_str());
    world.prove_or_fail(&challenge.url).await;
    let seen: Challenge = world.client.fetch(&challenge.url).await.json();
    assert_eq!(seen.status, ChallengeStatus::Valid);
    assert_eq!(seen.error, None);
    let order: Order = world.client.fetch(&url).await.json();
    assert_eq!(order.status, OrderStatus::Ready);
}

// What answers, and not as it should, has failed for good.
#[tokio::test]
async fn a_wrong_answer_is_not_looked_at_again() {
    let mut world =
        World::with(builder().configure(|config| config.validation.tries_again_on_request = true))
            .await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let (challenge, _) = world
        .client
        .challenge(&order.authorizations[0], ChallengeType::Http01)
        .await;
    world.prove_or_fail(&challenge.url).await;
    let seen: Challenge = world.client.fetch(&challenge.url).await.json();
    assert_eq!(seen.status, ChallengeStatus::Invalid);
}

#[tokio::test]
async fn a_response_is_an_object() {
    let mut world = World::new().await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let url = &order.authorizations[0];
    let (challenge, _) = world.client.challenge(url, ChallengeType::Http01).await;
    for payload in [json!([]), json!("text"), json!(null)] {
        let answer = world.client.post(&challenge.url, payload).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
    // Members it does not know must be passed over (section 7.5.1).
    let answer = world
        .client
        .post(&challenge.url, json!({ "keyAuthorization": "x" }))
        .await;
    answer.expect(200);
}

#[tokio::test]
async fn nothing_is_proven_after_the_end() {
    let mut world = World::new().await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let url = &order.authorizations[0];
    let (challenge, _) = world.client.challenge(url, ChallengeType::Http01).await;
    let answer = world.client.post(url, json!({ "status": "revoked" })).await;
    answer.expect_problem(400, ProblemType::Malformed);
    let answer = world
        .client
        .post(url, json!({ "status": "deactivated" }))
        .await;
    let seen: Authorization = answer.expect(200).json();
    assert_eq!(seen.status, AuthorizationStatus::Deactivated);
    let answer = world.client.post(&challenge.url, json!({})).await;
    answer.expect_problem(400, ProblemType::Malformed);
}

#[tokio::test]
async fn only_the_challenges_asked_for_are_on_offer() {
    let mut world = World::with(builder().challenges([ChallengeType::Http01])).await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let seen: Authorization = world.client.fetch(&order.authorizations[0]).await.json();
    assert_eq!(seen.challenges.len(), 1);
    assert_eq!(seen.challenges[0].kind, ChallengeType::Http01);
}

/// A validation under way does not bring back what was given up meanwhile.
#[tokio::test]
async fn what_is_given_up_stays_so() {
    let mut world = World::with(builder().polls_wait(false)).await;
    let (order_url, order) = world.client.order(&["example.com"]).await;
    let url = order.authorizations[0].clone();
    let (challenge, answer) = world.client.challenge(&url, ChallengeType::Http01).await;
    let path = challenge_path(challenge.token.as_deref());
    world.web.serve(&path, answer.as_str());
    world.ca.hold_validations();
    let response = world.client.post(&challenge.url, json!({})).await;
    response.expect(200);
    let give_up = json!({ "status": "deactivated" });
    world.client.post(&url, give_up).await.expect(200);
    world.ca.release_validations();
    world.ca.configure(|it| it.answers.polls_wait = true);
    let seen: Authorization = world.client.fetch(&url).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Deactivated);
    assert_eq!(seen.challenges[0].status, ChallengeStatus::Valid);
    let order: Order = world.client.fetch(&order_url).await.json();
    assert_eq!(order.status, OrderStatus::Invalid);
}

/// One failed challenge ends the authorization, and with it the other challenges.
#[tokio::test]
async fn no_other_challenge_helps_after_a_failure() {
    let mut world = World::new().await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let url = order.authorizations[0].clone();
    let (other, _) = world.client.challenge(&url, ChallengeType::TlsAlpn01).await;
    let (challenge, _) = world.client.challenge(&url, ChallengeType::Http01).await;
    world.prove_or_fail(&challenge.url).await;
    let answer = world.client.post(&other.url, json!({})).await;
    answer.expect_problem(400, ProblemType::Malformed);
    let seen: Authorization = world.client.fetch(&url).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Invalid);
    assert_eq!(seen.challenges.len(), 1);
    assert_eq!(seen.challenges[0].status, ChallengeStatus::Invalid);
    assert!(seen.challenges[0].error.is_some());
}

/// A resolver that a test brought may panic; nobody waits for its answer in vain.
#[tokio::test]
async fn a_validation_that_panics_fails() {
    fn nowhere(_: &acme_testing::messages::ServerName) -> Option<std::net::IpAddr> {
        panic!("this resolver knows no names")
    }
    let mut world = World::with(builder().resolve(nowhere)).await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let url = order.authorizations[0].clone();
    let (challenge, _) = world.client.challenge(&url, ChallengeType::Http01).await;
    let answer = world.client.post(&challenge.url, json!({})).await;
    answer.expect(200);
    let seen: Authorization = world.client.fetch(&url).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Invalid);
    let error = seen.challenges[0].error.as_ref().unwrap();
    assert_eq!(error.kind, ProblemType::ServerInternal);
    world.client.order(&["example.org"]).await;
}
