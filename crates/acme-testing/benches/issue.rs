//! Starting a CA, and getting one certificate from a fresh one.
//!
//! `cargo bench -p acme-testing --bench issue`

#![allow(missing_docs, reason = "criterion's macros make a function without")]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use std::sync::Arc;

use acme_client::{
    AcmeAuthority, CertificateAuthority, CertificateRequest, Client, HyperTransport,
};
use acme_responders::Http01Responder;
use acme_testing::{
    TestCa,
    messages::{
        ServerName,
        jose::{KeyType, PrivateKey},
    },
};
use criterion::{Criterion, criterion_group, criterion_main};
use rustls::crypto::CryptoProvider;
use tokio::{net::TcpListener, runtime::Runtime};

async fn start(provider: &Arc<CryptoProvider>, http_01_port: u16) -> TestCa {
    TestCa::builder()
        .crypto_provider(Arc::clone(provider))
        .http_01_port(http_01_port)
        .start()
        .await
        .unwrap()
}

/// From a new account key to a checked chain.
async fn issue(ca: &TestCa, provider: &Arc<CryptoProvider>, responder: &Http01Responder) {
    let transport = HyperTransport::builder()
        .crypto_provider(Arc::clone(provider))
        .only_roots_pem(ca.https_root_pem().as_bytes())
        .unwrap()
        .build()
        .unwrap();
    let client = Client::builder(ca.directory_url(), transport)
        .build()
        .unwrap();
    let account_key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let authority = AcmeAuthority::builder(client, Arc::new(account_key))
        .agree_to_terms_of_service(true)
        .build();
    let names: Vec<ServerName> = vec!["www.example.com".parse().unwrap()];
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let request = CertificateRequest::for_names(&names, &key)
        .unwrap()
        .responder(Arc::new(responder.clone()));
    let issued = authority.obtain(&request).await.unwrap();
    assert_eq!(issued.chain.leaf().names, names);
}

fn ca(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let responder = Http01Responder::new();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = responder.clone();
    runtime.spawn(async move { served.serve(listener).await });

    criterion.bench_function("start the CA", |bencher| {
        bencher.iter(|| runtime.block_on(start(&provider, port)));
    });
    criterion.bench_function("start the CA and issue one certificate", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let ca = start(&provider, port).await;
                issue(&ca, &provider, &responder).await;
            });
        });
    });
    let ca = runtime.block_on(start(&provider, port));
    criterion.bench_function("issue one certificate with a new account", |bencher| {
        bencher.iter(|| runtime.block_on(issue(&ca, &provider, &responder)));
    });
}

criterion_group!(benches, ca);
criterion_main!(benches);
