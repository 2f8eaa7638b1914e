//! The CA over HTTP/2: the same requests, many at once on one connection.

use acme_testing::messages::{
    Directory,
    jose::{FlattenedJws, KeyType, PrivateKey, ProtectedHeader},
};
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::{client::connect, world::builder};

fn request(method: Method, url: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
    let mut builder = Request::builder()
        .method(&method)
        .uri(url)
        .header("user-agent", "acme-testing-tests");
    if method == Method::POST {
        builder = builder.header("content-type", "application/jose+json");
    }
    builder.body(Full::new(body.into())).unwrap()
}

async fn register(
    mut sender: SendRequest<Full<Bytes>>,
    directory: Directory,
) -> Response<Incoming> {
    let url = &directory.new_account;
    let asked = request(Method::HEAD, &directory.new_nonce, Vec::new());
    let nonce = sender.send_request(asked).await.unwrap();
    let nonce = nonce.headers()["replay-nonce"].to_str().unwrap();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let header = ProtectedHeader::with_jwk(key.public_jwk().clone(), url);
    let header = header.nonce(nonce.parse().unwrap());
    let body = FlattenedJws::sign(&key, header, br#"{"termsOfServiceAgreed":true}"#).unwrap();
    let asked = request(Method::POST, url, body.to_json());
    sender.send_request(asked).await.unwrap()
}

#[tokio::test]
async fn signed_requests_are_taken_side_by_side() {
    let ca = builder().start().await.unwrap();
    let stream = connect(&ca, b"h2").await;
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    let asked = request(Method::GET, &ca.directory_url(), Vec::new());
    let body = sender.send_request(asked).await.unwrap().into_body();
    let body = body.collect().await.unwrap().to_bytes();
    let directory: Directory = serde_json::from_slice(&body).unwrap();
    let clients = (0..16).map(|_| register(sender.clone(), directory.clone()));
    let mut accounts = std::collections::HashSet::new();
    for answer in join_all(clients).await {
        assert_eq!(answer.status(), 201);
        accounts.insert(answer.headers()["location"].clone());
    }
    assert_eq!(accounts.len(), 16);
    assert!(ca.requests().iter().all(|it| it.connection == 1));
}
