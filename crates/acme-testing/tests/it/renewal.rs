//! Renewal information and `replaces` (RFC 9773).

use std::{sync::Arc, time::Duration};

use acme_testing::{
    ManualClock,
    messages::{CertificateChain, Order, ProblemType, RenewalInfo, SuggestedWindow, Timestamp},
};
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    world::{World, builder},
};

async fn world(lifetime: Duration) -> (World, ManualClock) {
    let clock = ManualClock::new("2026-11-23T01:00:00Z".parse().unwrap());
    let builder = builder().clock(Arc::new(clock.clone())).validity(lifetime);
    (World::with(builder).await, clock)
}

async fn look(world: &mut World, chain: &CertificateChain) -> Answer {
    let base = world.client.directory.renewal_info.clone().unwrap();
    let name = chain.leaf().certificate_id().unwrap();
    world.client.get(&format!("{base}/{name}")).await
}

fn window(start: &str, end: &str) -> SuggestedWindow {
    SuggestedWindow {
        start: start.parse().unwrap(),
        end: end.parse().unwrap(),
    }
}

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn the_window_lies_where_lets_encrypts_does() {
    // Begins at midnight: 30 days before the end, give or take 0.9 days.
    let (mut world, _) = world(HOUR * 24 * 90).await;
    let (chain, ..) = world.issue(&["example.com"]).await;
    let answer = look(&mut world, &chain).await;
    assert_eq!(answer.expect(200).header("retry-after"), Some("21600"));
    let info: RenewalInfo = answer.json();
    let expected = window("2027-01-21T02:23:59Z", "2027-01-22T21:35:59Z");
    assert_eq!(info.suggested_window, expected);

    // 80 hours before the end, give or take 1.6 hours.
    world.ca.configure(|it| it.issuance.validity = HOUR * 160);
    world
        .ca
        .configure(|it| it.renewal.retry_after = Duration::from_secs(60));
    let (chain, ..) = world.issue(&["example.com"]).await;
    let answer = look(&mut world, &chain).await;
    assert_eq!(answer.header("retry-after"), Some("60"));
    let info: RenewalInfo = answer.json();
    let expected = window("2026-11-26T06:23:59Z", "2026-11-26T09:35:59Z");
    assert_eq!(info.suggested_window, expected);
}

#[tokio::test]
async fn a_revoked_certificate_is_due_at_once() {
    let (mut world, clock) = world(HOUR * 24 * 90).await;
    let (chain, ..) = world.issue(&["example.com"]).await;
    let url = world.client.directory.revoke_cert.clone().unwrap();
    let der = acme_testing::messages::jose::base64url::encode(&chain.as_der()[0]);
    world
        .client
        .post(&url, json!({ "certificate": der }))
        .await
        .expect(200);
    clock.advance(HOUR);
    let info: RenewalInfo = look(&mut world, &chain).await.json();
    let expected = window("2026-11-23T01:00:00Z", "2026-11-23T01:30:00Z");
    assert_eq!(info.suggested_window, expected);
}

#[tokio::test]
async fn a_test_sets_the_window() {
    let (mut world, _) = world(HOUR * 24).await;
    let (chain, ..) = world.issue(&["example.com"]).await;
    let mine = window("2000-01-01T00:00:00Z", "2000-01-02T00:00:00Z");
    world.ca.configure(|it| it.renewal.window = Some(mine));
    let info: RenewalInfo = look(&mut world, &chain).await.json();
    assert_eq!(info.suggested_window, mine);
    world.ca.configure(|it| it.renewal.window = None);
    let info: RenewalInfo = look(&mut world, &chain).await.json();
    assert!(info.suggested_window.start > mine.end);
}

#[tokio::test]
async fn what_was_not_issued_here_has_none() {
    let (mut world, _) = world(HOUR).await;
    let base = world.client.directory.renewal_info.clone().unwrap();
    let answer = world
        .client
        .get(&format!("{base}/aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"))
        .await;
    answer.expect_problem(404, ProblemType::Malformed);
    let answer = world.client.post(&format!("{base}/x"), json!({})).await;
    answer.expect_problem(405, ProblemType::Malformed);
}

