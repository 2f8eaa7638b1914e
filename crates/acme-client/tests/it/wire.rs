//! What is sent at all, and what is taken for an answer.

use std::sync::Arc;

use acme_client::{
    Client, Error, ErrorKind, MAX_BODY, Operation, REQUEST_TIMEOUT,
    messages::{
        NewAccount,
        jose::{FlattenedJws, KeyType, PrivateKey},
    },
};
use acme_testing::ManualClock;
use bytes::Bytes;
use futures_util::future::join_all;
use http::Response;

use crate::{
    clock::QuickClock,
    transport::{Meddle, Meddler, answer},
};

const DIRECTORY: &str = "https://ca.example/directory";

fn client(transport: &Meddler) -> Client {
    Client::builder(DIRECTORY, transport.clone())
        .clock(Arc::new(QuickClock::default()))
        .build()
        .unwrap()
}

async fn directory_error(response: Response<Bytes>) -> (Error, usize) {
    let transport = Meddler::alone(move |_| Meddle::Answer(response.clone()));
    let error = client(&transport).directory().await.unwrap_err();
    (error, transport.seen().len())
}

// C46, L1: instant-acme has no timeout.
#[tokio::test]
async fn silent_server_times_out() {
    let transport = Meddler::alone(|_| Meddle::Hang);
    let clock = ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
    let client = Client::builder(DIRECTORY, transport)
        .clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    let asked = tokio::spawn(async move { client.directory().await });
    clock.wait_for_sleepers(1).await;
    clock.advance(REQUEST_TIMEOUT);
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Timeout, Operation::Directory)
    );
    assert!(error.is_transient());
    assert_eq!(clock.sleepers(), 0);
}

#[tokio::test]
async fn body_limit_holds() {
    let body = vec![b' '; MAX_BODY + 1];
    let (error, count) = directory_error(answer(200, "application/json", body)).await;
    assert_eq!(
        (error.kind(), error.status(), count),
        (ErrorKind::BadResponse, Some(200), 1)
    );
}

// Whoever waits for a directory that cannot be had is told with the first, and not after as many
// tries as there are others before.
#[tokio::test]
async fn those_who_wait_share_a_failure() {
    let transport = Meddler::alone(|_| Meddle::Answer(answer(503, "text/plain", "no")));
    let client = client(&transport);
    let all = join_all((0..20).map(|_| client.directory())).await;
    for asked in all {
        let error = asked.unwrap_err();
        assert_eq!((error.status(), error.attempts()), (Some(503), 3));
        assert_eq!(error.body(), Some("no"));
    }
    assert_eq!(transport.seen().len(), 3);
    // Who comes later asks anew.
    client.directory().await.unwrap_err();
    assert_eq!(transport.seen().len(), 6);
}

// A machine between that packs what nobody asked to be packed is found by what is said.
#[tokio::test]
async fn a_body_in_a_coding_is_named() {
    let mut packed = answer(200, "application/json", vec![0x1f, 0x8b, 8]);
    let headers = packed.headers_mut();
    headers.insert("content-encoding", "gzip".parse().unwrap());
    let (error, _) = directory_error(packed).await;
    assert_eq!(error.kind(), ErrorKind::BadResponse);
    assert!(error.to_string().contains("but \"gzip\""), "{error}");
}

#[cfg(feature = "hyper")]
#[tokio::test]
async fn the_transport_reads_no_further_than_its_limit() {
    use acme_client::HttpTransport;
    let ca = crate::world::builder().start().await.unwrap();
    let transport = crate::world::hyper(&ca);
    let get = || {
        let get = http::Request::get(ca.directory_url()).header("user-agent", "test");
        get.body(Bytes::new()).unwrap()
    };
    transport.send(get(), 10).await.unwrap_err();
    transport.send(get(), MAX_BODY).await.unwrap();
}

// instant-acme turns a proxy's page into a JSON error without a status.
#[tokio::test]
async fn status_and_body_snippet_survive() {
    let page = "<html>\n<h1>502 Bad Gateway</h1>";
    let (error, count) = directory_error(answer(502, "text/html", page)).await;
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::BadResponse, Some(502))
    );
    assert!(error.to_string().contains("502 Bad Gateway"), "{error}");
    assert!(error.is_transient());
    assert_eq!(count, 3, "a gateway's trouble may pass");

    let (error, count) = directory_error(answer(200, "application/json", "{")).await;
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::BadResponse, Some(200))
    );
    assert!(!error.is_transient());
    assert_eq!(count, 1);

    let problem = r#"{"type":"urn:ietf:params:acme:error:unauthorized","detail":"go away"}"#;
    let (error, _) = directory_error(answer(
        403,
        "Application/Problem+JSON; charset=utf-8",
        problem,
    ))
    .await;
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Problem, Some(403))
    );
    assert!(
        error
            .to_string()
            .ends_with("unauthorized: go away [https://ca.example/directory]")
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let mut response = answer(status, "text/plain", "");
        let location = "https://elsewhere.example/".parse().unwrap();
        response.headers_mut().insert("location", location);
        let (error, count) = directory_error(response).await;
        assert_eq!((error.status(), count), (Some(status), 1));
    }
}

// C4: what is no URL is refused before anything is sent.
#[tokio::test]
async fn only_https_is_spoken() {
    let check = |url: &str| {
        let transport = Meddler::alone(|_| Meddle::Hang);
        let error = Client::builder(url, transport).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{url}");
    };
    check("http://ca.example/directory");
    check("HTTP://ca.example/directory");
    check("ca.example/directory");
    check("https:///directory");
    check("file:///etc/passwd");
    check("");

    // Nor when a CA names such a URL.
    let directory = r#"{
        "newNonce": "http://ca.example/nonce",
        "newAccount": "https://ca.example/account",
        "newOrder": "https://ca.example/order"
    }"#;
    let transport =
        Meddler::alone(move |_| Meddle::Answer(answer(200, "application/json", directory)));
    let key = Arc::new(PrivateKey::generate(KeyType::EcdsaP256).unwrap());
    let new = NewAccount::default();
    let error = client(&transport).new_account(key, &new).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::InvalidUrl, Operation::NewNonce)
    );
    assert_eq!(transport.seen().len(), 1);
    assert_eq!(transport.seen()[0].method, "GET");
}

