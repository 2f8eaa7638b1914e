//! The list of an account's orders (RFC 8555, section 7.1.2.1).

use acme_testing::messages::{Account, OrdersList, ProblemType};
use serde_json::json;

use crate::{
    client::Client,
    world::{World, builder},
};

async fn list_url(client: &mut Client) -> Option<String> {
    let kid = client.kid.clone();
    client.fetch(&kid).await.json::<Account>().orders
}

#[tokio::test]
async fn orders_come_in_pages_without_those_that_failed() {
    let builder = builder().configure(|it| it.accounts.orders_per_page = 2);
    let mut world = World::with(builder).await;
    let mut placed = Vec::new();
    for name in [
        "a.example",
        "b.example",
        "c.example",
        "d.example",
        "e.example",
        "f.example",
    ] {
        let (url, order) = world.client.order(&[name]).await;
        placed.push((url, order.authorizations[0].clone()));
    }
    // An order whose authorization is given up fails.
    let (failed, authorization) = placed.remove(1);
    world
        .client
        .post(&authorization, json!({ "status": "deactivated" }))
        .await
        .expect(200);

    let mut seen = Vec::new();
    let mut pages = 0;
    let mut next = list_url(&mut world.client).await;
    while let Some(url) = next {
        let answer = world.client.fetch(&url).await;
        next = answer.expect(200).link("next");
        let page: OrdersList = answer.json();
        assert!(page.orders.len() <= 2);
        seen.extend(page.orders);
        pages += 1;
    }
    assert_eq!(pages, 3);
    assert!(!seen.contains(&failed));
    let placed: Vec<_> = placed.into_iter().map(|it| it.0).collect();
    assert_eq!(seen, placed);
}

#[tokio::test]
async fn the_list_is_the_accounts_own() {
    let ca = builder().start().await.unwrap();
    let mut owner = Client::register(&ca).await;
    let url = list_url(&mut owner).await.unwrap();
    assert!(
        owner
            .fetch(&url)
            .await
            .json::<OrdersList>()
            .orders
            .is_empty()
    );
    let mut stranger = Client::register(&ca).await;
    let answer = stranger.fetch(&url).await;
    answer.expect_problem(403, ProblemType::Unauthorized);
    let answer = owner.post(&url, json!({})).await;
    answer.expect_problem(400, ProblemType::Malformed);
    let answer = owner.get(&url).await;
    answer.expect_problem(405, ProblemType::Malformed);
}

#[tokio::test]
async fn a_ca_may_have_no_list() {
    let ca = builder()
        .configure(|it| it.accounts.orders_list = false)
        .start()
        .await
        .unwrap();
    let mut client = Client::register(&ca).await;
    assert_eq!(list_url(&mut client).await, None);
    let url = format!("{}/orders", client.kid);
    client.fetch(&url).await.expect(404);
}
