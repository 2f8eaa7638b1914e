//! Redirects of http-01 (RFC 8555, section 8.3), followed as far as CAs may.

use std::sync::Arc;

use acme_testing::{
    CertificateValidity, Style, TestPki,
    messages::{Authorization, ChallengeType, Problem, ProblemType, jose::PrivateKey},
};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    client::provider,
    dns_world::expect,
    world::{World, challenge_path},
};

fn moved(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

/// Responds once `serve` has put things on the web server: the path, and the right answer.
async fn validate(world: &mut World, serve: impl FnOnce(&World, &str, &str)) -> Option<Problem> {
    let (_, order) = world.client.order(&["example.com"]).await;
    let url = &order.authorizations[0];
    let (challenge, answer) = world.client.challenge(url, ChallengeType::Http01).await;
    let path = challenge_path(challenge.token.as_deref());
    serve(world, &path, answer.as_str());
    let response = world.client.post(&challenge.url, json!({})).await;
    response.expect(200);
    let seen: Authorization = world.client.fetch(url).await.json();
    seen.challenges[0].error.clone()
}

/// A web server that speaks TLS, with a certificate from nowhere; returns its port and what it
/// was asked.
async fn https(answer: String) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let names = ["somewhere.invalid".parse().unwrap()];
    let (chain, key): (_, PrivateKey) = TestPki::new()
        .unwrap()
        .issue_server(&names, CertificateValidity::FOREVER)
        .unwrap();
    let key = key.to_pkcs8_der().unwrap().to_vec();
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            chain.as_der().to_vec(),
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key)),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, asked) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            request.truncate(length);
            let _ = sender.send(String::from_utf8(request).unwrap());
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, asked)
}

#[tokio::test]
async fn the_location_may_be_relative() {
    let mut world = World::new().await;
    for (location, path) in [
        ("/elsewhere", "/elsewhere"),
        ("elsewhere", "/.well-known/acme-challenge/elsewhere"),
        ("../../elsewhere", "/elsewhere"),
        ("?again=1", ""),
        ("//example.com/elsewhere", "/elsewhere"),
        ("http://example.com", "/"),
        ("http://example.com?x", "/?x"),
        ("HTTP://EXAMPLE.com:80/elsewhere#part", "/elsewhere"),
    ] {
        let problem = validate(&mut world, |it, own, answer| {
            let target = match path {
                "" => format!("{own}?again=1"),
                path => path.to_owned(),
            };
            it.web.answer(own, moved(302, location));
            it.web.serve(&target, answer);
        });
        assert_eq!(problem.await, None, "{location}");
    }
}

/// Only four kinds of redirects may be followed (Baseline Requirements, section 3.2.2.4.19).
#[tokio::test]
async fn only_some_statuses_are_followed() {
    let mut world = World::new().await;
    for (status, outcome) in [
        (301, None),
        (302, None),
        (307, None),
        (308, None),
        (303, Some(ProblemType::Connection)),
        (300, Some(ProblemType::Unauthorized)),
        (304, Some(ProblemType::Unauthorized)),
        (305, Some(ProblemType::Unauthorized)),
    ] {
        let problem = validate(&mut world, |it, path, answer| {
            it.web.answer(path, moved(status, "/there"));
            it.web.serve("/there", answer);
        });
        let kind = problem.await.map(|it| it.into_details().kind);
        assert_eq!(kind, outcome, "{status}");
    }
}

#[tokio::test]
async fn where_no_ca_may_go_this_one_does_not() {
    let mut world = World::new().await;
    let long = format!("/{}", "x".repeat(2000));
    for (location, words) in [
        ("http://example.com:8080/", "port other than"),
        ("http://example.com:65536/", "port other than"),
        ("http://[::1]:81/", "port other than"),
        ("ftp://example.com/", "other than http and https"),
        ("file:///etc/passwd", ""),
        ("mailto:a@example.com", ""),
        ("http://", ""),
        ("http:///there", ""),
        ("http://exa_mple/", "no name"),
        ("http://*.example.com/", "no name"),
        ("http://[fe80::1%25lo]/", "zone"),
        ("http://[fe80::1%lo]/", "zone"),
        ("http://[::1/", ""),
        ("http://example.com.well-known/acme-challenge/x", "slash"),
        (&long, "too long"),
        ("/a b", "Location"),
        ("/\u{e9}", "Location"),
        ("", ""),
    ] {
        let problem = validate(&mut world, |it, path, answer| {
            it.web.answer(path, moved(302, location));
            it.web.serve("/there", answer);
        });
        expect(problem.await, ProblemType::Connection, words);
    }
    let problem = validate(&mut world, |it, path, _| {
        let answer = "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n";
        it.web.answer(path, answer);
    });
    expect(problem.await, ProblemType::Connection, "Location");
    // None of these was knocked at twice.
    assert_eq!(world.web.requests().len(), 19);
}

