//! What the cases share: clients, responders, and a visitor's view of a chain.

use std::{collections::HashMap, sync::Arc, time::Duration};

use acme_client::{
    Account, CertificateRequest, Client, ClientBuilder, HyperTransport, IssuedCertificate,
    messages::{
        CertificateChain, ChallengeType, NewAccount, ServerName,
        jose::{BoxFuture, KeyType, PrivateKey},
    },
    responders::{ChallengeContext, Responder, ResponderError},
};
use acme_responders::Http01Responder;
use acme_tests::{Dns, Error, Pebble};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
};
use tokio::{net::TcpListener, sync::Mutex};

/// No case takes this long unless something is wrong.
const LIMIT: Duration = Duration::from_secs(240);

pub(crate) const THREE: [&str; 3] = ["one.example.com", "two.example.com", "three.example.com"];

pub(crate) fn new_key() -> Arc<PrivateKey> {
    Arc::new(PrivateKey::generate(KeyType::EcdsaP256).unwrap())
}

pub(crate) fn names(names: &[&str]) -> Vec<ServerName> {
    names.iter().map(|it| it.parse().unwrap()).collect()
}

/// A transport that trusts this root.
pub(crate) fn transport(root: &str) -> HyperTransport {
    HyperTransport::builder()
        .crypto_provider(Arc::new(ring::default_provider()))
        .only_roots_pem(root.as_bytes())
        .unwrap()
        .build()
        .unwrap()
}

pub(crate) fn builder(pebble: &Pebble) -> ClientBuilder {
    Client::builder(pebble.directory_url(), transport(pebble.https_root_pem()))
}

pub(crate) fn client(pebble: &Pebble) -> Client {
    builder(pebble).build().unwrap()
}

/// A new account that agrees to the terms, and has a contact.
pub(crate) fn agreed() -> NewAccount {
    let mut new = NewAccount::default();
    new.terms_of_service_agreed = true;
    new.contact = vec!["mailto:admin@example.com".to_owned()];
    new
}

pub(crate) async fn account_of(client: &Client) -> Account {
    let made = client.new_account(new_key(), &agreed()).await.unwrap();
    assert!(made.created);
    made.account
}

pub(crate) async fn account(pebble: &Pebble) -> Account {
    account_of(&client(pebble)).await
}

/// An http-01 responder on a port of its own.
pub(crate) async fn http_01() -> (Arc<Http01Responder>, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let responder = Http01Responder::new();
    let service = responder.clone();
    tokio::spawn(async move { service.serve(listener).await });
    (Arc::new(responder), port)
}

/// A request with a new key.
pub(crate) fn request(texts: &[&str], responder: Arc<dyn Responder>) -> CertificateRequest {
    CertificateRequest::generate(&names(texts), KeyType::EcdsaP256)
        .unwrap()
        .responder(responder)
}

pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    let work = tokio::time::timeout(LIMIT, work).await;
    work.expect("this takes far too long")
}

/// Obtains a certificate for the names, verified against Pebble's own root.
pub(crate) async fn obtain(
    pebble: &Pebble,
    account: &Account,
    texts: &[&str],
    responder: Arc<dyn Responder>,
) -> Result<IssuedCertificate, Error> {
    let request = request(texts, responder);
    let issued = within(account.obtain(&request)).await.unwrap();
    verify(
        &issued.chain,
        &pebble.issuing_root_pem().await?,
        &names(texts),
    );
    Ok(issued)
}

/// Verifies as a TLS client does, with webpki.
pub(crate) fn verify(chain: &CertificateChain, root: &str, names: &[ServerName]) {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = verifier.build().unwrap();
    let (leaf, intermediates) = chain.as_der().split_first().unwrap();
    for name in names {
        let visited = name.to_string().replacen('*', "some", 1);
        verifier
            .verify_server_cert(
                leaf,
                intermediates,
                &visited.try_into().unwrap(),
                &[],
                UnixTime::now(),
            )
            .unwrap();
    }
}

/// dns-01 through the DNS server that Pebble asks.
#[derive(Debug)]
pub(crate) struct DnsResponder {
    dns: Dns,
    /// The values at each name: the server forgets a name as a whole.
    values: Mutex<HashMap<String, Vec<String>>>,
}

impl DnsResponder {
    pub(crate) fn new(pebble: &Pebble) -> Self {
        Self {
            dns: pebble.dns(),
            values: Mutex::default(),
        }
    }
}

fn record(challenge: &ChallengeContext) -> (String, String) {
    let name = format!("_acme-challenge.{}", challenge.name());
    (name, challenge.key_authorization().dns_txt_value())
}

impl Responder for DnsResponder {
    fn challenge_type(&self) -> ChallengeType {
        ChallengeType::Dns01
    }

    fn start<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(async move {
            let (name, value) = record(challenge);
            let mut values = self.values.lock().await;
            let at_name = values.entry(name.clone()).or_default();
            if !at_name.contains(&value) {
                self.dns
                    .add_txt(&name, &value)
                    .await
                    .map_err(ResponderError::new)?;
                at_name.push(value);
            }
            Ok(())
        })
    }

    fn stop<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(async move {
            let (name, value) = record(challenge);
            let mut values = self.values.lock().await;
            if let Some(at_name) = values.get_mut(&name) {
                at_name.retain(|it| *it != value);
                if at_name.is_empty() {
                    values.remove(&name);
                    self.dns
                        .clear_txt(&name)
                        .await
                        .map_err(ResponderError::new)?;
                }
            }
            Ok(())
        })
    }

    fn asked<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}
