//! Orders (RFC 8555, section 7.4).

use std::{sync::Arc, time::Duration};

use acme_testing::{
    ManualClock,
    messages::{
        Authorization, AuthorizationStatus, ChallengeType, Order, OrderStatus, ProblemType,
    },
};
use serde_json::{Value, json};

use crate::world::{World, builder};

fn kinds(authorization: &Authorization) -> Vec<&str> {
    authorization
        .challenges
        .iter()
        .map(|it| it.kind.as_str())
        .collect()
}

#[tokio::test]
async fn an_order_has_one_authorization_for_each_name() {
    let mut world = World::new().await;
    let names = [
        "www.example.com",
        "WWW.example.com",
        "*.example.com",
        "127.0.0.1",
        "::1",
    ];
    let (url, order) = world.client.order(&names).await;
    assert_eq!(order.status, OrderStatus::Pending);
    assert!(order.expires.is_some() && order.certificate.is_none() && order.error.is_none());
    let values: Vec<_> = order
        .identifiers
        .iter()
        .map(|it| it.value.as_str())
        .collect();
    assert_eq!(
        values,
        ["www.example.com", "*.example.com", "127.0.0.1", "::1"]
    );
    assert_eq!(order.finalize, format!("{url}/finalize"));

    let mut seen = Vec::new();
    for authorization in &order.authorizations {
        let authorization: Authorization = world.client.fetch(authorization).await.json();
        assert_eq!(authorization.status, AuthorizationStatus::Pending);
        assert!(authorization.expires.is_some());
        assert!(authorization.challenges.iter().all(|it| it.token.is_some()));
        seen.push(authorization);
    }
    assert_eq!(kinds(&seen[0]), ["http-01", "tls-alpn-01", "dns-01"]);
    assert_eq!(seen[1].identifier.value, "example.com");
    assert!(seen[1].wildcard && !seen[0].wildcard);
    assert_eq!(kinds(&seen[1]), ["dns-01"]);
    assert_eq!(kinds(&seen[2]), ["http-01", "tls-alpn-01"]);
    assert_eq!(kinds(&seen[3]), ["http-01", "tls-alpn-01"]);
}

#[tokio::test]
async fn what_no_certificate_can_be_for_is_refused() {
    let mut world = World::new().await;
    let mut check = async |identifiers: Value, expected: ProblemType| {
        let answer = world
            .client
            .new_order(json!({ "identifiers": identifiers }))
            .await;
        answer.expect_problem(400, expected)
    };
    let dns = |value: &str| json!([{ "type": "dns", "value": value }]);
    let ip = |value: &str| json!([{ "type": "ip", "value": value }]);
    check(json!([]), ProblemType::Malformed).await;
    check(json!("example.com"), ProblemType::Malformed).await;
    check(dns("exa_mple.com"), ProblemType::RejectedIdentifier).await;
    check(dns("example.com."), ProblemType::RejectedIdentifier).await;
    check(dns("a.*.example.com"), ProblemType::RejectedIdentifier).await;
    check(dns("192.0.2.1"), ProblemType::RejectedIdentifier).await;
    check(ip("example.com"), ProblemType::RejectedIdentifier).await;
    check(ip("2001:DB8:0::1"), ProblemType::RejectedIdentifier).await;
    check(
        json!([{ "type": "email", "value": "a@b.c" }]),
        ProblemType::UnsupportedIdentifier,
    )
    .await;
    let both = json!([
        { "type": "dns", "value": "ok.example" },
        { "type": "dns", "value": "-.example" },
        { "type": "tn", "value": "1" },
    ]);
    let problem = check(both, ProblemType::Compound).await;
    let kinds: Vec<_> = problem
        .subproblems
        .iter()
        .map(|it| it.kind.clone())
        .collect();
    assert_eq!(
        kinds,
        [
            ProblemType::RejectedIdentifier,
            ProblemType::UnsupportedIdentifier
        ]
    );
    assert_eq!(
        problem.subproblems[1].identifier.as_ref().unwrap().value,
        "1"
    );
    let many = (0..101).map(|n| json!({ "type": "dns", "value": format!("a{n}.example") }));
    check(json!(many.collect::<Vec<_>>()), ProblemType::Malformed).await;
}

