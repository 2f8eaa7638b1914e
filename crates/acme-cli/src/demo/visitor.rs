//! Someone who visits the page as a browser would: real TLS, the chain verified.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use acme_messages::CertificateInfo;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long one step of a visit may take.
const STEP: Duration = Duration::from_secs(5);

/// Trusts one root and nothing else.
#[derive(Debug)]
pub(super) struct Visitor {
    config: Arc<ClientConfig>,
}

/// A connection that is kept open.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    host: String,
    serial: String,
}

impl Visitor {
    pub(super) fn trusting(root: &[u8]) -> Result<Self, VisitError> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(root) {
            let root = root.map_err(|_| VisitError::Root)?;
            roots.add(root).map_err(|_| VisitError::Root)?;
        }
        let mut config = ClientConfig::builder_with_provider(crate::crypto_provider())
            .with_safe_default_protocol_versions()
            .map_err(VisitError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Each connection shows the certificate that is served now.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self {
            config: Arc::new(config),
        })
    }

    pub(super) async fn connect(
        &self,
        address: SocketAddr,
        name: &'static str,
    ) -> Result<Connection, VisitError> {
        in_time(async {
            let stream = TcpStream::connect(address).await?;
            let server = ServerName::try_from(name).map_err(|_| VisitError::Root)?;
            let connector = TlsConnector::from(self.config.clone());
            let stream = connector.connect(server, stream).await?;
            let leaf = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let leaf = leaf.first().ok_or(VisitError::NoCertificate)?;
            let leaf = CertificateInfo::from_der(leaf).map_err(|_| VisitError::NoCertificate)?;
            let (sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            Ok(Connection {
                sender,
                host: format!("{name}:{}", address.port()),
                serial: leaf.serial_hex(),
            })
        })
        .await
    }
}

impl Connection {
    /// The serial number of the certificate that the server showed.
    pub(super) fn serial(&self) -> &str {
        &self.serial
    }

    /// Fetches the page and reads it to its end.
    pub(super) async fn get(&mut self) -> Result<(), VisitError> {
        in_time(async {
            let request = Request::get("/").header("host", &self.host);
            let request = request.body(Empty::new()).map_err(|_| VisitError::Root)?;
            let response = self.sender.send_request(request).await?;
            let status = response.status();
            response.into_body().collect().await?;
            match status {
                StatusCode::OK => Ok(()),
                status => Err(VisitError::Status(status)),
            }
        })
        .await
    }
}

async fn in_time<T>(step: impl Future<Output = Result<T, VisitError>>) -> Result<T, VisitError> {
    tokio::time::timeout(STEP, step)
        .await
        .unwrap_or(Err(VisitError::TimedOut))
}

/// A visit failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum VisitError {
    #[error("the page could not be fetched")]
    Http(#[from] hyper::Error),
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
    #[error("the server showed no certificate")]
    NoCertificate,
    #[error("the CA's root cannot be used")]
    Root,
    #[error("the server answered {0}")]
    Status(StatusCode),
    #[error("no answer in time")]
    TimedOut,
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}
