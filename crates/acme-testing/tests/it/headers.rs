//! The headers that requests and answers have (RFC 8555, sections 6.1, 6.2 and 7.1).

use acme_testing::messages::{Order, ProblemType, jose::FlattenedJws};
use http::{HeaderValue, Method};
use serde_json::json;

use crate::{
    client::{Answer, Client},
    world::{World, builder},
};

/// One answer of each kind of resource, told by its name.
async fn answers(world: &mut World) -> Vec<(&'static str, Answer)> {
    let (chain, _, certificate) = world.issue(&["example.com"]).await;
    let (order_url, order) = world.client.order(&["example.com"]).await;
    let client = &mut world.client;
    let (kid, directory) = (client.kid.clone(), client.directory.clone());
    let kind = acme_testing::messages::ChallengeType::Http01;
    let (challenge, _) = client.challenge(&order.authorizations[0], kind).await;
    let name = chain.leaf().certificate_id().unwrap();
    let renewal = format!("{}/{name}", directory.renewal_info.unwrap());
    let orders = format!("{kid}/orders");
    let name = json!({ "type": "dns", "value": "example.com" });
    vec![
        ("newNonce", client.get(&directory.new_nonce).await),
        ("newAccount", client.new_account(json!({})).await),
        (
            "newOrder",
            client.new_order(json!({ "identifiers": [name] })).await,
        ),
        (
            "newAuthz",
            client
                .post(&directory.new_authz.unwrap(), json!({ "identifier": name }))
                .await,
        ),
        ("account", client.fetch(&kid).await),
        ("orders", client.fetch(&orders).await),
        ("order", client.fetch(&order_url).await),
        (
            "authorization",
            client.fetch(&order.authorizations[0]).await,
        ),
        ("challenge", client.fetch(&challenge.url).await),
        ("certificate", client.fetch(&certificate).await),
        ("renewalInfo", client.get(&renewal).await),
        (
            "a refusal",
            client.post(&order.finalize, json!({ "csr": "" })).await,
        ),
        ("nothing", client.get(&format!("{kid}/x/y")).await),
    ]
}

#[tokio::test]
async fn all_lead_back_to_the_directory_and_serve_web_pages() {
    let mut world = World::new().await;
    let url = world.ca.directory_url();
    for (what, answer) in answers(&mut world).await {
        assert_eq!(
            answer.link("index").as_deref(),
            Some(url.as_str()),
            "{what}"
        );
        let origin = answer.header("access-control-allow-origin");
        assert_eq!(origin, Some("*"), "{what}");
    }
    let directory = world.client.get(&url).await;
    assert_eq!(directory.expect(200).link("index"), None);
    let origin = directory.header("access-control-allow-origin");
    assert_eq!(origin, Some("*"));
}

#[tokio::test]
async fn what_is_made_tells_where_it_is() {
    let mut world = World::new().await;
    for (what, answer) in answers(&mut world).await {
        let location = answer.header("location").map(str::to_owned);
        let made = ["newAccount", "newOrder", "newAuthz"].contains(&what);
        assert_eq!(location.is_some(), made, "{what}");
        if let Some(location) = location {
            world.client.fetch(&location).await.expect(200);
        }
    }
}

/// Whoever reads one URL can guess no other: each ends in 128 random bits.
#[tokio::test]
async fn urls_cannot_be_guessed() {
    let mut world = World::new().await;
    let (_, _, certificate) = world.issue(&["example.com"]).await;
    let (first_url, first) = world.client.order(&["example.com"]).await;
    let (second_url, second) = world.client.order(&["example.com"]).await;
    let mut ids = std::collections::HashSet::new();
    let kid = world.client.kid.clone();
    let urls = [&certificate, &first_url, &second_url, &kid];
    let authorizations = first.authorizations.iter().chain(&second.authorizations);
    for url in urls.into_iter().chain(authorizations) {
        let id = url.rsplit('/').next().unwrap();
        assert!(id.len() >= 22, "{url}");
        assert!(ids.insert(id.to_owned()), "{url}");
    }
}

#[tokio::test]
async fn waiting_is_asked_for_only_where_something_is_to_come() {
    let wait = std::time::Duration::from_secs(7);
    let mut world = World::with(builder().retry_after(wait)).await;
    let (url, order) = world.client.order(&["example.com"]).await;
    let authorization = order.authorizations[0].clone();
    for pending in [&url, &authorization] {
        let answer = world.client.fetch(pending).await;
        assert_eq!(answer.header("retry-after"), Some("7"), "{pending}");
    }
    world.prove(&authorization).await;
    for settled in [&url, &authorization, &world.client.kid.clone()] {
        let answer = world.client.fetch(settled).await;
        assert_eq!(answer.header("retry-after"), None, "{settled}");
    }
    let give_up = json!({ "status": "deactivated" });
    world.client.post(&authorization, give_up).await.expect(200);
    let answer = world.client.fetch(&url).await;
    assert_eq!(answer.json::<Order>().status.to_string(), "invalid");
    assert_eq!(answer.header("retry-after"), None);
}

/// A fetch of the account with one header changed.
async fn with_header(
    client: &mut Client,
    name: &'static str,
    value: Option<&'static str>,
) -> Answer {
    let url = client.kid.clone();
    let header = client.header(&url).await;
    let body = FlattenedJws::sign(&client.key, header, b"").unwrap();
    let mut request = Client::request(Method::POST, &url, body.to_json());
    match value {
        Some(value) => {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(name, value);
        }
        None => drop(request.headers_mut().remove(name)),
    }
    client.send(request).await
}

#[tokio::test]
async fn the_media_type_is_exact() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    for other in [
        None,
        Some(""),
        Some("application/json"),
        Some("application/jose"),
        Some("application/jose+json; charset=utf-8"),
    ] {
        let answer = with_header(&mut client, "content-type", other).await;
        answer.expect_problem(415, ProblemType::Malformed);
    }
    let right = Some("application/jose+json");
    let answer = with_header(&mut client, "content-type", right).await;
    answer.expect(200);
}

#[tokio::test]
async fn a_user_agent_is_due_and_a_language_is_welcome() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    for none in [None, Some("")] {
        let answer = with_header(&mut client, "user-agent", none).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
    let answer = with_header(&mut client, "accept-language", Some("de, tlh;q=0.5")).await;
    answer.expect(200);
    // A GET needs one too.
    let mut request = Client::request(Method::GET, &ca.directory_url(), Vec::new());
    request.headers_mut().remove("user-agent");
    let answer = client.send(request).await;
    answer.expect_problem(400, ProblemType::Malformed);
}
