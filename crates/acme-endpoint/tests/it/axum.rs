//! `axum::serve` on the listener as it is.

use std::net::SocketAddr;

use acme_endpoint::HANDSHAKE_TIMEOUT;
use axum::{Router, routing::get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    time::Instant,
};

use crate::world::{Site, Visitor, soon};

const NAME: &str = "www.example.com";

async fn fetch(visitor: &Visitor, address: SocketAddr) -> String {
    let mut stream = visitor.connect(address, NAME).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn axum_serves_while_clients_stall() {
    // axum's own advice makes one idle client stop all others.
    let (site, listener) = Site::start(&[NAME], &["http/1.1"]).await;
    let app = Router::new().route("/", get(async || "hello"));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        axum::serve(listener, app)
            .with_graceful_shutdown(async { drop(stopped.await) })
            .await
    });
    let mut stalled = Vec::new();
    for _ in 0..300 {
        stalled.push(TcpStream::connect(site.address).await.unwrap());
    }
    let start = Instant::now();
    let visitor = site.visitor().offering(&["http/1.1"]);
    let answer = fetch(&visitor, site.address).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with("hello"), "{answer}");
    // Stalled handshakes hold up nobody who wants to end, either.
    stop.send(()).unwrap();
    soon(server).await.unwrap().unwrap();
    assert!(
        start.elapsed() < HANDSHAKE_TIMEOUT / 2,
        "{:?}",
        start.elapsed()
    );
    drop(stalled);
}

#[tokio::test]
async fn axum_knows_the_address_and_may_tap() {
    use axum::serve::{Listener, ListenerExt};

    let (site, listener) = Site::start(&[NAME], &[]).await;
    assert_eq!(Listener::local_addr(&listener).unwrap(), site.address);
    let app = Router::new().route(
        "/",
        get(async |info: axum::extract::ConnectInfo<SocketAddr>| info.0.ip().to_string()),
    );
    let listener = listener.tap_io(|_| ());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let answer = fetch(&site.visitor(), site.address).await;
    assert!(answer.ends_with("127.0.0.1"), "{answer}");
}
