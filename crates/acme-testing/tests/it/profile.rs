//! Certificate profiles, and dates that orders ask for (draft-ietf-acme-profiles;
//! RFC 8555, section 7.4).

use std::time::Duration;

use acme_testing::{
    DefaultProfile, Profile, TestCaBuilder,
    messages::{
        CertificateChain, Order, ProblemType,
        jose::{KeyType, PrivateKey},
    },
};
use serde_json::{Value, json};

use crate::world::{World, builder, csr};

fn profiles() -> TestCaBuilder {
    builder().configure(|it| {
        let mut short = Profile::new("six days", Duration::from_secs(160 * 3600));
        short.max_identifiers = 2;
        let mut classic = Profile::new(
            "https://ca.example/classic",
            Duration::from_secs(64 * 86_400),
        );
        classic.addresses = false;
        it.issuance.profiles.insert("short".to_owned(), short);
        it.issuance.profiles.insert("classic".to_owned(), classic);
        it.orders.reuse_valid = true;
    })
}

fn order(names: &[&str], more: Value) -> Value {
    let identifiers = names.iter().map(|name| {
        let kind = if name.parse::<std::net::IpAddr>().is_ok() {
            "ip"
        } else {
            "dns"
        };
        json!({ "type": kind, "value": name })
    });
    let mut order = json!({ "identifiers": identifiers.collect::<Vec<_>>() });
    order
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    order
}

/// Takes an order for `example.com` all the way; returns the certificate's chain.
async fn obtain(world: &mut World, more: Value) -> (Order, CertificateChain) {
    world.ready_order(&["example.com"]).await;
    let answer = world.client.new_order(order(&["example.com"], more)).await;
    let order: Order = answer.expect(201).json();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let csr = json!({ "csr": csr(&["example.com"], &key) });
    let answer = world.client.post(&order.finalize, csr).await;
    let order: Order = answer.expect(200).json();
    let pem = world
        .client
        .fetch(order.certificate.as_deref().unwrap())
        .await;
    (order, CertificateChain::from_pem(&pem.body).unwrap())
}

fn lifetime(chain: &CertificateChain) -> i64 {
    let leaf = chain.leaf();
    leaf.not_after.as_second() - leaf.not_before.as_second() + 1
}

#[tokio::test]
async fn a_profile_decides_the_lifetime_and_is_told() {
    let mut world = World::with(profiles()).await;
    let offered = &world.client.directory.meta.profiles;
    assert_eq!(offered["short"], "six days");
    for (name, expected) in [("short", 160 * 3600), ("classic", 64 * 86_400)] {
        let (order, chain) = obtain(&mut world, json!({ "profile": name })).await;
        assert_eq!(order.profile.as_deref(), Some(name));
        assert_eq!(lifetime(&chain), expected);
    }
    let (order, chain) = obtain(&mut world, json!({})).await;
    assert_eq!(order.profile, None);
    assert_eq!(lifetime(&chain), 90 * 86_400);
}

#[tokio::test]
async fn a_profile_that_is_not_on_offer_is_refused() {
    let mut world = World::with(profiles()).await;
    let asked = order(&["example.com"], json!({ "profile": "gold" }));
    let answer = world.client.new_order(asked).await;
    answer.expect_problem(400, ProblemType::InvalidProfile);
    let asked = order(&["192.0.2.1"], json!({ "profile": "classic" }));
    let answer = world.client.new_order(asked).await;
    answer.expect_problem(400, ProblemType::RejectedIdentifier);
    let asked = order(&["192.0.2.1"], json!({ "profile": "short" }));
    world.client.new_order(asked).await.expect(201);
    let many = ["a.example", "b.example", "c.example"];
    let answer = world
        .client
        .new_order(order(&many, json!({ "profile": "short" })))
        .await;
    answer.expect_problem(400, ProblemType::Malformed);
}

