//! Faults on demand.

use std::time::Duration;

use acme_testing::{
    Failure, Operation,
    messages::{Problem, ProblemType},
};
use serde_json::json;

use crate::{
    client::Client,
    world::{World, builder},
};

#[tokio::test]
async fn nonces_are_refused_at_the_rate_asked_for() {
    let ca = builder()
        .nonce_reject_rate(0.3)
        .seed(7)
        .start()
        .await
        .unwrap();
    let refused = async || {
        let mut client = Client::connect(&ca).await;
        let mut refused = 0;
        for _ in 0..200 {
            let answer = client
                .new_account(json!({ "onlyReturnExisting": true }))
                .await;
            let problem: Problem = answer.json();
            refused += usize::from(problem.kind == ProblemType::BadNonce);
        }
        refused
    };
    let some = refused().await;
    assert!((30..90).contains(&some), "{some} of 200");
    ca.configure(|it| it.answers.nonce_reject_rate = 1.0);
    assert_eq!(refused().await, 200);
    ca.configure(|it| it.answers.nonce_reject_rate = 0.0);
    assert_eq!(refused().await, 0);
}

#[tokio::test]
async fn the_next_request_fails_as_told() {
    let mut world = World::new().await;
    let order = json!({ "identifiers": [{ "type": "dns", "value": "example.com" }] });
    let limited = Problem::new(ProblemType::RateLimited, "too many orders");
    let limited = Failure::problem(429, limited).retry_after(Duration::from_secs(90));
    world.ca.fail_next(Operation::NewOrder, limited);
    world.ca.fail_next(Operation::NewOrder, 503);

    let answer = world.client.new_order(order.clone()).await;
    answer.expect_problem(429, ProblemType::RateLimited);
    assert_eq!(answer.header("retry-after"), Some("90"));
    assert!(answer.header("replay-nonce").is_some());
    let answer = world.client.new_order(order.clone()).await;
    assert!(answer.expect(503).body.is_empty());
    assert_eq!(answer.header("replay-nonce"), None);
    world.client.new_order(order).await.expect(201);

    world.ca.fail_next(
        Operation::Directory,
        Problem::new(ProblemType::ServerInternal, "no"),
    );
    let url = world.ca.directory_url();
    world
        .client
        .get(&url)
        .await
        .expect_problem(400, ProblemType::ServerInternal);
    world.client.get(&url).await.expect(200);
    let recorded = world.ca.requests();
    let last = &recorded[recorded.len() - 2];
    assert_eq!(last.problem, Some(ProblemType::ServerInternal));
}