// C9: an answer without the one header that matters.
#[tokio::test]
async fn an_account_without_a_location_is_an_error() {
    let directory = r#"{
        "newNonce": "https://ca.example/nonce",
        "newAccount": "https://ca.example/account",
        "newOrder": "https://ca.example/order"
    }"#;
    let transport = Meddler::alone(move |request| {
        Meddle::Answer(match request.uri().path() {
            "/directory" => answer(200, "application/json", directory),
            "/nonce" => {
                // C40: whatever the status, as long as there is a nonce.
                let mut answer = answer(405, "text/plain", "");
                answer
                    .headers_mut()
                    .insert("replay-nonce", "YQ".parse().unwrap());
                answer
            }
            _ => answer(201, "application/json", r#"{"status":"valid"}"#),
        })
    });
    let key = Arc::new(PrivateKey::generate(KeyType::EcdsaP256).unwrap());
    let client = client(&transport);
    let error = client
        .new_account(key.clone(), &NewAccount::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadResponse);
    assert!(error.to_string().contains("Location"), "{error}");

    // What is printed for people holds no key.
    let secret = key.to_pkcs8_pem().unwrap();
    let account = client.account(key, "https://ca.example/account/1");
    let text = format!("{account:?} {error:?}");
    for line in secret.lines().filter(|it| !it.starts_with('-')) {
        assert!(!text.contains(line), "{text}");
    }
}

// RFC 8555, section 6.4: what is signed is the CA's own text; a URL that is read and written anew
// is another one.
#[tokio::test]
async fn urls_are_signed_as_they_came() {
    const NEW_ACCOUNT: &str = "https://CA.example:443/New%7eAccount//?a=%2f&b";
    const ACCOUNT: &str = "https://ca.EXAMPLE/Acct/%7e1/../1?";
    const NEW_ORDER: &str = "https://ca.example/a/./order?%41";
    let directory = format!(
        r#"{{"newNonce":"https://ca.example/nonce","newAccount":"{NEW_ACCOUNT}","newOrder":"{NEW_ORDER}"}}"#
    );
    let transport = Meddler::alone(move |request| {
        let mut answer = match request.uri().path() {
            "/directory" => answer(200, "application/json", directory.clone()),
            "/nonce" => answer(200, "text/plain", ""),
            "/New%7eAccount//" => answer(201, "application/json", r#"{"status":"valid"}"#),
            _ => answer(403, "text/plain", ""),
        };
        let headers = answer.headers_mut();
        headers.insert("replay-nonce", "YQ".parse().unwrap());
        headers.insert("location", ACCOUNT.parse().unwrap());
        Meddle::Answer(answer)
    });
    let key = Arc::new(PrivateKey::generate(KeyType::EcdsaP256).unwrap());
    let client = client(&transport);
    let made = client.new_account(key, &NewAccount::default()).await;
    let account = made.unwrap().account;
    assert_eq!(account.url(), ACCOUNT);
    account.new_order(&Default::default()).await.unwrap_err();
    account.fetch().await.unwrap_err();
    let signed: Vec<_> = transport
        .seen()
        .iter()
        .filter(|it| it.method == "POST")
        .map(|it| {
            let header = FlattenedJws::from_json(&it.body).unwrap().header().clone();
            (header.url, header.kid)
        })
        .collect();
    let kid = || Some(ACCOUNT.to_owned());
    assert_eq!(
        signed,
        [
            (NEW_ACCOUNT.to_owned(), None),
            (NEW_ORDER.to_owned(), kid()),
            (ACCOUNT.to_owned(), kid()),
        ]
    );
}

// The old directory serves while a new one cannot be had.
#[tokio::test]
async fn an_aged_directory_is_better_than_none() {
    let mut answers = 0;
    let directory = r#"{"newNonce":"https://ca.example/n","newAccount":"https://ca.example/a","newOrder":"https://ca.example/o"}"#;
    let transport = Meddler::alone(move |_| {
        answers += 1;
        match answers {
            1 => Meddle::Answer(answer(200, "application/json", directory)),
            _ => Meddle::Answer(answer(404, "text/plain", "")),
        }
    });
    let clock = ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
    let client = Client::builder(DIRECTORY, transport.clone())
        .clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    let first = client.directory().await.unwrap();
    assert_eq!(client.directory().await.unwrap(), first);
    assert_eq!(transport.seen().len(), 1);
    clock.advance(acme_client::DIRECTORY_LIFETIME);
    for _ in 0..3 {
        assert_eq!(client.directory().await.unwrap(), first);
        assert_eq!(
            transport.seen().len(),
            2,
            "nor is it asked for all the time"
        );
    }
    clock.advance(std::time::Duration::from_secs(600));
    client.directory().await.unwrap();
    assert_eq!(transport.seen().len(), 3);
}

// C1: cheap to clone, and for any task.
#[test]
fn handles_are_for_everyone() {
    fn check<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    check::<Client>();
    check::<acme_client::Account>();
    check::<acme_client::Order>();
    check::<acme_client::Authorization>();
    check::<acme_client::Challenge>();
    check::<acme_client::CertificateRequest>();
    check::<acme_client::IssuedCertificate>();
    check::<acme_client::Sender>();
    check::<acme_client::Reply>();
}