#[tokio::test]
async fn members_that_this_ca_has_no_use_for_are_refused() {
    let mut world = World::new().await;
    let mut order = json!({ "identifiers": [{ "type": "dns", "value": "example.com" }] });
    order["notAfter"] = json!("2027-01-01T00:00:00Z");
    let answer = world.client.new_order(order.clone()).await;
    answer.expect_problem(400, ProblemType::Malformed);
    order["notAfter"] = Value::Null;
    order["profile"] = json!("shortlived");
    let answer = world.client.new_order(order).await;
    answer.expect_problem(400, ProblemType::InvalidProfile);
}

#[tokio::test]
async fn an_order_is_ready_when_all_is_proven() {
    let mut world = World::new().await;
    let (url, order) = world.client.order(&["a.example", "b.example"]).await;
    world.prove(&order.authorizations[0]).await;
    let half: Order = world.client.fetch(&url).await.json();
    assert_eq!(half.status, OrderStatus::Pending);
    world.prove(&order.authorizations[1]).await;
    let whole: Order = world.client.fetch(&url).await.json();
    assert_eq!(whole.status, OrderStatus::Ready);
    assert_eq!(whole.authorizations, order.authorizations);
}

#[tokio::test]
async fn an_order_dies_with_its_authorization() {
    let mut world = World::new().await;
    let (url, order) = world.ready_order(&["example.com"]).await;
    let give_up = json!({ "status": "deactivated" });
    let seen = world.client.post(&order.authorizations[0], give_up).await;
    let seen: Authorization = seen.expect(200).json();
    assert_eq!(seen.status, AuthorizationStatus::Deactivated);
    let order: Order = world.client.fetch(&url).await.json();
    assert_eq!(order.status, OrderStatus::Invalid);
    assert_eq!(order.error.unwrap().kind, ProblemType::Unauthorized);
}

#[tokio::test]
async fn several_failures_make_a_compound() {
    let mut world = World::new().await;
    let (url, order) = world.client.order(&["a.example", "b.example"]).await;
    for authorization in &order.authorizations {
        let (challenge, _) = world
            .client
            .challenge(authorization, ChallengeType::Http01)
            .await;
        world
            .client
            .post(&challenge.url, json!({}))
            .await
            .expect(200);
    }
    let order: Order = world.client.fetch(&url).await.json();
    assert_eq!(order.status, OrderStatus::Invalid);
    let error = order.error.unwrap();
    assert_eq!(error.kind, ProblemType::Compound);
    let names: Vec<_> = error
        .subproblems
        .iter()
        .map(|it| it.identifier.as_ref().unwrap().value.as_str())
        .collect();
    assert_eq!(names, ["a.example", "b.example"]);
}

#[tokio::test]
async fn everything_ends_with_its_time() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let clock = ManualClock::new("2026-11-23T00:00:00Z".parse().unwrap());
    let mut world = World::with(builder().clock(Arc::new(clock.clone()))).await;
    let (pending, order) = world.client.order(&["example.com"]).await;
    assert_eq!(
        order.expires.unwrap(),
        "2026-11-30T00:00:00Z".parse().unwrap()
    );
    let (ready, proven) = world.ready_order(&["example.org"]).await;
    assert_eq!(proven.status, OrderStatus::Ready);

    clock.advance(DAY * 7);
    for url in [&pending, &ready] {
        let order: Order = world.client.fetch(url).await.json();
        assert_eq!(order.status, OrderStatus::Invalid);
        assert!(order.error.is_some());
    }
    let seen: Authorization = world.client.fetch(&order.authorizations[0]).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Invalid);
    let seen: Authorization = world.client.fetch(&proven.authorizations[0]).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Valid);
    clock.advance(DAY * 23);
    let seen: Authorization = world.client.fetch(&proven.authorizations[0]).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Expired);
}

#[tokio::test]
async fn authorizations_are_reused_on_demand() {
    let mut world = World::new().await;
    let (_, first) = world.ready_order(&["example.com"]).await;
    let (_, second) = world.client.order(&["example.com"]).await;
    assert_ne!(first.authorizations, second.authorizations);
    assert_eq!(second.status, OrderStatus::Pending);

    world.ca.configure(|it| it.orders.reuse_valid = true);
    let (_, third) = world.client.order(&["example.com"]).await;
    assert_eq!(first.authorizations, third.authorizations);
    assert_eq!(third.status, OrderStatus::Ready);
    let mut stranger = crate::client::Client::register(&world.ca).await;
    let (_, foreign) = stranger.order(&["example.com"]).await;
    assert_eq!(foreign.status, OrderStatus::Pending);
}
