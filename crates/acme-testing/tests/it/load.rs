//! Many clients at once.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use acme_testing::{
    TestCa,
    messages::{
        Authorization, AuthorizationStatus, CertificateChain, ChallengeType, Order, OrderStatus,
        jose::{KeyType, PrivateKey},
    },
};
use serde_json::json;

use crate::{
    client::Client,
    world::{WebServer, builder, challenge_path, csr},
};

const CLIENTS: usize = 64;
const ORDERS: usize = 500;

/// The whole way to a certificate for one name.
async fn issue(client: &mut Client, web: &WebServer, name: &str, key: &PrivateKey) {
    let (_, order) = client.order(&[name]).await;
    let authorization = &order.authorizations[0];
    let (challenge, answer) = client.challenge(authorization, ChallengeType::Http01).await;
    let path = challenge_path(challenge.token.as_deref());
    web.serve(&path, answer.as_str());
    client.post(&challenge.url, json!({})).await.expect(200);
    let seen: Authorization = client.fetch(authorization).await.json();
    assert_eq!(seen.status, AuthorizationStatus::Valid, "{name}: {seen:?}");
    let payload = json!({ "csr": csr(&[name], key) });
    let order: Order = client.post(&order.finalize, payload).await.json();
    let chain = client.fetch(&order.certificate.unwrap()).await;
    let chain = CertificateChain::from_pem(&chain.expect(200).body).unwrap();
    chain.check_names(&[name.parse().unwrap()]).unwrap();
}

/// One of the clients: takes orders until none is left.
async fn work(ca: Arc<TestCa>, web: WebServer, next: Arc<AtomicUsize>) {
    let mut client = Client::register(&ca).await;
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= ORDERS {
            return;
        }
        issue(&mut client, &web, &format!("n{number}.example"), &key).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_orders_ends_with_its_certificate() {
    let web = WebServer::start().await;
    let ca = builder().http_01_port(web.port).start().await.unwrap();
    let ca = Arc::new(ca);
    let next = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(work(Arc::clone(&ca), web.clone(), Arc::clone(&next))))
        .collect();
    for client in clients {
        client.await.unwrap();
    }

    let orders = ca.orders();
    assert_eq!(orders.len(), ORDERS);
    assert!(orders.iter().all(|it| it.status == OrderStatus::Valid));
    let issued = ca.issued();
    assert_eq!(issued.len(), ORDERS);
    let leaves: HashSet<_> = issued
        .iter()
        .map(|it| it.chain.as_der()[0].to_vec())
        .collect();
    let urls: HashSet<_> = issued.iter().map(|it| &it.url).collect();
    let accounts: HashSet<_> = issued.iter().map(|it| &it.account_url).collect();
    assert_eq!((leaves.len(), urls.len()), (ORDERS, ORDERS));
    assert!(accounts.len() <= CLIENTS);

    // Each signed request spent one nonce: one for the account of each client, and the
    // order, two looks, the response, the CSR and the download of each certificate.
    let counts = ca.nonces();
    let signed = CLIENTS + 6 * ORDERS;
    assert_eq!(counts.refused, 0);
    assert_eq!(counts.spent, signed as u64);
    // As many were asked for by themselves, and as many came with the answers.
    assert_eq!(counts.given, 2 * signed as u64);
    assert_eq!(web.requests().len(), ORDERS);
}
