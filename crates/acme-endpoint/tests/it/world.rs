//! What the tests stand on: certificates, visitors, a listener, a CA.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use acme_client::{AcmeAuthority, CertificateAuthority, Client, HyperTransport};
use acme_endpoint::{CertificateResolver, TlsListener, certified_key};
use acme_messages::{ServerName, jose::PrivateKey};
use acme_responders::TlsAlpn01Responder;
use acme_store::CertificateBundle;
use acme_testing::{CertificateValidity, ManualClock, QuickClock, TestCa, TestPki};
use rustls::{
    AlertDescription, ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, pem::PemObject},
    sign::CertifiedKey,
    time_provider::TimeProvider,
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsConnector, client, server};

/// No test waits this long unless something is wrong.
const SAFETY: Duration = Duration::from_secs(60);

const SECOND: Duration = Duration::from_secs(1);

/// Fails a test that would hang.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(SAFETY, work)
        .await
        .expect("this takes far too long")
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

pub(crate) fn name(text: &str) -> ServerName {
    text.parse().unwrap()
}

/// A certificate that any clock agrees with.
pub(crate) fn bundle(pki: &TestPki, names: &[&str]) -> CertificateBundle {
    let names: Vec<_> = names.iter().map(|it| name(it)).collect();
    let (chain, key) = pki
        .issue_server(&names, CertificateValidity::FOREVER)
        .unwrap();
    CertificateBundle::new(key, chain).unwrap()
}

pub(crate) fn key_for(pki: &TestPki, names: &[&str]) -> Arc<CertifiedKey> {
    Arc::new(certified_key(&bundle(pki, names), &provider()).unwrap())
}

pub(crate) async fn loopback() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}

/// Whether somebody listens there, at this very moment: no task runs meanwhile.
pub(crate) fn is_open(address: SocketAddr) -> bool {
    std::net::TcpStream::connect(address).is_ok()
}

/// A listener of its own, without store and service.
pub(crate) struct Site {
    pub(crate) pki: TestPki,
    pub(crate) resolver: CertificateResolver,
    pub(crate) responder: TlsAlpn01Responder,
    pub(crate) address: SocketAddr,
}

impl Site {
    /// Serves these names, each with its own certificate.
    pub(crate) async fn start(names: &[&str], protocols: &[&str]) -> (Self, TlsListener) {
        Self::with_config(names, |config| {
            config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
        })
        .await
    }

    pub(crate) async fn with_config(
        names: &[&str],
        adapt: impl FnOnce(&mut ServerConfig),
    ) -> (Self, TlsListener) {
        let pki = TestPki::new().unwrap();
        let resolver = CertificateResolver::new();
        resolver.update(
            names
                .iter()
                .map(|it| (name(it), Some(key_for(&pki, &[it])))),
        );
        let mut config = server_config(&resolver);
        adapt(&mut config);
        let responder = TlsAlpn01Responder::new(provider()).unwrap();
        let listener = TlsListener::new(
            loopback().await,
            Arc::new(config),
            resolver.clone(),
            responder.clone(),
        )
        .unwrap();
        let site = Self {
            pki,
            resolver,
            responder,
            address: listener.local_addr(),
        };
        (site, listener)
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::trusting(self.pki.root_pem())
    }
}

pub(crate) fn server_config(resolver: &CertificateResolver) -> ServerConfig {
    ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver.clone()))
}

/// An application that sends back what it gets, and counts its connections.
pub(crate) fn echo(mut listener: TlsListener) -> Arc<AtomicUsize> {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    tokio::spawn(async move {
        while let Some((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(echo_one(stream));
        }
    });
    seen
}

async fn echo_one(stream: server::TlsStream<TcpStream>) {
    let (mut read, mut write) = tokio::io::split(stream);
    tokio::io::copy(&mut read, &mut write).await.ok();
}

/// A TLS client that verifies what it gets.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) config: ClientConfig,
}

impl Visitor {
    pub(crate) fn trusting(root_pem: impl AsRef<[u8]>) -> Self {
        let time = Arc::new(rustls::time_provider::DefaultTimeProvider);
        Self::at(root_pem, time, &[&TLS13, &TLS12])
    }

    /// One for whom it is another time, or that speaks less.
    pub(crate) fn at(
        root_pem: impl AsRef<[u8]>,
        time: Arc<dyn TimeProvider>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(root_pem.as_ref()).unwrap();
        roots.add(root).unwrap();
        let config = ClientConfig::builder_with_details(provider(), time)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { config }
    }

    pub(crate) fn offering(mut self, protocols: &[&str]) -> Self {
        self.config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
        self
    }

    pub(crate) fn without_sni(mut self) -> Self {
        self.config.enable_sni = false;
        self
    }

    /// Connects and has one byte echoed, since in TLS 1.3 a client is done before
    /// the server has agreed.
    pub(crate) async fn visit(
        &self,
        address: SocketAddr,
        name: &str,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let mut stream = self.connect(address, name).await?;
        ping(&mut stream).await?;
        Ok(stream)
    }

    pub(crate) async fn connect(
        &self,
        address: SocketAddr,
        name: &str,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        let name = rustls::pki_types::ServerName::try_from(name.to_owned()).unwrap();
        let connector = TlsConnector::from(Arc::new(self.config.clone()));
        soon(connector.connect(name, stream)).await
    }
}

/// Has one byte sent there and back.
pub(crate) async fn ping(stream: &mut client::TlsStream<TcpStream>) -> io::Result<()> {
    stream.write_all(b"!").await?;
    let mut answer = [0];
    soon(stream.read_exact(&mut answer)).await?;
    assert_eq!(&answer, b"!");
    Ok(())
}

/// The leaf that a visitor was shown.
pub(crate) fn leaf(stream: &client::TlsStream<TcpStream>) -> CertificateDer<'static> {
    let certificates = stream.get_ref().1.peer_certificates().unwrap();
    certificates[0].clone().into_owned()
}

pub(crate) fn leaf_of(bundle: &CertificateBundle) -> CertificateDer<'static> {
    bundle.chain().as_der()[0].clone()
}

/// The alert that ended a handshake.
pub(crate) fn alert<T>(result: io::Result<T>) -> AlertDescription {
    let error = result.err().expect("the handshake was to fail");
    let inner = error.get_ref().expect("no error of TLS's");
    match inner.downcast_ref() {
        Some(rustls::Error::AlertReceived(alert)) => *alert,
        _ => panic!("no alert: {error}"),
    }
}

pub(crate) fn new_key() -> PrivateKey {
    let pki = TestPki::new().unwrap();
    let issued = pki.issue_server(&[name("key.example")], CertificateValidity::FOREVER);
    issued.unwrap().1
}

/// A client of the test CA, of one mind with it about the time.
pub(crate) fn authority(ca: &TestCa, clock: &ManualClock) -> Arc<dyn CertificateAuthority> {
    let transport = HyperTransport::builder()
        .crypto_provider(provider())
        .only_roots_pem(ca.https_root_pem().as_bytes())
        .unwrap()
        .build()
        .unwrap();
    let clock = QuickClock::new(SECOND * 10).showing(clock.clone());
    let client = Client::builder(ca.directory_url(), transport)
        .clock(Arc::new(clock))
        .build()
        .unwrap();
    let key = new_key();
    let authority = AcmeAuthority::builder(client, Arc::new(key)).agree_to_terms_of_service(true);
    Arc::new(authority.build())
}
