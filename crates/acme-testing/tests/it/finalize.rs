//! Finalizing and downloading (RFC 8555, sections 7.4 and 7.4.2).

use std::time::Duration;

use acme_testing::messages::{
    CertificateChain, Order, OrderStatus, ProblemType,
    jose::{KeyType, PrivateKey, base64url},
};
use serde_json::json;

use crate::world::{World, builder, csr};

fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::EcdsaP256).unwrap()
}

#[tokio::test]
async fn a_bad_csr_leaves_the_order_ready() {
    let mut world = World::new().await;
    let names = ["a.example", "b.example"];
    let (url, order) = world.ready_order(&names).await;
    let good = base64url::decode(&csr(&names, &key())).unwrap();
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    let bad = [
        csr(&["a.example"], &key()),
        csr(&["a.example", "b.example", "c.example"], &key()),
        csr(&["a.example", "c.example"], &key()),
        csr(&["*.example", "a.example"], &key()),
        csr(&names, &world.client.key),
        base64url::encode(&forged),
        base64url::encode(&good[..good.len() - 1]),
        format!("{}=", base64url::encode(&good)),
        String::new(),
    ];
    for csr in bad {
        let answer = world
            .client
            .post(&order.finalize, json!({ "csr": csr }))
            .await;
        answer.expect_problem(400, ProblemType::BadCsr);
    }
    let answer = world.client.post(&order.finalize, json!({})).await;
    answer.expect_problem(400, ProblemType::Malformed);
    let seen: Order = world.client.fetch(&url).await.json();
    assert_eq!(seen.status, OrderStatus::Ready);

    let csr = base64url::encode(&good);
    let answer = world
        .client
        .post(&order.finalize, json!({ "csr": csr }))
        .await;
    assert_eq!(answer.location(), url);
    assert_eq!(
        answer.expect(200).json::<Order>().status,
        OrderStatus::Valid
    );
    let again = world
        .client
        .post(&order.finalize, json!({ "csr": csr }))
        .await;
    again.expect_problem(403, ProblemType::OrderNotReady);
    assert_eq!(world.ca.issued().len(), 1);
}

#[tokio::test]
async fn an_order_must_be_ready() {
    let mut world = World::new().await;
    let (_, order) = world.client.order(&["example.com"]).await;
    let payload = json!({ "csr": csr(&["example.com"], &key()) });
    let answer = world.client.post(&order.finalize, payload).await;
    answer.expect_problem(403, ProblemType::OrderNotReady);
}

#[tokio::test]
async fn issuance_takes_as_many_looks_as_it_is_told() {
    let builder = builder()
        .processing_polls(2)
        .retry_after(Duration::from_secs(3));
    let mut world = World::with(builder).await;
    let (url, order) = world.ready_order(&["example.com"]).await;
    let payload = json!({ "csr": csr(&["example.com"], &key()) });
    let answer = world.client.post(&order.finalize, payload).await;
    assert_eq!(answer.expect(200).header("retry-after"), Some("3"));
    let order: Order = answer.json();
    assert_eq!(
        (order.status, order.certificate),
        (OrderStatus::Processing, None)
    );
    let order: Order = world.client.fetch(&url).await.json();
    assert_eq!(
        (order.status, order.certificate),
        (OrderStatus::Processing, None)
    );
    let answer = world.client.fetch(&url).await;
    assert_eq!(answer.header("retry-after"), None);
    let order: Order = answer.json();
    assert_eq!(order.status, OrderStatus::Valid);
    assert!(order.certificate.is_some());
}

#[tokio::test]
async fn a_chain_is_downloaded_as_pem() {
    let mut world = World::new().await;
    let (chain, _, url) = world.issue(&["example.com"]).await;
    let answer = world.client.fetch(&url).await;
    assert_eq!(
        answer.header("content-type"),
        Some("application/pem-certificate-chain")
    );
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(!text.contains('\r') && !text.contains("\n\n") && text.ends_with("-----\n"));
    assert_eq!(CertificateChain::from_pem(text.as_bytes()).unwrap(), chain);
    let unknown = format!("{}AAAA", &url[..url.len() - 4]);
    let answer = world.client.fetch(&unknown).await;
    answer.expect_problem(404, ProblemType::Malformed);
}
