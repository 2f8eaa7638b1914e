//! What the CA knocks at: small servers on loopback, and a CA to knock.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use acme_testing::{
    TestCa, TestCaBuilder,
    messages::{
        Authorization, AuthorizationStatus, CertificateChain, CertificateSigningRequest,
        ChallengeType, Order, ServerName,
        jose::{KeyType, PrivateKey},
    },
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::client::{Client, provider};

pub(crate) fn builder() -> TestCaBuilder {
    TestCa::builder().crypto_provider(provider())
}

/// A web server of one thread: whole answers by path, and the requests it got.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebServer {
    pub(crate) port: u16,
    answers: Arc<Mutex<HashMap<String, String>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl WebServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self {
            port,
            ..Self::default()
        };
        let serve = server.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                let mut buffer = [0; 1024];
                while !request.windows(4).any(|it| it == b"\r\n\r\n") {
                    match stream.read(&mut buffer).await {
                        Ok(0) | Err(_) => break,
                        Ok(length) => request.extend_from_slice(&buffer[..length]),
                    }
                }
                let request = String::from_utf8(request).unwrap();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                serve.requests.lock().unwrap().push(request);
                let answer = serve.answers.lock().unwrap().get(&path).cloned();
                let answer = answer.unwrap_or_else(|| {
                    "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned()
                });
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        server
    }

    pub(crate) fn answer(&self, path: &str, whole: impl Into<String>) {
        self.answers
            .lock()
            .unwrap()
            .insert(path.to_owned(), whole.into());
    }

    pub(crate) fn serve(&self, path: &str, body: &str) {
        let length = body.len();
        self.answer(
            path,
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"),
        );
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

pub(crate) fn challenge_path(token: Option<&str>) -> String {
    format!("/.well-known/acme-challenge/{}", token.unwrap())
}

/// A CA whose http-01 knocks at a web server, and a client with an account.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) ca: TestCa,
    pub(crate) web: WebServer,
    pub(crate) client: Client,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(builder()).await
    }

    pub(crate) async fn with(builder: TestCaBuilder) -> Self {
        let web = WebServer::start().await;
        let ca = builder.http_01_port(web.port).start().await.unwrap();
        let client = Client::register(&ca).await;
        Self { ca, web, client }
    }

    /// Proves an authorization by http-01 with the first client's key.
    pub(crate) async fn prove(&mut self, authorization: &str) {
        let (challenge, answer) = self
            .client
            .challenge(authorization, ChallengeType::Http01)
            .await;
        self.web
            .serve(&challenge_path(challenge.token.as_deref()), answer.as_str());
        self.client
            .post(&challenge.url, json!({}))
            .await
            .expect(200);
        let seen: Authorization = self.client.fetch(authorization).await.json();
        assert_eq!(seen.status, AuthorizationStatus::Valid, "{seen:?}");
    }

    /// Says that a challenge is met, whatever comes of it, and waits for the end.
    pub(crate) async fn prove_or_fail(&mut self, challenge: &str) {
        self.client.post(challenge, json!({})).await.expect(200);
        self.client.fetch(challenge).await.expect(200);
    }

    /// An order whose authorizations are all valid.
    pub(crate) async fn ready_order(&mut self, names: &[&str]) -> (String, Order) {
        let (url, order) = self.client.order(names).await;
        for authorization in &order.authorizations {
            self.prove(authorization).await;
        }
        let order = self.client.fetch(&url).await.json();
        (url, order)
    }

    /// The whole way to a certificate; returns its chain, its key and its URL.
    pub(crate) async fn issue(&mut self, names: &[&str]) -> (CertificateChain, PrivateKey, String) {
        let (_, order) = self.ready_order(names).await;
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let answer = self
            .client
            .post(&order.finalize, json!({ "csr": csr(names, &key) }))
            .await;
        let order: Order = answer.expect(200).json();
        let url = order.certificate.expect("the order is valid");
        let chain = self.client.fetch(&url).await;
        let chain = CertificateChain::from_pem(&chain.expect(200).body).unwrap();
        (chain, key, url)
    }
}

/// A CSR as it stands in a finalize request.
pub(crate) fn csr(names: &[&str], key: &PrivateKey) -> String {
    let names: Vec<ServerName> = names.iter().map(|it| it.parse().unwrap()).collect();
    CertificateSigningRequest::for_names(&names, key)
        .unwrap()
        .to_base64url()
}
