//! The crates, without the program: an account, orders, certificates.

use std::sync::Arc;

use acme_client::{
    Account, CertificateRequest, Client, HyperTransport,
    messages::{
        NewAccount, ServerName,
        jose::{KeyType, PrivateKey},
    },
};
use acme_endpoint::{CertificateResolver, TlsListener};
use acme_responders::{Http01Responder, Responder, TlsAlpn01Responder};
use acme_tests::{Error, Pebble, Programs};
use rustls::{ServerConfig, crypto::ring};
use tokio::net::TcpListener;

const NAMES: [&str; 3] = ["one.example.com", "two.example.com", "three.example.com"];

fn new_key() -> PrivateKey {
    PrivateKey::generate(KeyType::EcdsaP256).unwrap()
}

fn client(pebble: &Pebble) -> Client {
    let transport = HyperTransport::builder()
        .crypto_provider(Arc::new(ring::default_provider()))
        .only_roots_pem(pebble.https_root_pem().as_bytes())
        .unwrap()
        .build()
        .unwrap();
    Client::builder(pebble.directory_url(), transport)
        .build()
        .unwrap()
}

async fn account(pebble: &Pebble) -> Account {
    let mut new = NewAccount::default();
    new.terms_of_service_agreed = true;
    new.contact = vec!["mailto:admin@example.com".to_owned()];
    let registration = client(pebble).new_account(Arc::new(new_key()), &new).await;
    let registration = registration.unwrap();
    assert!(registration.created);
    registration.account
}

/// Obtains a certificate for the names and checks it against Pebble's own root.
async fn obtain(
    pebble: &Pebble,
    account: &Account,
    names: &[&str],
    responder: Arc<dyn Responder>,
) -> Result<(), Error> {
    let names: Vec<ServerName> = names.iter().map(|it| it.parse().unwrap()).collect();
    let key = new_key();
    let request = CertificateRequest::for_names(&names, &key)
        .unwrap()
        .responder(responder);
    let issued = account.obtain(&request).await.unwrap();
    verify(&issued.chain, &pebble.issuing_root_pem().await?, &names);
    Ok(())
}

/// Verifies as a TLS client does, with webpki.
fn verify(chain: &acme_messages::CertificateChain, root: &str, names: &[ServerName]) {
    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier},
        pki_types::{CertificateDer, UnixTime, pem::PemObject},
    };
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap())
        .unwrap();
    let verifier = WebPkiServerVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::new(ring::default_provider()),
    )
    .build()
    .unwrap();
    let (leaf, intermediates) = chain.as_der().split_first().unwrap();
    for name in names {
        let name = name.to_string().try_into().unwrap();
        verifier
            .verify_server_cert(leaf, intermediates, &name, &[], UnixTime::now())
            .unwrap();
    }
}

#[tokio::test]
async fn one_and_several_names_are_issued_twice_by_http_01() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("issuing by http-01")? else {
        return Ok(());
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let responder = Http01Responder::new();
    let service = responder.clone();
    tokio::spawn(async move { service.serve(listener).await });
    let pebble = Pebble::builder(programs).http_port(port).start().await?;
    let account = account(&pebble).await;
    for names in [&NAMES[..1], &NAMES] {
        for _ in 0..2 {
            obtain(&pebble, &account, names, Arc::new(responder.clone())).await?;
        }
    }
    pebble.stop().await
}

#[tokio::test]
async fn one_and_several_names_are_issued_twice_by_tls_alpn_01() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("issuing by tls-alpn-01")? else {
        return Ok(());
    };
    let provider = Arc::new(ring::default_provider());
    let responder = TlsAlpn01Responder::new(provider.clone()).unwrap();
    let resolver = CertificateResolver::new();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver.clone()));
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listener = TlsListener::new(tcp, Arc::new(config), resolver, responder.clone()).unwrap();
    let port = listener.local_addr().port();
    let pebble = Pebble::builder(programs).tls_port(port).start().await?;
    let account = account(&pebble).await;
    for names in [&NAMES[..1], &NAMES] {
        for _ in 0..2 {
            obtain(&pebble, &account, names, Arc::new(responder.clone())).await?;
        }
    }
    pebble.stop().await
}

#[tokio::test]
async fn an_account_is_found_again_by_its_key() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("finding an account")? else {
        return Ok(());
    };
    let pebble = Pebble::builder(programs).start().await?;
    let client = client(&pebble);
    let key = Arc::new(new_key());
    let mut new = NewAccount::default();
    new.terms_of_service_agreed = true;
    let first = client.new_account(key.clone(), &new).await.unwrap();
    let again = client.new_account(key, &new).await.unwrap();
    assert!(first.created);
    assert!(!again.created);
    assert_eq!(first.account.url(), again.account.url());
    pebble.stop().await
}

#[tokio::test]
async fn refused_nonces_are_no_obstacle() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("nonces that are refused")? else {
        return Ok(());
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let responder = Http01Responder::new();
    let service = responder.clone();
    tokio::spawn(async move { service.serve(listener).await });
    // Six refusals in a row, which end a request, are one in 15,625 at this rate.
    let pebble = Pebble::builder(programs)
        .http_port(port)
        .nonce_reject(20)
        .start()
        .await?;
    let account = account(&pebble).await;
    obtain(&pebble, &account, &NAMES, Arc::new(responder)).await?;
    pebble.stop().await
}
