//! Faults of bodies: cut, slow, endless, empty, or somebody else's.

use std::time::Duration;

use acme_testing::{Fault, Operation};
use http_body_util::BodyExt;

use crate::{client::Client, world::builder};

async fn faulty(fault: Fault) -> (acme_testing::TestCa, Client) {
    let ca = builder().start().await.unwrap();
    let client = Client::register(&ca).await;
    ca.inject(fault.on(Operation::Account).times(1));
    (ca, client)
}

#[tokio::test]
async fn a_body_is_cut() {
    let (ca, mut client) = faulty(Fault::CutBody).await;
    let kid = client.kid.clone();
    let request = client.signed(&kid, "").await;
    assert!(client.try_send(request).await.is_err());
    client.reconnect(&ca).await;
    client.fetch(&kid).await.expect(200);
}

#[tokio::test]
async fn a_body_never_ends() {
    let (_ca, mut client) = faulty(Fault::EndlessBody).await;
    let kid = client.kid.clone();
    let request = client.signed(&kid, "").await;
    let mut body = client.open(request).await.into_body();
    let mut length = 0;
    while length < 1_000_000 {
        length += body
            .frame()
            .await
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap()
            .len();
    }
}

#[tokio::test]
async fn a_body_stalls_halfway() {
    let (_ca, mut client) = faulty(Fault::StalledBody).await;
    let kid = client.kid.clone();
    let request = client.signed(&kid, "").await;
    let mut body = client.open(request).await.into_body();
    let half = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(half.starts_with(b"{") && !half.ends_with(b"}"));
    let more = tokio::time::timeout(Duration::from_millis(20), body.frame()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn a_body_comes_byte_by_byte() {
    let (_ca, mut client) = faulty(Fault::SlowBody(Duration::from_micros(10))).await;
    let kid = client.kid.clone();
    let request = client.signed(&kid, "").await;
    let mut body = client.open(request).await.into_body();
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        whole.extend(frame.unwrap().into_data().unwrap());
    }
    let expected = client.fetch(&kid).await;
    assert_eq!(whole, expected.body);
}

#[tokio::test]
async fn a_body_is_empty_or_a_page() {
    let (ca, mut client) = faulty(Fault::EmptyBody).await;
    let kid = client.kid.clone();
    let answer = client.fetch(&kid).await;
    assert!(answer.expect(200).body.is_empty());
    assert!(answer.header("replay-nonce").is_some());
    ca.inject(Fault::HtmlBody.on(Operation::Account).times(1));
    let answer = client.fetch(&kid).await;
    assert_eq!(answer.expect(200).header("content-type"), Some("text/html"));
    assert!(answer.body.starts_with(b"<html>"));
}
