//! The accept loop, and the tasks that live and die with it.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use acme_messages::{CertificateChain, Problem, ProblemType, ServerName, jose::PrivateKey};
use hyper::{rt::Executor, service::service_fn};
use hyper_util::{rt::TokioIo, server::conn::auto};
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{
    TestCaError,
    authority::Authority,
    limits::ACCEPT_PAUSE,
    router,
    validation::{self, Job},
};

/// Serves until it is told to stop or dropped; all its tasks end with it.
pub(super) async fn run(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    authority: Arc<Authority>,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    mut stopped: watch::Receiver<()>,
) {
    let mut tasks = JoinSet::new();
    let mut connections = 0;
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections += 1;
                    tasks.spawn(connection(
                        stream,
                        acceptor.clone(),
                        Arc::clone(&authority),
                        connections,
                        stopped.clone(),
                    ));
                }
                Err(error) => {
                    // Mostly too many open files, which takes a moment to pass.
                    tracing::debug!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(job) = jobs.recv() => {
                let mut held = authority.held.subscribe();
                let authority = Arc::clone(&authority);
                tasks.spawn(async move {
                    // The sender is the authority's, which is here.
                    let _ = held.wait_for(|held| !held).await;
                    validate(authority, job).await;
                });
            }
            Some(_) = tasks.join_next() => {}
        }
    }
    tasks.shutdown().await;
}

/// Validates; a panic, as of a resolver that a test brought, fails the challenge,
/// so that whoever waits for its end does not wait for ever.
async fn validate(authority: Arc<Authority>, job: Job) {
    let challenge = job.challenge.clone();
    let mut validation = JoinSet::new();
    validation.spawn(validation::run(Arc::clone(&authority), job));
    if let Some(Err(error)) = validation.join_next().await {
        let detail = "the validation panicked; the CA's process says where";
        tracing::error!(%error, "validation ended");
        let problem = Problem::new(ProblemType::ServerInternal, detail);
        let now = authority.now();
        authority.state().settle(&challenge, Err(problem), now, now);
        authority.settled.notify_waiters();
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    authority: Arc<Authority>,
    number: u64,
    stopped: watch::Receiver<()>,
) {
    // A client that waits for the end of a small answer must not wait for a timer.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = acceptor else {
        return serve(stream, authority, number, stopped).await;
    };
    match acceptor.accept(stream).await {
        Ok(stream) => serve(stream, authority, number, stopped).await,
        Err(error) => tracing::debug!(%error, "TLS handshake failed"),
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    authority: Arc<Authority>,
    number: u64,
    stopped: watch::Receiver<()>,
) {
    let service = service_fn(|request| router::respond(Arc::clone(&authority), number, request));
    let server = auto::Builder::new(Spawner(stopped));
    if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "connection ended");
    }
}

/// Runs HTTP/2's streams, no longer than the server runs.
#[derive(Clone)]
struct Spawner(watch::Receiver<()>);

impl<F> Executor<F> for Spawner
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        let mut stopped = self.0.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = stopped.changed() => {}
                _ = future => {}
            }
        });
    }
}

pub(super) fn acceptor(
    provider: &Arc<CryptoProvider>,
    chain: &CertificateChain,
    key: &PrivateKey,
) -> Result<TlsAcceptor, TestCaError> {
    let key = key.to_pkcs8_der().map_err(TestCaError::Key)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .and_then(|it| {
            it.with_no_client_auth()
                .with_single_cert(chain.as_der().to_vec(), key)
        })
        .map_err(TestCaError::Tls)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The names of the HTTPS certificate: loopback under all its names, and the
/// address listened on.
pub(super) fn names(listen: IpAddr) -> Vec<ServerName> {
    let mut names: Vec<ServerName> = "localhost".parse().into_iter().collect();
    for address in [
        Ipv4Addr::LOCALHOST.into(),
        Ipv6Addr::LOCALHOST.into(),
        listen,
    ] {
        if !names.contains(&ServerName::Ip(address)) {
            names.push(address.into());
        }
    }
    names
}

/// The address for URLs: one that listens everywhere is reached on loopback.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(host, address.port())
}
