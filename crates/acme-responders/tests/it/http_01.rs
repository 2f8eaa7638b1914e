//! http-01 over TCP and as a tower service (rows R5, R6; RFC 8555, section 8.3).

use std::net::SocketAddr;

use acme_responders::{
    ChallengeContext, Http01Responder, Http01Service, Responder,
    messages::{ChallengeType, Token},
};
use http::{Method, Request, StatusCode, Version};
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower_service::Service;

use crate::responder::{challenge, is_ready, starts_and_stops};

const TOKEN: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";

fn context(token: &str) -> ChallengeContext {
    challenge("example.com", ChallengeType::Http01, token)
}

/// A listener of its own on a free port.
async fn served(service: Http01Service) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(service.serve(listener));
    address
}

/// Says something and hears all that is said back.
async fn say(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn get(address: SocketAddr, path: &str) -> String {
    say(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: example.com\r\n\r\n"),
    )
    .await
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or(answer)
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn starts_and_stops_over_tcp() {
    // Rows R4, R6.
    let responder = Http01Responder::new();
    let address = served(responder.service()).await;
    let challenges: Vec<_> = (0..50).map(|it| context(&format!("token-{it}"))).collect();
    starts_and_stops(&responder, &challenges, |at| {
        let path = format!("/.well-known/acme-challenge/token-{at}");
        let expected = challenges[at].key_authorization().as_str();
        async move {
            let answer = get(address, &path).await;
            match status(&answer) {
                "200" => assert_eq!(body(&answer), expected),
                other => assert_eq!((other, body(&answer)), ("404", "")),
            }
            status(&answer) == "200"
        }
    })
    .await;
}

#[tokio::test]
async fn the_answer_is_the_key_authorization() {
    // Row R5: status, type, and not a byte more.
    let responder = Http01Responder::new();
    let challenge = context(TOKEN);
    responder.start(&challenge).await.unwrap();
    let address = served(responder.service()).await;
    let path = format!("/.well-known/acme-challenge/{TOKEN}");
    let check = |answer: &str| {
        assert_eq!(status(answer), "200");
        assert_eq!(header(answer, "content-type"), Some("text/plain"));
        assert_eq!(body(answer), challenge.key_authorization().as_str());
    };
    check(&get(address, &path).await);
    // HTTP/1.0 without Host, absolute form, any Host, an IPv6 host.
    check(&say(address, &format!("GET {path} HTTP/1.0\r\n\r\n")).await);
    for (target, host) in [
        (format!("http://example.com{path}"), "example.com"),
        (path.clone(), "other.example:8080"),
        (path.clone(), "[2001:db8::1]"),
        (path.clone(), "192.0.2.1"),
        (path.clone(), ""),
        (path.clone(), "what ever"),
        // The query is no part of the path.
        (format!("{path}?a=b"), "example.com"),
    ] {
        check(
            &say(
                address,
                &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            )
            .await,
        );
    }

    let head = say(address, &format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    assert_eq!((status(&head), body(&head)), ("200", ""));
    let length = challenge.key_authorization().as_str().len().to_string();
    assert_eq!(header(&head, "content-length"), Some(length.as_str()));
    let post = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}");
    let post = say(address, &post).await;
    assert_eq!(status(&post), "405");
    assert_eq!(header(&post, "allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn http01_answers_only_its_exact_path() {
    let responder = Http01Responder::new();
    let challenge = context(TOKEN);
    responder.start(&challenge).await.unwrap();
    let address = served(responder.service()).await;
    let well_known = "/.well-known/acme-challenge/";
    for (path, expected) in [
        (format!("/{TOKEN}"), "308"),
        (format!("/x{well_known}{TOKEN}"), "308"),
        (format!("/{well_known}{TOKEN}"), "308"),
        (format!("/.Well-Known/acme-challenge/{TOKEN}"), "308"),
        (format!("/.well-known/acme-challenge%2f{TOKEN}"), "308"),
        (format!("/?{well_known}{TOKEN}"), "308"),
        (format!("{well_known}{TOKEN}/"), "404"),
        (format!("{well_known}/{TOKEN}"), "404"),
        (format!("{well_known}x/{TOKEN}"), "404"),
        (format!("{well_known}./{TOKEN}"), "404"),
        (format!("{well_known}../acme-challenge/{TOKEN}"), "404"),
        (format!("{well_known}{}", TOKEN.to_lowercase()), "404"),
        (format!("{well_known}%4C{}", &TOKEN[1..]), "404"),
        (format!("{well_known}{}", &TOKEN[1..]), "404"),
        (format!("{well_known}{TOKEN}="), "404"),
        (
            format!("{well_known}{}", "a".repeat(Token::MAX_LENGTH + 1)),
            "404",
        ),
        (well_known.to_owned(), "404"),
        (format!("{well_known}../../etc/passwd"), "404"),
        (format!("{well_known}%2e%2e%2f{TOKEN}"), "404"),
        (format!("{well_known}%3Cscript%3E"), "404"),
    ] {
        let answer = get(address, &path).await;
        assert_eq!(status(&answer), expected, "{path}");
        assert_eq!(body(&answer), "", "nothing is reflected: {path}");
        // Nor does the lookup answer by itself, for those who serve it otherwise.
        assert_eq!(responder.lookup(&path), None, "{path}");
    }
    assert!(
        !is_ready(responder.asked(&challenge)),
        "nobody got the answer"
    );
}

#[tokio::test]
async fn challenge_state_is_gone_after_stop() {
    let responder = Http01Responder::new();
    let clone = responder.clone();
    let challenge = context(TOKEN);
    clone.start(&challenge).await.unwrap();
    assert!(format!("{responder:?}").contains('1'));
    responder.stop(&challenge).await.unwrap();
    assert_eq!(format!("{clone:?}"), "Http01Responder { under_way: 0 }");
    assert_eq!(
        clone.lookup(&format!("/.well-known/acme-challenge/{TOKEN}")),
        None
    );
}

#[tokio::test]
async fn the_latest_start_of_a_token_counts() {
    // The same token under another account's key, after a stop that never came.
    let responder = Http01Responder::new();
    let (old, new) = (context(TOKEN), context(TOKEN));
    responder.start(&old).await.unwrap();
    let path = format!("/.well-known/acme-challenge/{TOKEN}");
    responder.lookup(&path).unwrap();
    responder.start(&new).await.unwrap();
    assert!(
        !is_ready(responder.asked(&new)),
        "nobody got the new answer yet"
    );
    assert_eq!(
        responder.lookup(&path).unwrap(),
        new.key_authorization().as_str()
    );
}

#[tokio::test]
async fn everything_else_goes_to_https() {
    let responder = Http01Responder::new();
    let usual = served(responder.service()).await;
    let other_port = served(responder.service().https_port(Some(8443))).await;
    let check = async |address, request: &str, expected: Option<&str>| {
        let answer = say(address, request).await;
        let code = if expected.is_some() { "308" } else { "400" };
        assert_eq!(status(&answer), code, "{request}\n{answer}");
        assert_eq!(header(&answer, "location"), expected, "{request}");
    };
    for (target, host, expected) in [
        (
            "/a/b?c=d",
            "example.com",
            Some("https://example.com/a/b?c=d"),
        ),
        ("/", "Example.COM.:80", Some("https://example.com/")),
        ("/", "192.0.2.1:8080", Some("https://192.0.2.1/")),
        ("/", "[2001:DB8::1]:80", Some("https://[2001:db8::1]/")),
        ("/", "[2001:db8::1]", Some("https://[2001:db8::1]/")),
        // Absolute form: the target's authority counts (RFC 9112, section 3.2.2).
        (
            "http://a.example/x",
            "b.example",
            Some("https://a.example/x"),
        ),
        ("http://a.example", "b.example", Some("https://a.example/")),
        (
            "http://a.example?q",
            "b.example",
            Some("https://a.example/?q"),
        ),
        (
            "//evil.example/",
            "example.com",
            Some("https://example.com//evil.example/"),
        ),
        // No host that could have a certificate.
        ("/", "", None),
        ("/", "*.example.com", None),
        ("/", "a@example.com", None),
        ("/", "example.com/evil", None),
        ("/", "a b", None),
        ("/", "2001:db8::1", None),
        ("/", "-", None),
        ("/", "x\r\nHost: y", None),
        // No path to send anyone to (RFC 9112, section 3.2.4).
        ("*", "example.com", None),
    ] {
        let method = if target == "*" { "OPTIONS" } else { "GET" };
        let request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        check(usual, &request, expected).await;
    }
    check(usual, "GET / HTTP/1.0\r\n\r\n", None).await;
    let request = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n";
    check(usual, request, None).await;
    let request = "GET /x HTTP/1.1\r\nHost: [2001:db8::1]:5002\r\n\r\n";
    check(other_port, request, Some("https://[2001:db8::1]:8443/x")).await;
    let request = "GET /x HTTP/1.1\r\nHost: example.com\r\n\r\n";
    check(other_port, request, Some("https://example.com:8443/x")).await;

    let closed = served(responder.service().https_port(None)).await;
    assert_eq!(status(&get(closed, "/").await), "404");
}

#[tokio::test]
async fn nonsense_harms_nobody() {
    let address = served(Http01Responder::new().service()).await;
    for nonsense in [
        "\r\n\r\n\r\n\r\n".to_owned(),
        "hello\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}".to_owned(),
        format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(40_000)),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The peer may be gone before all is said.
        let _ = stream.write_all(nonsense.as_bytes()).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"));
    }
    assert_eq!(status(&get(address, "/").await), "308");
}

#[tokio::test]
async fn visitors_beyond_the_places_wait_their_turn() {
    let address = served(Http01Responder::new().service()).await;
    for _ in 0..Http01Service::MAX_CONNECTIONS + 10 {
        assert_eq!(
            status(&get(address, "/").await),
            "308",
            "places come free again"
        );
    }

    let mut silent = Vec::new();
    for _ in 0..Http01Service::MAX_CONNECTIONS {
        silent.push(TcpStream::connect(address).await.unwrap());
        tokio::task::yield_now().await;
    }
    let mut visitor = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
    visitor.write_all(request).await.unwrap();
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let early = visitor.try_read(&mut [0; 16]).unwrap_err();
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);

    silent.pop();
    let mut answer = String::new();
    visitor.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), "308");
}

#[tokio::test]
async fn mounts_as_a_tower_service() {
    // Row R5: beside an application's own routes, in any HTTP version.
    let responder = Http01Responder::new();
    let challenge = context(TOKEN);
    responder.start(&challenge).await.unwrap();
    let mut service = responder.service().https_port(None);
    let mut check = async |path: &str, expected: StatusCode, text: &str| {
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let request = Request::builder()
                .method(Method::GET)
                .version(version)
                .uri(format!("http://example.com{path}"))
                .body(())
                .unwrap();
            let response = service.call(request).await.unwrap();
            assert_eq!(response.status(), expected, "{path}");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, text);
        }
    };
    let text = challenge.key_authorization().as_str();
    let path = format!("/.well-known/acme-challenge/{TOKEN}");
    check(&path, StatusCode::OK, text).await;
    check(
        "/.well-known/acme-challenge/other",
        StatusCode::NOT_FOUND,
        "",
    )
    .await;
    check("/app", StatusCode::NOT_FOUND, "").await;
}
