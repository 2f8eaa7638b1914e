//! What is taken for an answer, by status, media type and body.

use acme_client::{
    Client, Error, ErrorKind, Fault, MAX_SNIPPET,
    messages::{Identifier, Problem, ProblemType, ServerName},
};
use bytes::Bytes;
use http::Response;

use crate::transport::{Meddle, Meddler, answer};

const DIRECTORY: &str = r#"{
    "newNonce": "https://ca.example/nonce",
    "newAccount": "https://ca.example/account",
    "newOrder": "https://ca.example/order"
}"#;

async fn directory(response: Response<Bytes>) -> Result<(), Error> {
    let transport = Meddler::alone(move |_| Meddle::Answer(response.clone()));
    let client = Client::builder("https://ca.example/directory", transport)
        .retries(acme_client::RetryPolicy::never())
        .build()
        .unwrap();
    client.directory().await.map(drop)
}

// C14: each status but a success is an error that carries it.
#[tokio::test]
async fn every_other_status_is_an_error() {
    for status in (100..=999).filter(|it| *it != 101) {
        let result = directory(answer(status, "application/json", DIRECTORY)).await;
        match (status, result) {
            (200..=299, result) => result.unwrap(),
            (_, Ok(())) => panic!("{status}"),
            (_, Err(error)) => {
                assert_eq!(error.status(), Some(status));
                // The body is JSON, but tells of no problem.
                assert_eq!(error.kind(), ErrorKind::BadResponse);
                let passes = status >= 500 || [408, 429].contains(&status);
                assert_eq!(error.is_transient(), passes, "{status}");
            }
        }
    }
}

// C45, L14: media types without regard to case and parameters; the status goes before the body.
#[tokio::test]
async fn media_types_and_bodies() {
    let problem = r#"{"type":"urn:ietf:params:acme:error:unauthorized","detail":"no"}"#;
    let check = async |status, media, body: &str, kind: Option<ErrorKind>| {
        let result = directory(answer(status, media, body.to_owned())).await;
        let got = result.as_ref().err().map(Error::kind);
        assert_eq!(got, kind, "{status} {media} {body}");
        result.err()
    };
    use ErrorKind::{BadResponse, Problem};
    for media in [
        "application/problem+json",
        "application/problem+json; charset=utf-8",
        "APPLICATION/PROBLEM+JSON",
        "application/json",
    ] {
        check(403, media, problem, Some(Problem)).await;
        check(600, media, problem, Some(Problem)).await;
        check(302, media, problem, Some(Problem)).await;
        check(200, media, problem, Some(BadResponse)).await;
        check(200, media, DIRECTORY, None).await;
        check(200, media, "{", Some(BadResponse)).await;
        check(403, media, "{", Some(BadResponse)).await;
    }
    check(200, "application/json; charset=utf-8", DIRECTORY, None).await;
    check(403, "text/html", problem, Some(BadResponse)).await;
    check(204, "application/json", "", Some(BadResponse)).await;

    // C15: the member that is missing is named by the cause.
    let text = DIRECTORY.replace("newNonce", "oldNonce");
    let error = check(200, "application/json", &text, Some(BadResponse)).await;
    let cause = std::error::Error::source(error.as_ref().unwrap()).unwrap();
    assert!(cause.to_string().contains("newNonce"), "{cause}");
    assert!(!error.unwrap().to_string().contains("missing field"));
}

#[tokio::test]
async fn a_snippet_is_bounded_and_one_line() {
    let page = format!("<h1>\r\n\u{1b}[31m502{}", "ä".repeat(100_000));
    let error = directory(answer(502, "text/html", page)).await.unwrap_err();
    let body = error.body().unwrap();
    assert!(body.starts_with("<h1>"));
    assert!(body.chars().count() <= MAX_SNIPPET);
    assert!(!body.chars().any(char::is_control));
    assert!(error.to_string().len() < 600);
    assert!(!error.to_string().contains('\n'));
}

// C35, C47: who, what and whose fault, for each name.
#[tokio::test]
async fn subproblems_are_told_by_name() {
    let names: Vec<ServerName> = vec!["a.example".parse().unwrap(), "b.example".parse().unwrap()];
    let mut problem = Problem::new(ProblemType::Compound, "several");
    problem.subproblems = names
        .iter()
        .map(|name| {
            let mut one = Problem::new(ProblemType::Caa, format!("no {name}"));
            one.identifier = Some(Identifier::from(name));
            one
        })
        .collect();
    let body = serde_json::to_vec(&problem).unwrap();
    let mut response = answer(403, "application/problem+json", body);
    let headers = response.headers_mut();
    headers.append("link", "</help/1>;rel=\"help\"".parse().unwrap());
    headers.append(
        "link",
        "<https://ca.example/help/2>;rel=help".parse().unwrap(),
    );
    headers.insert("retry-after", "120".parse().unwrap());
    let error = directory(response).await.unwrap_err();
    let told: Vec<_> = error
        .subproblems()
        .map(|(identifier, it)| (identifier.unwrap().value.as_str(), it.kind.clone()))
        .collect();
    let caa = ProblemType::Caa;
    assert_eq!(told, [("a.example", caa.clone()), ("b.example", caa)]);
    assert_eq!(
        error.help(),
        ["https://ca.example/help/1", "https://ca.example/help/2"]
    );
    assert_eq!(error.retry_after().unwrap().as_secs(), 120);
    assert_eq!(error.url(), Some("https://ca.example/directory"));
    assert_eq!(error.attempts(), 1);
    assert_eq!(error.fault(), Fault::Authority);
}

// A redirect is told, so that the right URL can be configured.
#[tokio::test]
async fn a_redirect_says_where_to() {
    let mut response = answer(301, "text/plain", "");
    let to = "https://elsewhere.example/dir".parse().unwrap();
    response.headers_mut().insert("location", to);
    let error = directory(response).await.unwrap_err();
    assert_eq!(error.location(), Some("https://elsewhere.example/dir"));
    assert!(error.to_string().contains("https://elsewhere.example/dir"));
}

// C21, C22: absent, both forms, and what makes no sense.
#[tokio::test]
async fn retry_after_is_read_and_clamped() {
    let check = async |value: Option<&str>, seconds: Option<u64>| {
        let mut response = answer(429, "text/plain", "");
        if let Some(value) = value {
            let value = value.parse().unwrap();
            response.headers_mut().insert("retry-after", value);
        }
        let error = directory(response).await.unwrap_err();
        let got = error.retry_after().map(|it| it.as_secs());
        assert_eq!(got, seconds, "{value:?}");
    };
    check(None, None).await;
    check(Some("0"), Some(0)).await;
    check(Some("7"), Some(7)).await;
    check(Some("99999999999999999999"), Some(24 * 60 * 60)).await;
    check(Some("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0)).await;
    check(Some("Fri, 31 Dec 9999 23:59:59 GMT"), Some(24 * 60 * 60)).await;
    check(Some("-3"), None).await;
    check(Some("1.5"), None).await;
    check(Some("soon"), None).await;
}
