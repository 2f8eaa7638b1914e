//! A scripted transport: what it takes, what it answers, and how it fails a test.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use acme_testing::{
    Exchange, ManualClock, ScriptedTransport,
    client::{Client, HttpTransport},
    messages::{
        NewAccount, Problem, ProblemType,
        jose::{FlattenedJws, KeyType, PrivateKey, ProtectedHeader, Signer},
    },
};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

const URL: &str = "https://ca.example/thing";
const MAX_BODY: usize = 1024;

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

/// A POST to `URL`, signed for `signed_url`.
fn post(signed_url: &str, payload: &[u8]) -> Request<Bytes> {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let header = ProtectedHeader::with_kid(key.algorithm(), "https://ca.example/a/1", signed_url)
        .nonce("bm9uY2U".parse().unwrap());
    let body = FlattenedJws::sign(&key, header, payload).unwrap();
    Request::post(URL).body(body.to_json().into()).unwrap()
}

async fn status(script: &ScriptedTransport, request: Request<Bytes>) -> u16 {
    let answer = script.send(request, MAX_BODY).await.unwrap();
    if answer.status() == 500 {
        assert_eq!(answer.body(), ScriptedTransport::UNEXPECTED_BODY);
    }
    answer.status().as_u16()
}

/// What a test is failed with.
fn failure(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("it was to fail");
    panic.downcast_ref::<String>().unwrap().clone()
}

// X19: test_unexpected_number_of_request_causes_failure
#[tokio::test]
async fn a_request_beyond_the_script_is_answered_500_and_fails_the_test() {
    let said = "No more requests expected, but request GET https://ca.example/thing made.";
    let script = ScriptedTransport::new([]);
    assert_eq!(status(&script, get(URL)).await, 500);
    assert_eq!(failure(|| script.finish()), said);

    let script = ScriptedTransport::new([Exchange::get(URL)]);
    assert_eq!(status(&script, get(URL)).await, 200);
    assert_eq!(status(&script, get(URL)).await, 500);
    assert_eq!(script.outcome().unwrap_err().unexpected, [said]);
    assert_eq!(script.requests().len(), 2);
    assert_eq!(failure(|| drop(script)), said);
}

// X19: test_consume_context_manager_fails_on_remaining_requests
#[tokio::test]
async fn an_expected_request_that_does_not_come_fails_the_test() {
    let new = || ScriptedTransport::new([Exchange::get(URL), Exchange::post(URL)]);
    let said = "Not all expected requests were made. Still expecting: \
                GET https://ca.example/thing, POST https://ca.example/thing";
    assert_eq!(failure(|| new().finish()), said);
    assert_eq!(failure(|| drop(new())), said);
    let script = new();
    status(&script, get(URL)).await;
    let missing = script.outcome().unwrap_err().missing;
    assert_eq!(missing, ["POST https://ca.example/thing"]);
    assert_eq!(status(&script, post(URL, b"{}")).await, 200);
    script.outcome().unwrap();
    script.finish();
}

#[tokio::test]
async fn only_the_first_handle_checks_and_only_once_and_never_in_a_panic() {
    let script = ScriptedTransport::new([]);
    script.expect(Exchange::get(URL));
    drop(script.clone());
    let panic = catch_unwind(AssertUnwindSafe(move || {
        let _script = script;
        panic!("something else");
    }));
    assert_eq!(
        panic.unwrap_err().downcast_ref::<&str>(),
        Some(&"something else")
    );
}

