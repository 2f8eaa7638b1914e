//! Faults before a request is looked at, and faults of headers.

use std::time::Duration;

use acme_testing::{
    Fault, FaultRule, Operation,
    messages::{Problem, ProblemType, Timestamp, retry_after},
};
use serde_json::json;

use crate::world::{World, builder};

fn wish() -> serde_json::Value {
    json!({ "identifiers": [{ "type": "dns", "value": "example.com" }] })
}

#[tokio::test]
async fn a_front_end_answers_in_the_cas_place() {
    let mut world = World::new().await;
    world
        .ca
        .inject(Fault::Html(502).on(Operation::NewOrder).times(1));
    let answer = world.client.new_order(wish()).await;
    assert_eq!(answer.expect(502).header("content-type"), Some("text/html"));
    assert!(answer.body.starts_with(b"<html>"));
    assert_eq!(answer.header("replay-nonce"), None);
    assert!(world.ca.orders().is_empty());
    world.client.new_order(wish()).await.expect(201);
}

#[tokio::test]
async fn a_good_nonce_is_refused_and_spent() {
    let mut world = World::new().await;
    let url = world.client.directory.new_order.clone();
    world
        .ca
        .inject(Fault::BadNonce.on(Operation::NewOrder).times(1));
    let header = world.client.header(&url).await;
    let body = wish().to_string();
    let answer = world.client.post_with(&url, &header, body.as_bytes()).await;
    answer.expect_problem(400, ProblemType::BadNonce);
    assert!(answer.header("replay-nonce").is_some());
    let answer = world.client.post_with(&url, &header, body.as_bytes()).await;
    answer.expect_problem(400, ProblemType::BadNonce);
    world.client.new_order(wish()).await.expect(201);
}

#[tokio::test]
async fn a_limit_is_told_with_and_without_its_end() {
    let mut world = World::new().await;
    for (span, header) in [(None, None), (Some(Duration::from_secs(77)), Some("77"))] {
        world
            .ca
            .inject(Fault::RateLimited(span).on(Operation::NewOrder).times(1));
        let answer = world.client.new_order(wish()).await;
        answer.expect_problem(429, ProblemType::RateLimited);
        assert_eq!(answer.header("retry-after"), header);
    }
}

#[tokio::test]
async fn a_connection_closes_before_and_after() {
    let mut world = World::new().await;
    let url = world.client.directory.new_order.clone();
    world
        .ca
        .inject(Fault::DropRequest.on(Operation::NewOrder).times(1));
    world
        .ca
        .inject(Fault::DropAnswer.on(Operation::NewOrder).times(1));
    for placed in [0, 1] {
        let request = world.client.signed(&url, &wish().to_string()).await;
        assert!(world.client.try_send(request).await.is_err());
        assert_eq!(world.ca.orders().len(), placed);
        world.client.reconnect(&world.ca).await;
    }
    let records = world.ca.requests();
    let orders: Vec<_> = records
        .iter()
        .filter(|it| it.operation == Operation::NewOrder)
        .collect();
    assert_eq!((orders[0].status, orders[1].status), (0, 201));
    world.client.new_order(wish()).await.expect(201);
}

#[tokio::test]
async fn silence_is_all_there_is() {
    let mut world = World::new().await;
    let url = world.client.directory.new_order.clone();
    world
        .ca
        .inject(Fault::Silence.on(Operation::NewOrder).times(1));
    let request = world.client.signed(&url, &wish().to_string()).await;
    tokio::select! {
        answer = world.client.try_send(request) => panic!("{answer:?}"),
        () = world.ca.wait_for(Operation::NewOrder, 1) => {}
    }
    assert!(world.ca.orders().is_empty());
}

