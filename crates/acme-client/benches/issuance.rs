//! What the client itself costs: an issuance at a CA that answers at once, in this process.
//!
//! On Unix the time is that of the thread on a processor, which other programs do not prolong.
//!
//! `cargo bench -p acme-client`

#![allow(missing_docs, reason = "criterion's macros make a function without")]

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use acme_client::{
    Account, CertificateRequest, Client, HttpTransport, TransportError,
    messages::{
        ChallengeType, ServerName,
        jose::{BoxFuture, KeyType, PrivateKey},
    },
};
use acme_testing::{CertificateValidity, NullResponder, TestPki};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response};

const BASE: &str = "https://ca.example";

/// A CA that says yes to everything, without a look at it.
#[derive(Debug)]
struct Instant {
    names: usize,
    chain: Bytes,
    nonces: AtomicU64,
}

impl Instant {
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path();
        let (status, body) = match path.split('/').nth(1).unwrap_or_default() {
            "directory" => (200, directory().into()),
            "order" => (201, self.order("pending").into()),
            "authz" => (200, authorization(path).into()),
            "challenge" => (200, challenge(path).into()),
            "look" => (200, self.order("ready").into()),
            "finalize" => (200, self.order("valid").into()),
            "certificate" => (200, self.chain.clone()),
            _ => (200, Bytes::new()),
        };
        let nonce = self.nonces.fetch_add(1, Ordering::Relaxed);
        Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .header("replay-nonce", format!("nonce{nonce}"))
            .header("location", format!("{BASE}/look"))
            .body(body)
            .expect("the parts are good")
    }

    fn order(&self, status: &str) -> String {
        let names = (0..self.names).map(|at| format!(r#"{{"type":"dns","value":"{}"}}"#, name(at)));
        let authorizations = (0..self.names).map(|at| format!(r#""{BASE}/authz/{at}""#));
        format!(
            r#"{{"status":"{status}","identifiers":[{}],"authorizations":[{}],
            "finalize":"{BASE}/finalize","certificate":"{BASE}/certificate"}}"#,
            names.collect::<Vec<_>>().join(","),
            authorizations.collect::<Vec<_>>().join(","),
        )
    }
}

fn name(at: usize) -> String {
    format!("host-{at}.example.com")
}

fn directory() -> String {
    format!(
        r#"{{"newNonce":"{BASE}/nonce","newAccount":"{BASE}/account","newOrder":"{BASE}/order"}}"#
    )
}

fn number(path: &str) -> usize {
    let last = path.rsplit('/').next().unwrap_or_default();
    last.parse().unwrap_or_default()
}

fn authorization(path: &str) -> String {
    format!(
        r#"{{"status":"pending","identifier":{{"type":"dns","value":"{}"}},"challenges":[
        {{"type":"http-01","url":"{BASE}/challenge/{}","status":"pending",
        "token":"LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"}}]}}"#,
        name(number(path)),
        number(path),
    )
}

fn challenge(path: &str) -> String {
    format!(
        r#"{{"type":"http-01","url":"{BASE}/challenge/{}","status":"valid",
        "token":"LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"}}"#,
        number(path),
    )
}

impl HttpTransport for Instant {
    fn send(
        &self,
        request: Request<Bytes>,
        _: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let answer = self.answer(&request);
        Box::pin(std::future::ready(Ok(answer)))
    }
}

/// The time that this thread has spent on a processor.
#[cfg(unix)]
fn spent() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The time, where no more is to be had.
#[cfg(not(unix))]
fn spent() -> Duration {
    std::time::SystemTime::now()
        .duration_since(std::time::SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

/// An account at a CA that issues for so many names, and the request for them; signatures are made
/// and checked by the keys themselves, or by ring.
fn world(count: usize, ring: bool) -> (Account, CertificateRequest) {
    let names: Vec<ServerName> = (0..count).filter_map(|at| name(at).parse().ok()).collect();
    let key = Arc::new(PrivateKey::generate(KeyType::EcdsaP256).expect("there is randomness"));
    let pki = TestPki::new().expect("there is randomness");
    let spki = key.public_jwk().to_spki_der().expect("the key is whole");
    let chain = pki.issue(&spki, &names, CertificateValidity::FOREVER);
    let transport = Instant {
        names: count,
        chain: chain.expect("the names are good").to_pem().into(),
        nonces: AtomicU64::new(0),
    };
    let account_key = PrivateKey::generate(KeyType::EcdsaP256).expect("there is randomness");
    let library = || Arc::new(rustls::crypto::ring::default_provider()) as _;
    let client = Client::builder(format!("{BASE}/directory"), transport)
        .cryptography(ring.then(library))
        .build()
        .expect("the URL is good");
    let account = client.account(Arc::new(account_key), format!("{BASE}/account/1"));
    let request = CertificateRequest::with_key(&names, key).expect("the names are good");
    let responder = NullResponder::new(ChallengeType::Http01);
    (account, request.responder(Arc::new(responder)))
}

fn issuance(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime starts");
    for (count, ring) in [
        (1, false),
        (1, true),
        (10, false),
        (10, true),
        (100, false),
        (100, true),
    ] {
        let (account, request) = world(count, ring);
        let signed = if ring { ", by ring" } else { "" };
        criterion.bench_function(
            &format!("an issuance of {count} names{signed}"),
            |bencher| {
                bencher.iter_custom(|times| {
                    let before = spent();
                    for _ in 0..times {
                        let issued = runtime.block_on(account.obtain(black_box(&request)));
                        black_box(issued.expect("the CA says yes"));
                    }
                    spent().saturating_sub(before)
                });
            },
        );
    }
}

criterion_group!(benches, issuance);
criterion_main!(benches);
