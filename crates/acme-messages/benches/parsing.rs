//! Reading what a CA sends.
//!
//! `cargo bench -p acme-messages`

#![allow(missing_docs, reason = "criterion's macros make a function without")]

use std::hint::black_box;

use acme_messages::{Authorization, CertificateInfo, Directory, Order, Problem};
use criterion::{Criterion, criterion_group, criterion_main};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde::de::DeserializeOwned;

const DIRECTORY: &str = r#"{"newNonce":"https://ca.example/acme/new-nonce",
    "newAccount":"https://ca.example/acme/new-acct","newOrder":"https://ca.example/acme/new-order",
    "revokeCert":"https://ca.example/acme/revoke-cert","keyChange":"https://ca.example/acme/key-change",
    "renewalInfo":"https://ca.example/acme/renewal-info",
    "meta":{"termsOfService":"https://ca.example/terms","website":"https://ca.example",
    "caaIdentities":["ca.example"],"profiles":{"classic":"https://ca.example/classic"}}}"#;

const AUTHORIZATION: &str = r#"{"identifier":{"type":"dns","value":"www.example.com"},
    "status":"pending","expires":"2026-12-01T00:00:00Z","challenges":[
    {"type":"http-01","url":"https://ca.example/chall/1/a","status":"pending","token":"LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"},
    {"type":"dns-01","url":"https://ca.example/chall/1/b","status":"pending","token":"LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"},
    {"type":"tls-alpn-01","url":"https://ca.example/chall/1/c","status":"pending","token":"LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"}]}"#;

const PROBLEM: &str = r#"{"type":"urn:ietf:params:acme:error:compound","detail":"several",
    "status":403,"subproblems":[{"type":"urn:ietf:params:acme:error:caa","detail":"forbidden",
    "identifier":{"type":"dns","value":"a.example.com"}}]}"#;

const LEAF: &[u8] = include_bytes!("../tests/it/pki/leaf.pem");

/// How many certificates are looked into in one go.
const MANY: usize = 10_000;

fn order(names: usize) -> String {
    let identifiers: Vec<_> = (0..names)
        .map(|it| format!(r#"{{"type":"dns","value":"host-{it}.example.com"}}"#))
        .collect();
    let authorizations: Vec<_> = (0..names)
        .map(|it| format!(r#""https://ca.example/acme/authz/{it}""#))
        .collect();
    format!(
        r#"{{"status":"pending","expires":"2026-12-01T00:00:00Z","identifiers":[{}],
        "authorizations":[{}],"finalize":"https://ca.example/acme/finalize/1"}}"#,
        identifiers.join(","),
        authorizations.join(",")
    )
}

fn parse<T: DeserializeOwned>(criterion: &mut Criterion, name: &str, text: &str) {
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| serde_json::from_str::<T>(black_box(text)));
    });
}

fn parsing(criterion: &mut Criterion) {
    parse::<Directory>(criterion, "parse directory", DIRECTORY);
    parse::<Order>(criterion, "parse order of 1 name", &order(1));
    parse::<Order>(criterion, "parse order of 100 names", &order(100));
    parse::<Authorization>(criterion, "parse authorization", AUTHORIZATION);
    parse::<Problem>(criterion, "parse problem", PROBLEM);
    let Ok(leaf) = CertificateDer::from_pem_slice(LEAF) else {
        return;
    };
    criterion.bench_function("look into 10,000 leaves", |bencher| {
        bencher.iter(|| {
            (0..MANY)
                .filter(|_| CertificateInfo::from_der(black_box(&leaf)).is_ok())
                .count()
        });
    });
}

criterion_group!(benches, parsing);
criterion_main!(benches);