#[tokio::test]
async fn nonces_are_missing_mangled_or_used() {
    let mut world = World::new().await;
    world
        .ca
        .inject(Fault::NoNonce.on(Operation::NewOrder).times(1));
    let answer = world.client.new_order(wish()).await;
    assert_eq!(answer.expect(201).header("replay-nonce"), None);

    world
        .ca
        .inject(Fault::MangledNonce.on(Operation::NewOrder).times(1));
    let answer = world.client.new_order(wish()).await;
    let nonce = answer.header("replay-nonce").unwrap();
    assert!(
        nonce
            .parse::<acme_testing::messages::jose::Nonce>()
            .is_err(),
        "{nonce}"
    );

    world
        .ca
        .inject(Fault::UsedNonce.on(Operation::NewOrder).times(1));
    let answer = world.client.new_order(wish()).await;
    let nonce = answer.header("replay-nonce").unwrap().parse().unwrap();
    let url = world.client.directory.new_order.clone();
    let header = world.client.header(&url).await.nonce(nonce);
    let answer = world.client.post_with(&url, &header, b"{}").await;
    answer.expect_problem(400, ProblemType::BadNonce);
}

#[tokio::test]
async fn headers_are_missing() {
    let mut world = World::new().await;
    world
        .ca
        .inject(Fault::NoLocation.on(Operation::NewOrder).times(1));
    world
        .ca
        .inject(Fault::NoLinks.on(Operation::NewOrder).times(1));
    let answer = world.client.new_order(wish()).await;
    assert_eq!(answer.expect(201).header("location"), None);
    assert_eq!(answer.header("link"), None);
    let answer = world.client.new_order(wish()).await;
    assert!(answer.header("location").is_some() && answer.header("link").is_some());
}

#[tokio::test]
async fn a_media_type_may_have_a_parameter() {
    let mut world = World::new().await;
    world.ca.inject(Fault::Charset);
    let answer = world.client.new_order(wish()).await;
    let expected = Some("application/json; charset=utf-8");
    assert_eq!(answer.expect(201).header("content-type"), expected);
    world.ca.clear_faults();
    let answer = world.client.new_order(wish()).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn retry_after_takes_every_form() {
    let builder = builder().retry_after(Duration::from_secs(3));
    let mut world = World::with(builder).await;
    let (url, _) = world.client.order(&["example.com"]).await;
    let seen = async |world: &mut World, rule: FaultRule| {
        world.ca.clear_faults();
        world.ca.inject(rule);
        let answer = world.client.fetch(&url).await;
        answer.header("retry-after").map(str::to_owned)
    };
    assert_eq!(seen(&mut world, Fault::NoRetryAfter.into()).await, None);
    let absurd = "99999999999999999999";
    let rule = Fault::RetryAfterText(absurd.to_owned()).into();
    assert_eq!(seen(&mut world, rule).await.as_deref(), Some(absurd));
    let rule = Fault::RetryAfterDate(Duration::from_secs(600)).into();
    let date = seen(&mut world, rule).await.unwrap();
    let now = Timestamp::now();
    let span = retry_after::parse(&date, now).unwrap();
    assert!((590..=601).contains(&span.as_secs()), "{date}");
    // A date where no header stood: an error, renewal information.
    world.ca.configure(|it| it.answers.retry_after = None);
    let rule = Fault::RetryAfterDate(Duration::from_secs(60)).into();
    assert!(seen(&mut world, rule).await.unwrap().ends_with(" GMT"));
}

#[tokio::test]
async fn a_rule_skips_and_counts() {
    let mut world = World::new().await;
    let limited = Problem::new(ProblemType::RateLimited, "no");
    world.ca.inject(
        Fault::Fail(acme_testing::Failure::problem(429, limited))
            .on(Operation::NewOrder)
            .on(Operation::Account)
            .times(2)
            .after(1),
    );
    let kid = world.client.kid.clone();
    world.client.new_order(wish()).await.expect(201);
    world.client.fetch(&kid).await.expect(429);
    world.client.new_order(wish()).await.expect(429);
    world.client.new_order(wish()).await.expect(201);
}
