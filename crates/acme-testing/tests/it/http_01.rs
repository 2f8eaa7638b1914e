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
    assert!(request.contains("\r\naccept: */*\r\n"), "{request}");
    assert!(request.contains("\r\nconnection: close\r\n"), "{request}");
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

/// As at Boulder: 127 bytes are read and no more.
#[tokio::test]
async fn long_answers_are_refused() {
    let mut world = World::new().await;
    for (length, expected) in [
        (127, None),
        (128, Some(ProblemType::IncorrectResponse)),
        (60_000, Some(ProblemType::IncorrectResponse)),
    ] {
        let kind = validate(&mut world, "example.com", |it, path, answer| {
            it.web.serve(path, &format!("{answer: <length$}"));
        });
        assert_eq!(kind.await, expected, "{length}");
    }
}

#[tokio::test]
async fn only_200_is_an_answer() {
    let mut world = World::new().await;
    for status in [201, 203, 204, 206, 400, 404, 500] {
        let kind = validate(&mut world, "example.com", |it, path, answer| {
            let whole = format!("HTTP/1.1 {status} Whatever\r\n\r\n{answer}");
            it.web.answer(path, whole);
        });
        assert_eq!(kind.await, Some(ProblemType::Unauthorized), "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    let mut world = World::new().await;
    let kind = validate(&mut world, "example.com", |it, path, answer| {
        let whole = format!("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{answer}");
        it.web.answer(path, whole);
    });
    assert_eq!(kind.await, Some(ProblemType::Unauthorized));
    let kind = validate(&mut world, "example.com", |it, path, answer| {
        let whole = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", answer.len());
        it.web.answer(path, whole);
    });
    assert_eq!(kind.await, Some(ProblemType::Connection));
}

/// A server that says `begin` to each visitor, and then `again` without end, or nothing more.
async fn endless(begin: &'static str, again: Option<&'static str>) -> u16 {
    use tokio::io::AsyncWriteExt;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut sent = stream.write_all(begin.as_bytes()).await;
                while sent.is_ok() {
                    sent = match again {
                        Some(again) => stream.write_all(again.as_bytes()).await,
                        None => std::future::pending().await,
                    };
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn what_does_not_end_is_given_up() {
    let mut world = World::new().await;
    for (begin, again, expected) in [
        // Too much of it is known long before the time is over.
        (
            "HTTP/1.1 200 OK\r\n\r\n",
            "aaaaaaaaaaaaaaaa",
            ProblemType::IncorrectResponse,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "1\r\na\r\n",
            ProblemType::IncorrectResponse,
        ),
        (
            "HTTP/1.1 200 OK\r\n",
            "x-more: of it\r\n",
            ProblemType::Connection,
        ),
        (
            "HTTP/1.1 200 OK\r\nx: ",
            "yyyyyyyyyyyyyyyy",
            ProblemType::Connection,
        ),
        (
            "HTTP/1.1 404 Not Found\r\n\r\n",
            "aaaaaaaaaaaaaaaa",
            ProblemType::Unauthorized,
        ),
    ] {
        world.ca.set_http_01_port(endless(begin, Some(again)).await);
        let kind = validate(&mut world, "example.com", |_, _, _| {}).await;
        assert_eq!(kind, Some(expected), "{begin:?} {again:?}");
    }
    let short = Duration::from_millis(50);
    world.ca.configure(|it| it.validation.timeout = short);
    for begin in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\na"] {
        world.ca.set_http_01_port(endless(begin, None).await);
        let kind = validate(&mut world, "example.com", |_, _, _| {}).await;
        assert_eq!(kind, Some(ProblemType::Connection), "{begin:?}");
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
