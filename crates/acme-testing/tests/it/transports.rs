//! Transports that record and meddle, before a CA's.

use std::sync::Arc;

use acme_testing::{
    Exchange, FaultyTransport, Meddling, RecordingTransport, ScriptedTransport,
    client::{Cryptography, HttpTransport, Operation, TransportError},
    messages::jose::BoxFuture,
};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use serde_json::json;
use tokio::sync::Semaphore;

fn get(path: &str) -> Request<Bytes> {
    let url = format!("https://ca.example{path}");
    Request::get(url).body(Bytes::new()).unwrap()
}

fn directory() -> Exchange {
    Exchange::get("https://ca.example/directory").json(json!({
        "newNonce": "https://ca.example/nonce",
        "newAccount": "https://ca.example/new-account",
        "newOrder": "https://ca.example/new-order",
        "newAuthz": "https://ca.example/new-z",
        "revokeCert": "https://ca.example/revoke",
        "keyChange": "https://ca.example/key",
        "renewalInfo": "https://ca.example/ari",
    }))
}

fn order(certificate: Option<&str>) -> serde_json::Value {
    json!({
        "status": "pending",
        "identifiers": [],
        "authorizations": ["https://ca.example/z/1"],
        "finalize": "https://ca.example/o/1/f",
        "certificate": certificate,
    })
}

#[tokio::test]
async fn operations_are_learned_from_what_passes() {
    use Operation as Is;
    let answers = [
        ("/directory", Some(Is::Directory), directory()),
        (
            "/nonce",
            Some(Is::NewNonce),
            get_exchange("/nonce").nonce("YQ"),
        ),
        (
            "/new-account",
            Some(Is::NewAccount),
            get_exchange("/new-account")
                .header("location", "https://ca.example/a/1")
                .json(json!({ "status": "valid", "orders": "https://ca.example/a/1/o" })),
        ),
        ("/a/1", Some(Is::Account), get_exchange("/a/1")),
        (
            "/a/1/o",
            Some(Is::Orders),
            get_exchange("/a/1/o")
                .header("link", "</a/1/o?2>;rel=next")
                .json(json!({ "orders": ["https://ca.example/o/0"] })),
        ),
        ("/a/1/o?2", Some(Is::Orders), get_exchange("/a/1/o?2")),
        ("/o/0", Some(Is::Order), get_exchange("/o/0")),
        (
            "/new-z",
            Some(Is::NewAuthorization),
            get_exchange("/new-z").header("location", "https://ca.example/z/0"),
        ),
        ("/z/0", Some(Is::Authorization), get_exchange("/z/0")),
        (
            "/revoke",
            Some(Is::RevokeCertificate),
            get_exchange("/revoke"),
        ),
        ("/key", Some(Is::KeyChange), get_exchange("/key")),
        (
            "/new-order",
            Some(Is::NewOrder),
            get_exchange("/new-order")
                .status(201)
                .header("location", "https://ca.example/o/1")
                .json(order(None)),
        ),
        (
            "/z/1",
            Some(Is::Authorization),
            get_exchange("/z/1").json(json!({
                "status": "pending",
                "identifier": { "type": "dns", "value": "example.com" },
                "challenges": [{
                    "type": "http-01", "url": "https://ca.example/c/1",
                    "status": "pending", "token": "a",
                }],
            })),
        ),
        ("/c/1", Some(Is::Challenge), get_exchange("/c/1")),
        (
            "/o/1",
            Some(Is::Order),
            get_exchange("/o/1").json(order(None)),
        ),
        (
            "/o/1/f",
            Some(Is::Finalize),
            get_exchange("/o/1/f").json(order(Some("https://ca.example/x/1"))),
        ),
        (
            "/x/1",
            Some(Is::Certificate),
            get_exchange("/x/1").header("link", "</x/1/1>;rel=\"alternate\""),
        ),
        ("/x/1/1", Some(Is::Certificate), get_exchange("/x/1/1")),
        ("/ari/a.b", Some(Is::RenewalInfo), get_exchange("/ari/a.b")),
        ("/elsewhere", None, get_exchange("/elsewhere").status(404)),
        ("/directory", Some(Is::Directory), directory()),
    ];
    let (mut paths, mut expected, mut script) = (Vec::new(), Vec::new(), Vec::new());
    for (path, operation, exchange) in answers {
        paths.push(path);
        expected.push(operation);
        script.push(exchange);
    }
    let script = ScriptedTransport::new(script);
    let transport = RecordingTransport::over(script.clone());
    for path in paths {
        transport.send(get(path), 10_000).await.unwrap();
    }
    script.finish();
    assert_eq!(transport.operations(), expected);
    assert_eq!(transport.count(Is::Certificate), 2);
    let exchanges = transport.exchanges();
    assert_eq!(exchanges[1].answer_nonce.as_ref().unwrap().as_str(), "YQ");
    assert_eq!(exchanges[11].status, Some(201));
    assert_eq!(exchanges[19].status, Some(404));
    assert!(transport.nonces().is_empty());
    transport.clear();
    assert!(transport.clone().exchanges().is_empty());
}