#[tokio::test]
async fn circles_are_seen_and_long_ways_given_up() {
    let mut world = World::new().await;
    let problem = validate(&mut world, |it, path, _| {
        it.web.answer(path, moved(302, "/one"));
        it.web.answer("/one", moved(302, "/two"));
        it.web
            .answer("/two", moved(302, "http://EXAMPLE.com:80/one#x"));
    });
    expect(problem.await, ProblemType::Connection, "circle");
    assert_eq!(world.web.requests().len(), 3);

    for (last, met) in [(10, true), (11, false)] {
        let problem = validate(&mut world, |it, path, answer| {
            it.web.answer(path, moved(302, "/1"));
            for number in 1..last {
                let next = format!("/{}", number + 1);
                it.web.answer(&format!("/{number}"), moved(302, &next));
            }
            it.web.serve(&format!("/{last}"), answer);
        })
        .await;
        assert_eq!(problem.is_none(), met, "{problem:?}");
        if !met {
            expect(problem, ProblemType::Connection, "more than 10");
        }
    }
}

/// To HTTPS with any certificate, on 443 which stands for a port of the test.
#[tokio::test]
async fn https_is_followed_without_asking_who_it_is() {
    let mut world = World::new().await;
    for (location, host) in [
        ("https://www.example.com/there", "www.example.com"),
        ("https://www.example.com:443/there", "www.example.com"),
        ("https://127.0.0.1/there", "127.0.0.1"),
    ] {
        let (_, order) = world.client.order(&["example.com"]).await;
        let url = &order.authorizations[0];
        let (challenge, answer) = world.client.challenge(url, ChallengeType::Http01).await;
        let path = challenge_path(challenge.token.as_deref());
        world.web.answer(&path, moved(301, location));
        let whole = format!("HTTP/1.1 200 OK\r\n\r\n{}", answer.as_str());
        let (port, mut asked) = https(whole).await;
        world.ca.configure(|it| it.validation.https_port = port);
        world
            .client
            .post(&challenge.url, json!({}))
            .await
            .expect(200);
        let seen: Authorization = world.client.fetch(url).await.json();
        assert_eq!(seen.challenges[0].error, None, "{location}");
        let asked = asked.recv().await.unwrap().to_ascii_lowercase();
        assert!(asked.starts_with("get /there http/1.1\r\n"), "{asked}");
        assert!(asked.contains(&format!("\r\nhost: {host}\r\n")), "{asked}");
        assert!(asked.contains("\r\nconnection: close\r\n"), "{asked}");
    }
    // The protocol goes by the scheme, whatever the port.
    let port = world.web.port;
    world.ca.configure(|it| it.validation.https_port = port);
    let problem = validate(&mut world, |it, path, answer| {
        it.web
            .answer(path, moved(301, "http://example.com:443/there"));
        it.web.serve("/there", answer);
    });
    assert_eq!(problem.await, None);
}

#[tokio::test]
async fn https_that_is_none_is_a_tls_problem() {
    let mut world = World::new().await;
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    world.ca.configure(|it| it.validation.https_port = port);
    let problem = validate(&mut world, |it, path, _| {
        it.web.answer(path, moved(301, "https://example.com/"));
    });
    expect(problem.await, ProblemType::Tls, "https://example.com/");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    world.ca.configure(|it| it.validation.https_port = port);
    let problem = validate(&mut world, |it, path, _| {
        it.web.answer(path, moved(301, "https://example.com/"));
    });
    expect(problem.await, ProblemType::Connection, "");
}

/// What is wrong at the end of the way is told as what is wrong at its beginning.
#[tokio::test]
async fn the_last_answer_counts() {
    let mut world = World::new().await;
    world.ca.configure(|it| it.style = Style::Boulder);
    let problem = validate(&mut world, |it, path, answer| {
        it.web.answer(path, moved(302, "/there"));
        it.web.serve("/there", &format!("{answer}x"));
    });
    expect(
        problem.await,
        ProblemType::Unauthorized,
        "key authorization",
    );
    let problem = validate(&mut world, |it, path, _| {
        it.web.answer(path, moved(302, "/nowhere"));
    });
    expect(problem.await, ProblemType::Unauthorized, "404");
}
