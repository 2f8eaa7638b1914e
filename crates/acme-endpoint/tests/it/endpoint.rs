//! The endpoint's beginning and end.

use std::{error::Error as _, net::Ipv4Addr, sync::Arc, time::Duration};

use acme_endpoint::{AutoTlsEndpoint, EndpointError, EndpointSpec, ListenSpec};
use acme_store::{CertificateStore, Expect, MemoryStore};
use acme_testing::{FailingCa, TestPki};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{Visitor, bundle, echo, is_open, loopback, name, ping, provider, soon};

const NAME: &str = "www.example.com";

const GRACE: Duration = Duration::from_secs(1);

async fn stocked(pki: &TestPki) -> MemoryStore {
    let store = MemoryStore::new();
    let bundle = bundle(pki, &[NAME]);
    store
        .put(&name(NAME), &bundle, Expect::Absent)
        .await
        .unwrap();
    store
}

#[tokio::test]
async fn after_shutdown_the_port_is_closed() {
    // E10: the port first, then the service.
    let pki = TestPki::new().unwrap();
    let (listener, handle) = AutoTlsEndpoint::builder(
        Arc::new(stocked(&pki).await),
        Arc::new(FailingCa::unreachable()),
    )
    .crypto_provider(provider())
    .start(loopback().await)
    .await
    .unwrap();
    echo(listener);
    let address = handle.local_addr();
    let mut old = Visitor::trusting(pki.root_pem())
        .visit(address, NAME)
        .await
        .unwrap();
    soon(handle.shutdown(GRACE)).await;
    assert!(!is_open(address));
    assert!(handle.service().subscribe().is_err());
    // What was accepted lives on, and a second time changes nothing.
    ping(&mut old).await.unwrap();
    soon(handle.shutdown(GRACE)).await;
}

#[tokio::test]
async fn the_port_is_closed_even_if_the_service_is_gone_before() {
    let pki = TestPki::new().unwrap();
    let http_01 = loopback().await;
    let port_80 = http_01.local_addr().unwrap();
    let (_listener, handle) = AutoTlsEndpoint::builder(
        Arc::new(stocked(&pki).await),
        Arc::new(FailingCa::unreachable()),
    )
    .crypto_provider(provider())
    .http_01(http_01)
    .start(loopback().await)
    .await
    .unwrap();
    soon(handle.service().shutdown(GRACE)).await;
    assert!(is_open(handle.local_addr()));
    soon(handle.shutdown(GRACE)).await;
    assert!(!is_open(handle.local_addr()));
    assert!(!is_open(port_80));
}

#[tokio::test]
async fn the_address_is_the_one_that_was_bound() {
    // E11
    let spec: EndpointSpec = "le:unused:tcp:0:interface=127.0.0.1".parse().unwrap();
    let tcp = spec.listen.bind().unwrap();
    let address = tcp.local_addr().unwrap();
    let (listener, handle) = AutoTlsEndpoint::builder(
        Arc::new(MemoryStore::new()),
        Arc::new(FailingCa::unreachable()),
    )
    .crypto_provider(provider())
    .start(tcp)
    .await
    .unwrap();
    assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
    assert_ne!(address.port(), 0);
    assert_eq!(handle.local_addr(), address);
    assert_eq!(listener.local_addr(), address);
    handle.shutdown(GRACE).await;
}

#[tokio::test]
async fn every_interface_means_both_families() {
    let listener = ListenSpec::tcp(0).bind().unwrap();
    let bound = listener.local_addr().unwrap();
    let port = bound.port();
    TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    if bound.is_ipv6() {
        TcpStream::connect((std::net::Ipv6Addr::LOCALHOST, port))
            .await
            .unwrap();
    }
    // Taken is taken, and no other socket is tried instead.
    let error = ListenSpec::tcp(port).bind().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn no_provider_is_an_error_and_none_is_installed() {
    // T69
    let tcp = loopback().await;
    let error = AutoTlsEndpoint::builder(
        Arc::new(MemoryStore::new()),
        Arc::new(FailingCa::unreachable()),
    )
    .start(tcp)
    .await
    .unwrap_err();
    assert!(matches!(error, EndpointError::NoCryptoProvider), "{error}");
    assert!(error.to_string().contains("`crypto_provider`"), "{error}");
    assert!(error.source().is_none());
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

#[tokio::test]
async fn everything_else_on_the_http_01_port_goes_to_https() {
    let http_01 = loopback().await;
    let port_80 = http_01.local_addr().unwrap();
    let (_listener, handle) = AutoTlsEndpoint::builder(
        Arc::new(MemoryStore::new()),
        Arc::new(FailingCa::unreachable()),
    )
    .crypto_provider(provider())
    .http_01(http_01)
    .start(loopback().await)
    .await
    .unwrap();
    let mut stream = TcpStream::connect(port_80).await.unwrap();
    stream
        .write_all(b"GET /page HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    let location = format!(
        "https://www.example.com:{}/page",
        handle.local_addr().port()
    );
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    assert!(answer.contains(&location), "{answer}");
    handle.shutdown(GRACE).await;
}