#[tokio::test]
async fn an_order_without_a_profile_gets_the_default() {
    let mut world = World::with(profiles()).await;
    let default = |world: &World, it: DefaultProfile| {
        world
            .ca
            .configure(|config| config.issuance.default_profile = it);
    };
    default(&world, DefaultProfile::Named("short".to_owned()));
    let (order_seen, _) = obtain(&mut world, json!({})).await;
    assert_eq!(order_seen.profile.as_deref(), Some("short"));

    default(&world, DefaultProfile::Random);
    let mut drawn = std::collections::BTreeSet::new();
    for _ in 0..32 {
        let answer = world
            .client
            .new_order(order(&["example.com"], json!({})))
            .await;
        drawn.extend(answer.json::<Order>().profile);
    }
    assert_eq!(drawn.len(), 2);

    default(&world, DefaultProfile::Required);
    let answer = world
        .client
        .new_order(order(&["example.com"], json!({})))
        .await;
    answer.expect_problem(400, ProblemType::InvalidProfile);
}

#[tokio::test]
async fn dates_are_followed_where_the_ca_says_so() {
    let mut world = World::with(profiles()).await;
    world.ca.configure(|it| it.issuance.dates = true);
    let dates = json!({
        "notBefore": "2031-01-02T03:04:05Z",
        "notAfter": "2031-01-03T03:04:05Z",
    });
    let (order_seen, chain) = obtain(&mut world, dates).await;
    assert_eq!(
        order_seen.not_before,
        Some("2031-01-02T03:04:05Z".parse().unwrap())
    );
    assert_eq!(order_seen.not_after, Some(chain.leaf().not_after));
    assert_eq!(
        chain.leaf().not_before,
        "2031-01-02T03:04:05Z".parse().unwrap()
    );
    assert_eq!(
        chain.leaf().not_after,
        "2031-01-03T03:04:05Z".parse().unwrap()
    );
    let backwards = json!({
        "notBefore": "2031-01-02T03:04:05Z",
        "notAfter": "2031-01-01T03:04:05Z",
    });
    let answer = world
        .client
        .new_order(order(&["example.com"], backwards))
        .await;
    answer.expect_problem(400, ProblemType::Malformed);

    world
        .ca
        .configure(|it| it.issuance.begins_ahead = Some(Duration::from_secs(300)));
    let (_, chain) = obtain(&mut world, json!({})).await;
    let now = acme_testing::messages::Timestamp::now();
    assert!(chain.leaf().not_before > now);
    assert_eq!(lifetime(&chain), 90 * 86_400);
}

#[tokio::test]
async fn dates_that_no_certificate_can_have_are_refused() {
    let mut world = World::with(profiles()).await;
    world.ca.configure(|it| it.issuance.dates = true);
    for dates in [
        json!({ "notAfter": "2001-01-01T00:00:00Z" }),
        json!({ "notBefore": "1969-12-31T23:59:59Z" }),
        json!({ "notBefore": "-009999-01-02T00:00:00Z" }),
        json!({ "notBefore": "2031-01-01T00:00:00Z", "notAfter": "2031-01-01T00:00:00Z" }),
        json!({ "notAfter": "2031-02-30T00:00:00Z" }),
        json!({ "notAfter": "2031-01-01" }),
        json!({ "notAfter": 1_924_992_000 }),
    ] {
        let asked = order(&["example.com"], dates);
        let answer = world.client.new_order(asked).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
    // The far ends of time are no reason to fail.
    for dates in [
        json!({ "notBefore": "1970-01-01T00:00:00Z" }),
        json!({ "notBefore": "9999-12-30T00:00:00Z" }),
        json!({ "notAfter": "9999-12-30T00:00:00Z" }),
    ] {
        obtain(&mut world, dates).await;
    }
}

/// An order that was placed in time may be finalized too late for its dates.
#[tokio::test]
async fn an_order_whose_end_has_come_issues_nothing() {
    let clock = acme_testing::ManualClock::new("2026-11-23T00:00:00Z".parse().unwrap());
    let builder = profiles().clock(std::sync::Arc::new(clock.clone()));
    let mut world = World::with(builder).await;
    world.ca.configure(|it| it.issuance.dates = true);
    world.ready_order(&["example.com"]).await;
    let dates = json!({ "notAfter": "2026-11-23T12:00:00Z" });
    let answer = world.client.new_order(order(&["example.com"], dates)).await;
    let order: Order = answer.expect(201).json();
    clock.advance(Duration::from_secs(24 * 3600));
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let csr = json!({ "csr": csr(&["example.com"], &key) });
    let answer = world.client.post(&order.finalize, csr).await;
    answer.expect_problem(400, ProblemType::Malformed);
    assert!(world.ca.issued().is_empty());
}
