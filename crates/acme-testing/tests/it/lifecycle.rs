//! The whole way to a certificate, and the CA's own life.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use acme_testing::{
    ManualClock, Operation, TestCaError,
    messages::{Clock, Directory, ServerName},
};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::{
    client::{Client, connect},
    world::{World, builder},
};

#[tokio::test]
async fn a_certificate_is_issued_by_http_01() {
    let mut world = World::new().await;
    let (chain, key, url) = world.issue(&["www.example.com", "example.com"]).await;

    chain.check_links().unwrap();
    chain.check_key(key.public_jwk()).unwrap();
    let names: Vec<ServerName> = vec![
        "www.example.com".parse().unwrap(),
        "example.com".parse().unwrap(),
    ];
    chain.check_names(&names).unwrap();
    assert_eq!(chain.as_der().len(), 2);
    let leaf = chain.leaf();
    let seconds = leaf.not_after.as_second() - leaf.not_before.as_second() + 1;
    assert_eq!(seconds, 90 * 24 * 60 * 60);

    let issued = world.ca.issued();
    assert_eq!(issued.len(), 1);
    assert_eq!(issued[0].chain, chain);
    assert_eq!(issued[0].url, url);
    assert_eq!(issued[0].account_url, world.client.kid);
    assert_eq!(issued[0].revocation, None);
}

#[tokio::test]
async fn requests_are_recorded_in_order() {
    let mut world = World::new().await;
    world.ca.clear_requests();
    world.issue(&["example.com"]).await;
    let requests = world.ca.requests();
    let operations: Vec<_> = requests
        .iter()
        .map(|it| it.operation)
        .filter(|it| *it != Operation::NewNonce)
        .collect();
    assert_eq!(
        operations,
        [
            Operation::NewOrder,
            Operation::Authorization,
            Operation::Challenge,
            Operation::Authorization,
            Operation::Order,
            Operation::Finalize,
            Operation::Certificate,
        ]
    );
    assert!(
        requests
            .iter()
            .all(|it| it.connection == 1 && it.problem.is_none())
    );
    assert_eq!(requests[1].method, "POST");
    assert_eq!(requests[1].path, "/new-order");
    assert_eq!(requests[1].status, 201);
}

#[tokio::test]
async fn the_clock_given_dates_the_certificates() {
    let clock = ManualClock::new("2031-05-06T07:08:09Z".parse().unwrap());
    let builder = builder()
        .clock(Arc::new(clock.clone()))
        .validity(Duration::from_secs(20));
    let mut world = World::with(builder).await;
    let (chain, ..) = world.issue(&["example.com"]).await;
    assert_eq!(
        chain.leaf().not_before,
        "2031-05-06T07:08:07Z".parse().unwrap()
    );
    assert_eq!(
        chain.leaf().not_after,
        "2031-05-06T07:08:26Z".parse().unwrap()
    );
    clock.advance(Duration::from_secs(20));
    chain.check_time(clock.now()).unwrap_err();
    world
        .ca
        .configure(|it| it.issuance.validity = Duration::from_secs(60 * 60));
    let (chain, ..) = world.issue(&["example.com"]).await;
    chain.check_time(clock.now()).unwrap();
    // The CA never sleeps on the clock it was given.
    assert_eq!(clock.sleepers(), 0);
}

#[tokio::test]
async fn several_live_side_by_side() {
    let (first, second) = (
        builder().start().await.unwrap(),
        builder().start().await.unwrap(),
    );
    assert_ne!(first.directory_url(), second.directory_url());
    assert_ne!(first.root_pem(), second.root_pem());
    assert_ne!(first.root_pem(), first.https_root_pem());
    let mut client = Client::register(&first).await;
    let mut other = Client::connect(&second).await;
    other.kid = client.kid.clone();
    other.key = client.key.clone();
    let url = other.directory.new_order.clone();
    let answer = other.fetch(&url).await;
    assert_eq!(answer.status, 400, "one CA's account is not the other's");
    let kid = client.kid.clone();
    client.fetch(&kid).await.expect(200);
}

#[tokio::test]
async fn http_2_is_served_too() {
    let ca = builder().start().await.unwrap();
    let stream = connect(&ca, b"h2").await;
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(ca.directory_url())
        .header("user-agent", "acme-testing-tests")
        .body(Full::<Bytes>::default())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let directory: Directory = serde_json::from_slice(&body).unwrap();
    let base = ca.directory_url().replace("/directory", "");
    for url in [
        &directory.new_nonce,
        &directory.new_account,
        &directory.new_order,
    ] {
        assert!(url.starts_with(&base), "{url}");
    }
    assert!(directory.revoke_cert.is_some() && directory.renewal_info.is_some());
    assert!(directory.meta.terms_of_service.is_some());
}

#[tokio::test]
async fn a_stopped_ca_is_gone() {
    let address = |url: String| -> SocketAddr {
        let url = url.strip_prefix("https://").unwrap();
        url.split('/').next().unwrap().parse().unwrap()
    };
    let ca = builder().start().await.unwrap();
    let old = address(ca.directory_url());
    let client = Client::connect(&ca).await;
    ca.shutdown().await;
    assert!(TcpStream::connect(old).await.is_err());
    drop(client);

    let ca = builder().listen(old).start().await.unwrap();
    assert_eq!(address(ca.directory_url()), old);
    let error = builder().listen(old).start().await.unwrap_err();
    assert!(matches!(error, TestCaError::Bind { address, .. } if address == old));
    // A dropped one, too, once its task has had its turn.
    drop(ca);
    while TcpStream::connect(old).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_ca_without_a_provider_says_so() {
    let error = acme_testing::TestCa::builder().start().await.unwrap_err();
    assert!(matches!(error, TestCaError::NoCryptoProvider));
    assert!(error.to_string().contains("`crypto_provider`"), "{error}");
}
