//! Validation by http-01 (RFC 8555, section 8.3).

use std::{net::IpAddr, time::Duration};

use acme_testing::{
    Resolver,
    messages::{
        Authorization, AuthorizationStatus, ChallengeStatus, ChallengeType, Order, OrderStatus,
        ProblemType, ServerName,
    },
};
use serde_json::json;
use tokio::net::TcpListener;

use crate::world::{World, builder, challenge_path};

/// Responds with whatever `serve` puts on the web server; returns the problem, if any.
async fn validate(
    world: &mut World,
    name: &str,
    serve: impl FnOnce(&World, &str, &str),
) -> Option<ProblemType> {
    let (url, order) = world.client.order(&[name]).await;
    let authorization = &order.authorizations[0];
    let (challenge, answer) = world
        .client
        .challenge(authorization, ChallengeType::Http01)
        .await;
    serve(
        world,
        &challenge_path(challenge.token.as_deref()),
        answer.as_str(),
    );
    world
        .client
        .post(&challenge.url, json!({}))
        .await
        .expect(200);
    let seen: Authorization = world.client.fetch(authorization).await.json();
    let order: Order = world.client.fetch(&url).await.json();
    let Some(problem) = seen.challenges[0].error.clone() else {
        assert_eq!(seen.status, AuthorizationStatus::Valid);
        assert_eq!(order.status, OrderStatus::Ready);
        return None;
    };
    assert_eq!(seen.status, AuthorizationStatus::Invalid);
    assert_eq!(seen.challenges[0].status, ChallengeStatus::Invalid);
    assert_eq!(order.status, OrderStatus::Invalid);
    assert_eq!(order.error.unwrap(), problem);
    let detail = problem.detail.as_deref().unwrap();
    assert!(detail.starts_with(name), "{detail}");
    Some(problem.kind.clone())
}

#[tokio::test]
async fn the_key_authorization_is_fetched_by_name() {
    let mut world = World::new().await;
    assert_eq!(
        validate(&mut world, "www.example.com", |it, path, answer| {
            it.web.serve(path, &format!("{answer}\r\n \t"));
        })
        .await,
        None
    );
    let requests = world.web.requests();
    assert_eq!(requests.len(), 1);
    let request = requests[0].to_ascii_lowercase();
    assert!(
        request.starts_with("get /.well-known/acme-challenge/"),
        "{request}"
    );
    assert!(
        request.contains("\r\nhost: www.example.com\r\n"),
        "{request}"
    );
    assert!(request.contains("\r\nuser-agent: "), "{request}");
}

#[tokio::test]
async fn addresses_are_validated_too() {
    let mut world = World::new().await;
    assert_eq!(
        validate(&mut world, "192.0.2.7", |it, path, answer| {
            it.web.serve(path, answer);
        })
        .await,
        None
    );
    assert!(world.web.requests()[0].contains("192.0.2.7\r\n"));

    let mut world = World::with(builder().resolve_to("127.0.0.1".parse().unwrap())).await;
    assert_eq!(
        validate(&mut world, "2001:db8::1", |it, path, answer| {
            it.web.serve(path, answer);
        })
        .await,
        None
    );
    assert!(world.web.requests()[0].contains("[2001:db8::1]\r\n"));
}

#[tokio::test]
async fn a_wrong_answer_is_refused() {
    let mut world = World::new().await;
    let mut check = async |serve: fn(&World, &str, &str), expected: ProblemType| {
        assert_eq!(
            validate(&mut world, "example.com", serve).await,
            Some(expected)
        );
    };
    check(|_, _, _| {}, ProblemType::Unauthorized).await;
    check(
        |it, path, _| it.web.serve(path, "something"),
        ProblemType::IncorrectResponse,
    )
    .await;
    check(
        |it, path, answer| it.web.serve(path, answer.split('.').next().unwrap()),
        ProblemType::IncorrectResponse,
    )
    .await;
    check(
        |it, path, answer| it.web.serve(path, &format!(" {answer}")),
        ProblemType::IncorrectResponse,
    )
    .await;
    check(
        |it, path, answer| it.web.serve(path, &format!("{answer}{}", " ".repeat(64))),
        ProblemType::IncorrectResponse,
    )
    .await;
    check(
        |it, path, answer| {
            let length = answer.len();
            let head = format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\n\r\n");
            it.web.answer(path, format!("{head}{answer}"));
        },
        ProblemType::Unauthorized,
    )
    .await;
    check(
        |it, path, _| it.web.answer(path, "not HTTP at all\r\n\r\n"),
        ProblemType::Connection,
    )
    .await;
    check(
        |it, path, _| it.web.answer(path, ""),
        ProblemType::Connection,
    )
    .await;
}