#[tokio::test]
async fn an_order_replaces_a_certificate_once() {
    let mut world = World::new().await;
    let (chain, ..) = world.issue(&["a.example", "b.example"]).await;
    let replaces = chain.leaf().certificate_id().unwrap().to_string();
    let order = |name: &str, replaces: &str| -> Value {
        json!({ "identifiers": [{ "type": "dns", "value": name }], "replaces": replaces })
    };
    let answer = world
        .client
        .new_order(order("a.example", "AAAA.AAAA"))
        .await;
    answer.expect_problem(400, ProblemType::Malformed);
    let answer = world.client.new_order(order("c.example", &replaces)).await;
    answer.expect_problem(400, ProblemType::Malformed);
    let mut stranger = Client::register(&world.ca).await;
    let answer = stranger.new_order(order("a.example", &replaces)).await;
    answer.expect_problem(403, ProblemType::Unauthorized);

    let answer = world.client.new_order(order("b.example", &replaces)).await;
    let first: Order = answer.expect(201).json();
    assert_eq!(first.replaces.as_deref(), Some(replaces.as_str()));
    let answer = world.client.new_order(order("a.example", &replaces)).await;
    answer.expect_problem(409, ProblemType::AlreadyReplaced);

    // An order that came to nothing replaced nothing.
    let give_up = json!({ "status": "deactivated" });
    world
        .client
        .post(&first.authorizations[0], give_up)
        .await
        .expect(200);
    world
        .client
        .new_order(order("a.example", &replaces))
        .await
        .expect(201);
    assert!(world.ca.issued()[0].chain.leaf().not_after > Timestamp::now());
}

#[tokio::test]
async fn the_window_of_a_short_life_lies_within_it() {
    let (mut world, _) = world(HOUR).await;
    for seconds in [1, 2, 3, 10, 59, 3_600, 86_400] {
        let lifetime = Duration::from_secs(seconds);
        world.ca.configure(|it| it.issuance.validity = lifetime);
        let (chain, ..) = world.issue(&["example.com"]).await;
        let info: RenewalInfo = look(&mut world, &chain).await.json();
        let (window, leaf) = (info.suggested_window, chain.leaf());
        assert!(window.is_valid(), "{seconds} s: {window:?}");
        assert!(window.start >= leaf.not_before, "{seconds} s: {window:?}");
        // A life of one second has no room for a window.
        let fits = window.end <= leaf.not_after;
        assert!(fits || seconds == 1, "{seconds} s: {window:?}");
    }
}

#[tokio::test]
async fn a_certificates_name_is_exact() {
    let (mut world, _) = world(HOUR).await;
    let (chain, ..) = world.issue(&["example.com"]).await;
    let base = world.client.directory.renewal_info.clone().unwrap();
    let name = chain.leaf().certificate_id().unwrap().to_string();
    let (issuer, serial) = name.split_once('.').unwrap();
    for other in [
        issuer.to_owned(),
        format!("{issuer}."),
        format!(".{serial}"),
        format!("{serial}.{issuer}"),
        format!("{issuer}={}{serial}", '.'),
        format!("{name}="),
        format!("{name}.{serial}"),
        format!("{issuer}.AA{serial}"),
        format!("{name}A"),
    ] {
        let answer = world.client.get(&format!("{base}/{other}")).await;
        answer.expect_problem(404, ProblemType::Malformed);
    }
    world
        .client
        .get(&format!("{base}/{name}"))
        .await
        .expect(200);
}

/// The successor of a certificate may be replaced too, and a chain of orders goes on.
#[tokio::test]
async fn a_replacement_is_replaced_in_turn() {
    let mut world = World::new().await;
    let mut replaces = None;
    for _ in 0..3 {
        let mut order = json!({ "identifiers": [{ "type": "dns", "value": "a.example" }] });
        if let Some(name) = &replaces {
            order["replaces"] = json!(name);
        }
        let order: Order = world.client.new_order(order).await.expect(201).json();
        assert_eq!(order.replaces, replaces);
        world.prove(&order.authorizations[0]).await;
        let key = acme_testing::messages::jose::PrivateKey::generate(
            acme_testing::messages::jose::KeyType::EcdsaP256,
        );
        let csr = crate::world::csr(&["a.example"], &key.unwrap());
        let answer = world
            .client
            .post(&order.finalize, json!({ "csr": csr }))
            .await;
        assert_eq!(answer.expect(200).json::<Order>().replaces, replaces);
        let issued = world.ca.issued();
        let latest = issued.last().unwrap();
        assert_eq!(latest.replaces, replaces);
        replaces = latest
            .chain
            .leaf()
            .certificate_id()
            .map(|it| it.to_string());
    }
}