#[tokio::test]
async fn what_is_not_as_expected_is_said() {
    let check = async |exchange: Exchange, request: Request<Bytes>, why: Option<&str>| {
        let script = ScriptedTransport::new([exchange]);
        let status = status(&script, request).await;
        assert_eq!(status == 200, why.is_none());
        let Some(why) = why else {
            return script.finish();
        };
        let error = script.outcome().unwrap_err();
        assert!(error.unexpected[0].ends_with(why), "{error}");
        assert_eq!(error.missing.len(), 1, "it is still expected");
        failure(|| drop(script));
    };
    let other = "another method or URL.";
    check(Exchange::get(URL), get(URL), None).await;
    check(Exchange::get(URL), get("https://ca.example/"), Some(other)).await;
    check(Exchange::head(URL), get(URL), Some(other)).await;
    check(Exchange::post(URL), post(URL, b"{}"), None).await;
    check(
        Exchange::post(URL),
        post("https://ca.example/", b"{}"),
        Some("a JWS for this URL is missing."),
    )
    .await;
    let unsigned = Request::post(URL).body(Bytes::from("{}")).unwrap();
    let why = "a JWS for this URL is missing.";
    check(Exchange::post(URL), unsigned, Some(why)).await;
    check(Exchange::post_as_get(URL), post(URL, b""), None).await;
    check(
        Exchange::post_as_get(URL),
        post(URL, b"{}"),
        Some("an empty payload is missing."),
    )
    .await;
    let payload = || Exchange::post(URL).payload(json!({ "a": 1, "b": [] }));
    check(payload(), post(URL, br#"{"b":[],"a":1}"#), None).await;
    check(
        payload(),
        post(URL, b"{}"),
        Some(r#"the payload {"a":1,"b":[]} is missing."#),
    )
    .await;
    let nonce = |nonce: &'static str| {
        Exchange::post(URL).checked("that nonce", move |request| {
            request.nonce().map(|it| it.as_str()) == Some(nonce)
        })
    };
    check(nonce("bm9uY2U"), post(URL, b"{}"), None).await;
    check(
        nonce("b3RoZXI"),
        post(URL, b"{}"),
        Some("that nonce is missing."),
    )
    .await;
}

#[tokio::test]
async fn answers_are_as_told() {
    let problem = Problem::new(ProblemType::Caa, "no");
    let mut with_status = problem.clone();
    with_status.status = Some(403);
    let script = ScriptedTransport::new([
        Exchange::get(URL).status(201).nonce("YQ").json(json!([1])),
        Exchange::get(URL).status(400).problem(&problem),
        Exchange::get(URL).problem(&with_status),
        Exchange::get(URL).answer_with(|it| Response::new(it.url().to_owned().into())),
        Exchange::get(URL).lost(),
        Exchange::get(URL).body(vec![0; MAX_BODY + 1]),
    ]);
    let send = async || script.send(get(URL), MAX_BODY).await;
    let answer = send().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["replay-nonce"], "YQ");
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.body(), "[1]");
    for status in [400, 403] {
        let answer = send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["detail"], "no");
    }
    assert_eq!(send().await.unwrap().body(), URL);
    send().await.unwrap_err();
    send().await.unwrap_err();
    script.finish();
}

#[tokio::test]
async fn a_client_registers_by_the_script() {
    let directory = json!({
        "newNonce": "https://ca.example/nonce",
        "newAccount": "https://ca.example/account",
        "newOrder": "https://ca.example/order",
    });
    let script = ScriptedTransport::new([
        Exchange::get("https://ca.example/directory").json(directory),
        Exchange::head("https://ca.example/nonce").nonce("Zmlyc3Q"),
        Exchange::post("https://ca.example/account")
            .payload(json!({ "termsOfServiceAgreed": true }))
            .checked("a key", |it| it.protected().unwrap().jwk.is_some())
            .checked("the nonce", |it| it.nonce().unwrap().as_str() == "Zmlyc3Q")
            .status(201)
            .header("location", "https://ca.example/account/1")
            .nonce("c2Vjb25k")
            .json(json!({ "status": "valid" })),
    ]);
    let clock = ManualClock::new("2026-11-23T00:00:00Z".parse().unwrap());
    let client = Client::builder("https://ca.example/directory", script.clone())
        .clock(Arc::new(clock))
        .build()
        .unwrap();
    let key = Arc::new(PrivateKey::generate(KeyType::EcdsaP256).unwrap());
    let mut new = NewAccount::default();
    new.terms_of_service_agreed = true;
    let registration = client.new_account(key, &new).await.unwrap();
    assert_eq!(registration.account.url(), "https://ca.example/account/1");
    script.finish();
}
