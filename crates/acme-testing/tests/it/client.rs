//! An ACME client of a few lines: one connection, one key, each request by hand.

use std::sync::Arc;

use acme_testing::{
    TestCa,
    messages::{
        Authorization, Challenge, ChallengeType, Directory, KeyAuthorization, NewOrder, Order,
        Problem, ProblemType, ServerName, Token,
        jose::{FlattenedJws, KeyType, Nonce, PrivateKey, ProtectedHeader, Signer},
    },
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::{
    Response,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub(crate) async fn connect(ca: &TestCa, protocol: &[u8]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(ca.https_root_pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let url = ca.directory_url();
    let address = url
        .strip_prefix("https://")
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    let host = address.rsplit_once(':').unwrap().0.to_owned();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = host.try_into().unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap()
}

#[derive(Debug)]
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    pub(crate) key: PrivateKey,
    pub(crate) directory: Directory,
    pub(crate) kid: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|it| it.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> String {
        self.header("location").unwrap().to_owned()
    }

    pub(crate) fn link(&self, relation: &str) -> Option<String> {
        let relation = format!(">;rel=\"{relation}\"");
        self.headers.get_all("link").iter().find_map(|it| {
            let url = it.to_str().unwrap().strip_suffix(&relation)?;
            Some(url.trim_start_matches('<').to_owned())
        })
    }

    /// Demands a problem document of this status and kind.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, kind: ProblemType) -> Problem {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{text}"
        );
        let problem: Problem = self.json();
        assert_eq!((self.status, &problem.kind), (status, &kind), "{text}");
        assert_eq!(problem.status, Some(status));
        problem
    }

    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> &Self {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self
    }
}

impl Client {
    /// Connects with a fresh key and without an account.
    pub(crate) async fn connect(ca: &TestCa) -> Self {
        let stream = connect(ca, b"http/1.1").await;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let empty = Directory::new("", "", "");
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let mut client = Self {
            sender,
            key,
            directory: empty,
            kid: String::new(),
        };
        client.directory = client.get(&ca.directory_url()).await.json();
        client
    }

    /// Connects and makes an account.
    pub(crate) async fn register(ca: &TestCa) -> Self {
        let mut client = Self::connect(ca).await;
        let answer = client
            .new_account(json!({ "termsOfServiceAgreed": true }))
            .await;
        client.kid = answer.expect(201).location();
        client
    }

    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Answer {
        self.try_send(request).await.unwrap()
    }

    pub(crate) async fn try_send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, hyper::Error> {
        // The task of the connection may not have seen the end of the last answer yet.
        self.sender.ready().await?;
        let (parts, body) = self.sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }

    /// A signed request, ready to be sent.
    pub(crate) async fn signed(&mut self, url: &str, payload: &str) -> Request<Full<Bytes>> {
        let header = self.header(url).await;
        let body = FlattenedJws::sign(&self.key, header, payload.as_bytes())
            .unwrap()
            .to_json();
        Self::request(Method::POST, url, body)
    }

    /// The same client on a connection of its own.
    pub(crate) async fn reconnect(&mut self, ca: &TestCa) {
        let fresh = Self::connect(ca).await;
        self.sender = fresh.sender;
    }

    /// Another client with this one's account, on a connection of its own.
    pub(crate) async fn twin(&self, ca: &TestCa) -> Self {
        let mut twin = Self::connect(ca).await;
        twin.key = self.key.clone();
        twin.kid.clone_from(&self.kid);
        twin
    }

    /// Sends, and reads only the head of the answer.
    pub(crate) async fn open(&mut self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        self.sender.send_request(request).await.unwrap()
    }

    pub(crate) fn request(method: Method, url: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
        let uri: http::Uri = url.parse().unwrap();
        let mut builder = Request::builder()
            .method(&method)
            .uri(uri.path_and_query().unwrap().as_str())
            .header("host", uri.authority().unwrap().as_str())
            .header("user-agent", "acme-testing-tests");
        if method == Method::POST {
            builder = builder.header("content-type", "application/jose+json");
        }
        builder.body(Full::new(body.into())).unwrap()
    }

    pub(crate) async fn get(&mut self, url: &str) -> Answer {
        self.send(Self::request(Method::GET, url, Vec::new())).await
    }

    /// The directory's URL, as the links of other resources tell it.
    pub(crate) async fn link_to_directory(&mut self) -> String {
        let url = self.kid.clone();
        self.fetch(&url).await.link("index").unwrap()
    }

    pub(crate) async fn nonce(&mut self) -> Nonce {
        let url = self.directory.new_nonce.clone();
        let answer = self
            .send(Self::request(Method::HEAD, &url, Vec::new()))
            .await;
        answer.header("replay-nonce").unwrap().parse().unwrap()
    }

    /// A header for this account, with a fresh nonce.
    pub(crate) async fn header(&mut self, url: &str) -> ProtectedHeader {
        let header = ProtectedHeader::with_kid(self.key.algorithm(), &self.kid, url);
        header.nonce(self.nonce().await)
    }

    pub(crate) async fn jwk_header(&mut self, url: &str) -> ProtectedHeader {
        let header = ProtectedHeader::with_jwk(self.key.public_jwk().clone(), url);
        header.nonce(self.nonce().await)
    }

    /// Signs with this client's key and sends to `url`, whatever the header says.
    pub(crate) async fn post_with(
        &mut self,
        url: &str,
        header: &ProtectedHeader,
        payload: &[u8],
    ) -> Answer {
        let body = FlattenedJws::sign(&self.key, header.clone(), payload)
            .unwrap()
            .to_json();
        self.send(Self::request(Method::POST, url, body)).await
    }

    pub(crate) async fn post(&mut self, url: &str, payload: Value) -> Answer {
        let header = self.header(url).await;
        self.post_with(url, &header, payload.to_string().as_bytes())
            .await
    }

    /// A POST-as-GET.
    pub(crate) async fn fetch(&mut self, url: &str) -> Answer {
        let header = self.header(url).await;
        self.post_with(url, &header, b"").await
    }

    pub(crate) async fn new_account(&mut self, payload: Value) -> Answer {
        let url = self.directory.new_account.clone();
        let header = self.jwk_header(&url).await;
        self.post_with(&url, &header, payload.to_string().as_bytes())
            .await
    }

    pub(crate) async fn new_order(&mut self, payload: Value) -> Answer {
        let url = self.directory.new_order.clone();
        self.post(&url, payload).await
    }

    /// Places an order; returns its URL and what it looks like.
    pub(crate) async fn order(&mut self, names: &[&str]) -> (String, Order) {
        let names = names.iter().map(|it| it.parse::<ServerName>().unwrap());
        let payload = serde_json::to_value(NewOrder::new(names)).unwrap();
        let answer = self.new_order(payload).await;
        (answer.expect(201).location(), answer.json())
    }

    /// The challenge of this type in an authorization, and its key authorization.
    pub(crate) async fn challenge(
        &mut self,
        authorization: &str,
        kind: ChallengeType,
    ) -> (Challenge, KeyAuthorization) {
        let authorization: Authorization = self.fetch(authorization).await.json();
        let found = authorization
            .challenges
            .into_iter()
            .find(|it| it.kind == kind);
        let challenge = found.expect("the challenge is on offer");
        // Where there is none, the answer is not asked for either.
        let token = Token::parse(challenge.token.as_deref().unwrap_or("none")).unwrap();
        let key_authorization = KeyAuthorization::new(&token, &self.key.thumbprint());
        (challenge, key_authorization)
    }
}