fn get_exchange(path: &str) -> Exchange {
    Exchange::get(format!("https://ca.example{path}"))
}

#[tokio::test]
async fn a_first_request_that_fails_was_for_the_directory() {
    let script = ScriptedTransport::new([get_exchange("/d").lost()]);
    let transport = RecordingTransport::over(script.clone());
    transport.send(get("/d"), 10).await.unwrap_err();
    script.finish();
    assert_eq!(transport.operations(), [Some(Operation::Directory)]);
    assert_eq!(transport.exchanges()[0].status, None);
}

#[tokio::test]
async fn an_answer_that_comes_after_the_record_was_cleared_is_not_another_ones() {
    let script = ScriptedTransport::new([get_exchange("/a"), get_exchange("/b").status(404)]);
    let slow = SlowTransport::new(script.clone());
    let transport = RecordingTransport::over(slow.clone());
    let mut first = transport.send(get("/a"), 10);
    assert!((&mut first).now_or_never().is_none());
    transport.clear();
    let mut second = transport.send(get("/b"), 10);
    assert!((&mut second).now_or_never().is_none());
    slow.0.add_permits(1);
    first.await.unwrap();
    assert_eq!(transport.exchanges()[0].status, None);
    slow.0.add_permits(1);
    second.await.unwrap();
    assert_eq!(transport.exchanges()[0].status, Some(404));
    script.finish();
}

/// Answers once it may.
#[derive(Clone, Debug)]
struct SlowTransport(Arc<Semaphore>, Arc<dyn HttpTransport>);

impl SlowTransport {
    fn new(next: impl HttpTransport) -> Self {
        Self(Arc::new(Semaphore::new(0)), Arc::new(next))
    }
}

impl HttpTransport for SlowTransport {
    fn send(
        &self,
        request: Request<Bytes>,
        max_body: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            self.0.acquire().await.unwrap().forget();
            self.1.send(request, max_body).await
        })
    }
}

#[tokio::test]
async fn answers_are_lost_changed_and_invented_as_told() {
    let script = ScriptedTransport::new([]);
    let transport = FaultyTransport::over(script.clone());
    let send = async || transport.send(get("/a"), 10).await;

    transport.once("/a", Meddling::LoseRequest);
    send().await.unwrap_err();
    transport.once("/a", Meddling::Answer(Response::new("invented".into())));
    assert_eq!(send().await.unwrap().body(), "invented");
    transport.rule(|_| Meddling::Hang);
    assert!(send().now_or_never().is_none());
    assert!(script.requests().is_empty(), "none of these was sent");

    let exchanges = ["/a", "/a", "/a", "/b"].map(get_exchange);
    exchanges.into_iter().for_each(|it| script.expect(it));
    transport.once("/a", Meddling::LoseAnswer);
    send().await.unwrap_err();
    let gone = |answer: &mut Response<Bytes>| *answer.status_mut() = http::StatusCode::GONE;
    transport.once("/a", Meddling::Change(Box::new(gone)));
    assert_eq!(send().await.unwrap().status(), 410);
    assert_eq!(send().await.unwrap().status(), 200, "once is once");
    transport.once("/a", Meddling::LoseRequest);
    transport.send(get("/b"), 10).await.unwrap();
    script.finish();
}

/// Lends its TLS library's cryptography, and has a name.
#[derive(Debug)]
struct Lending;

impl HttpTransport for Lending {
    fn send(
        &self,
        _: Request<Bytes>,
        _: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async { Err(TransportError::new("nobody is asked", "it is no transport")) })
    }

    fn cryptography(&self) -> Option<Arc<dyn Cryptography>> {
        Some(Arc::new(rustls::crypto::ring::default_provider()))
    }

    fn product(&self) -> Option<&str> {
        Some("lending/1")
    }
}

// A client over them is as one over what they pass requests to.
#[test]
fn what_a_transport_tells_is_passed_on() {
    let told = |it: &dyn HttpTransport| {
        assert!(it.cryptography().is_some());
        assert_eq!(it.product(), Some("lending/1"));
    };
    told(&Lending);
    told(&RecordingTransport::over(Lending));
    told(&FaultyTransport::over(Lending));
}
