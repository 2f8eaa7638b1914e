//! Many orders at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use acme_client::messages::NewAccount;
use acme_client::messages::jose::{KeyType, PrivateKey};
use acme_client::{CertificateRequest, Client, HyperTransport};
use acme_responders::Http01Responder;
use acme_testing::{Operation, TestCa};
use rustls::crypto::ring;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How many orders, and how many of them at once.
const ORDERS: usize = 256;
const WIDTH: usize = 64;

/// Longer than a slow machine takes: a net, not a wait.
const LIMIT: Duration = Duration::from_secs(300);

/// Each of them ends with a certificate for its own name, and takes no more requests than alone.
#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_at_once_all_end_with_their_own_certificate() {
    let provider = Arc::new(ring::default_provider());
    let responder = Http01Responder::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ca = TestCa::builder()
        .crypto_provider(provider.clone())
        .http_01_port(listener.local_addr().unwrap().port())
        .start()
        .await
        .unwrap();
    let served = responder.clone();
    tokio::spawn(async move { served.serve(listener).await });
    let transport = HyperTransport::builder()
        .crypto_provider(provider)
        .only_roots_pem(ca.https_root_pem().as_bytes())
        .unwrap()
        .build()
        .unwrap();
    let client = Client::builder(ca.directory_url(), transport)
        .build()
        .unwrap();
    let mut new = NewAccount::default();
    new.terms_of_service_agreed = true;
    let key = Arc::new(PrivateKey::generate(KeyType::EcdsaP256).unwrap());
    let account = client.new_account(key, &new).await.unwrap().account;

    let mut tasks = JoinSet::new();
    for worker in 0..WIDTH {
        let (account, responder) = (account.clone(), responder.clone());
        tasks.spawn(async move {
            let mut serials = Vec::new();
            for number in (worker..ORDERS).step_by(WIDTH) {
                let names = [format!("n{number}.example").parse().unwrap()];
                let request = CertificateRequest::generate(&names, KeyType::EcdsaP256)
                    .unwrap()
                    .responder(Arc::new(responder.clone()));
                let issued = account.obtain(&request).await.unwrap();
                assert_eq!(issued.chain.leaf().names, names);
                serials.push(issued.chain.leaf().serial.clone());
            }
            serials
        });
    }
    let serials = tokio::time::timeout(LIMIT, tasks.join_all()).await.unwrap();
    let serials: BTreeSet<_> = serials.into_iter().flatten().collect();
    assert_eq!(serials.len(), ORDERS);
    assert_eq!(ca.issued().len(), ORDERS);
    for once in [
        Operation::NewOrder,
        Operation::Authorization,
        Operation::Challenge,
        Operation::Finalize,
        Operation::Certificate,
    ] {
        assert_eq!(ca.count(once), ORDERS, "{once:?}");
    }
    // One nonce each for those that are under way at once, and then they are at hand.
    assert!(
        ca.count(Operation::NewNonce) <= 2 * WIDTH,
        "{}",
        ca.count(Operation::NewNonce)
    );
}
