//! As much of an HTTP client as tests need, independent of the crates under test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::Error;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// How long a request may take, from the connection to the last byte of the answer.
const LIMIT: Duration = Duration::from_secs(10);

/// A client that trusts the roots it is given and nothing else; each request has its own connection.
#[derive(Debug, Clone)]
pub struct Client {
    tls: Arc<ClientConfig>,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Client {
    /// A client that trusts the certificates in this text, which may be empty for plain HTTP.
    ///
    /// # Errors
    ///
    /// - [`Error::Certificate`]: one of them is not a certificate that can be trusted.
    pub fn trusting(roots_pem: &str) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(roots_pem.as_bytes()) {
            let root = root.map_err(Error::certificate("reading a root"))?;
            roots
                .add(root)
                .map_err(Error::certificate("trusting a root"))?;
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::certificate("choosing TLS versions"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: Arc::new(tls) })
    }

    /// Connects to `address` and completes a TLS handshake for `name`, a DNS name or an address.
    ///
    /// The certificate that the server showed is in `.get_ref().1.peer_certificates()`.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: no connection, no handshake, or a certificate that is not to be trusted.
    pub async fn connect(
        &self,
        address: SocketAddr,
        name: &str,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let url = format!("https://{name} at {address}");
        let connect = async {
            let stream = TcpStream::connect(address).await?;
            self.handshake(stream, name).await
        };
        within_limit("CONNECT", &url, connect).await
    }

    /// Fetches an `https` or `http` URL.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: no answer within 10 s; an answer of any status is none.
    pub async fn get(&self, url: &str) -> Result<Response, Error> {
        within_limit("GET", url, self.send(Method::GET, url, Bytes::new())).await
    }

    /// Sends a body to an `https` or `http` URL.
    ///
    /// # Errors
    ///
    /// - [`Error::Http`]: no answer within 10 s; an answer of any status is none.
    pub async fn post(&self, url: &str, body: impl Into<Bytes>) -> Result<Response, Error> {
        within_limit("POST", url, self.send(Method::POST, url, body.into())).await
    }

    async fn send(&self, method: Method, url: &str, body: Bytes) -> Result<Response, Cause> {
        let uri: Uri = url.parse()?;
        let host = uri.host().ok_or("the URL has no host")?.to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, format!("{host}:{port}"))
            .header(header::USER_AGENT, "acme-tests")
            .body(Full::new(body))?;
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((name, port)).await?;
        if secure {
            let stream = self.handshake(stream, name).await?;
            exchange(stream, request).await
        } else {
            exchange(stream, request).await
        }
    }

    async fn handshake(
        &self,
        stream: TcpStream,
        name: &str,
    ) -> Result<TlsStream<TcpStream>, Cause> {
        let name = ServerName::try_from(name.to_owned())?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        Ok(connector.connect(name, stream).await?)
    }
}

impl Response {
    /// The body as text; bytes that are none are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response, Cause> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answer = async {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Response {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    };
    // The connection needs to be driven until the answer is whole, and no longer.
    tokio::pin!(answer, connection);
    tokio::select! {
        answer = &mut answer => answer,
        ended = &mut connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(error.into()),
        },
    }
}

async fn within_limit<T>(
    method: &'static str,
    url: &str,
    work: impl Future<Output = Result<T, Cause>> + Send,
) -> Result<T, Error> {
    match timeout(LIMIT, work).await {
        Ok(result) => result.map_err(Error::http(method, url)),
        Err(elapsed) => Err(Error::http(method, url)(elapsed)),
    }
}
