//! The CA without TLS, where that is asked for.

use std::net::{Ipv4Addr, SocketAddr};

use acme_testing::TestCaError;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::builder;

#[tokio::test]
async fn http_is_spoken_on_loopback() {
    let ca = builder().danger_plain_http().start().await.unwrap();
    let url = ca.directory_url();
    let (address, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    assert_eq!(ca.https_root_pem(), "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /{path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: test\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains(&format!("\"newOrder\":\"http://{address}/")),
        "{answer}"
    );
}

#[tokio::test]
async fn http_is_spoken_nowhere_else() {
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let error = builder()
        .danger_plain_http()
        .listen(everywhere)
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, TestCaError::NotLoopback(_)), "{error}");
}
