//! Authorizations ahead of orders, and those that orders share
//! (RFC 8555, sections 7.4.1 and 7.1.3).

use acme_testing::messages::{Authorization, AuthorizationStatus, Order, OrderStatus, ProblemType};
use serde_json::json;

use crate::world::{World, builder};

#[tokio::test]
async fn an_authorization_ahead_serves_the_next_order() {
    let mut world = World::new().await;
    let url = world.client.directory.new_authz.clone().unwrap();
    let asked = json!({ "identifier": { "type": "dns", "value": "example.com" } });
    let answer = world.client.post(&url, asked.clone()).await;
    let authorization: Authorization = answer.expect(201).json();
    assert_eq!(authorization.status, AuthorizationStatus::Pending);
    let location = answer.location();

    // A second wish, and an order, get the same one.
    let again = world.client.post(&url, asked).await;
    assert_eq!(again.expect(201).location(), location);
    let (order_url, order) = world.client.order(&["example.com"]).await;
    assert_eq!(order.authorizations, [location.as_str()]);
    world.prove(&location).await;
    let order: Order = world.client.fetch(&order_url).await.json();
    assert_eq!(order.status, OrderStatus::Ready);
    let (_, order) = world.client.order(&["example.com"]).await;
    assert_eq!(order.status, OrderStatus::Ready);
}

#[tokio::test]
async fn what_the_ca_will_not_do_it_says_ahead() {
    let builder = builder().configure(|it| {
        it.orders.blocked = ["blocked.example".to_owned()].into();
    });
    let mut world = World::with(builder).await;
    let url = world.client.directory.new_authz.clone().unwrap();
    let wish = |value: &str| json!({ "identifier": { "type": "dns", "value": value } });
    let answer = world.client.post(&url, wish("*.example.com")).await;
    answer.expect_problem(400, ProblemType::Malformed);
    for name in ["blocked.example", "www.blocked.example"] {
        let answer = world.client.post(&url, wish(name)).await;
        answer.expect_problem(403, ProblemType::RejectedIdentifier);
        let order = json!({ "identifiers": [{ "type": "dns", "value": name }] });
        let answer = world.client.new_order(order).await;
        answer.expect_problem(400, ProblemType::RejectedIdentifier);
    }
    world.client.order(&["unblocked.example"]).await;
    world.client.order(&["notblocked.example"]).await;

    world.ca.configure(|it| it.orders.pre_authorization = false);
    world.client.post(&url, wish("a.example")).await.expect(404);
}

#[tokio::test]
async fn pending_authorizations_and_orders_are_shared_on_demand() {
    let mut world = World::new().await;
    let (first_url, first) = world.client.order(&["a.example", "b.example"]).await;
    let (_, second) = world.client.order(&["a.example", "b.example"]).await;
    assert_ne!(first.authorizations, second.authorizations);

    world.ca.configure(|it| it.orders.reuse_pending = true);
    let (_, third) = world.client.order(&["a.example"]).await;
    assert_eq!(third.authorizations, second.authorizations[..1]);
    world.ca.configure(|it| it.orders.reuse_orders = true);
    let (url, fourth) = world.client.order(&["b.example", "a.example"]).await;
    assert_ne!(url, first_url, "the latest one that fits");
    assert_eq!(fourth.authorizations, second.authorizations);
    let (other, _) = world.client.order(&["b.example"]).await;
    assert_ne!(other, url);
}