#[tokio::test]
async fn redirects_are_followed_within_reason() {
    let mut world = World::new().await;
    let redirect =
        |to: &str| format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(
        validate(&mut world, "example.com", |it, path, answer| {
            it.web.answer(path, redirect("/elsewhere"));
            it.web
                .answer("/elsewhere", redirect("http://other.example/there?x=1"));
            it.web.serve("/there?x=1", answer);
        })
        .await,
        None
    );
    assert!(world.web.requests()[2].contains("other.example\r\n"));
    for target in [
        "http://example.com:8080/",
        "ftp://example.com/",
        "/loop",
        "http://exa_mple/",
    ] {
        let kind = validate(&mut world, "example.com", |it, path, _| {
            it.web.answer("/loop", redirect("/loop"));
            it.web.answer(path, redirect(target));
        })
        .await;
        assert_eq!(kind, Some(ProblemType::Connection), "{target}");
    }
}

#[tokio::test]
async fn where_no_one_is_there_is_no_connection() {
    let mut world = World::new().await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.ca.set_http_01_port(free.local_addr().unwrap().port());
    drop(free);
    let kind = validate(&mut world, "example.com", |_, _, _| {}).await;
    assert_eq!(kind, Some(ProblemType::Connection));
    world.ca.set_http_01_port(world.web.port);
    assert_eq!(
        validate(&mut world, "example.com", |it, path, answer| {
            it.web.serve(path, answer);
        })
        .await,
        None
    );
}

#[tokio::test]
async fn a_name_without_an_address_is_a_dns_problem() {
    let mut world = World::new().await;
    let resolver = Resolver::new(|name: &ServerName| match name.to_string().as_str() {
        "dead.example" => None,
        _ => Some(IpAddr::from([127, 0, 0, 1])),
    });
    world.ca.configure(|it| it.validation.resolver = resolver);
    let kind = validate(&mut world, "dead.example", |_, _, _| {}).await;
    assert_eq!(kind, Some(ProblemType::Dns));
    assert_eq!(
        validate(&mut world, "live.example", |it, path, answer| {
            it.web.serve(path, answer);
        })
        .await,
        None
    );
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let mut world = World::with(builder().validation_timeout(Duration::ZERO)).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    world
        .ca
        .set_http_01_port(silent.local_addr().unwrap().port());
    let kind = validate(&mut world, "example.com", |_, _, _| {}).await;
    assert_eq!(kind, Some(ProblemType::Connection));
}

#[tokio::test]
async fn a_look_need_not_wait_for_the_validation() {
    let mut world = World::with(
        builder()
            .polls_wait(false)
            .retry_after(Duration::from_secs(7)),
    )
    .await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    world
        .ca
        .set_http_01_port(silent.local_addr().unwrap().port());
    let (url, order) = world.client.order(&["example.com"]).await;
    let authorization = order.authorizations[0].clone();
    let (challenge, _) = world
        .client
        .challenge(&authorization, ChallengeType::Http01)
        .await;
    let answer = world.client.post(&challenge.url, json!({})).await;
    assert_eq!(
        answer.json::<acme_testing::messages::Challenge>().status,
        ChallengeStatus::Processing
    );
    assert_eq!(answer.header("retry-after"), Some("7"));
    let answer = world.client.fetch(&authorization).await;
    assert_eq!(
        answer.json::<Authorization>().status,
        AuthorizationStatus::Pending
    );
    assert_eq!(answer.header("retry-after"), Some("7"));
    let answer = world.client.fetch(&url).await;
    assert_eq!(answer.json::<Order>().status, OrderStatus::Pending);
    assert_eq!(answer.header("retry-after"), Some("7"));
}
