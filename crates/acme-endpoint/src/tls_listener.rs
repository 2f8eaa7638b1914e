//! Accepts TLS connections, answers tls-alpn-01 on the way, and never stalls on a client.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use acme_responders::TlsAlpn01Responder;
use rustls::ServerConfig;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::{AbortHandle, JoinSet},
};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake, server::TlsStream};

use crate::CertificateResolver;

/// How long a handshake may take: real clients need less than a second of it.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many handshakes are under way at once; more clients wait in the backlog.
pub const MAX_HANDSHAKES: usize = 1024;

/// How many finished connections wait for the application; more are closed.
pub const MAX_WAITING: usize = 1024;

/// How long to wait after `accept` failed: time for file descriptors to come free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A fatal `unrecognized_name` alert as a TLS record ([RFC 6066, section 3]).
///
/// [RFC 6066, section 3]: https://www.rfc-editor.org/rfc/rfc6066#section-3
const UNRECOGNIZED_NAME: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70];

/// A stream of TLS connections that are ready to be used.
///
/// Each handshake runs on a task of its own, bounded in time
/// ([`HANDSHAKE_TIMEOUT`]) and number ([`MAX_HANDSHAKES`]), so that a silent
/// client never holds up another. A client that offers exactly `acme-tls/1` gets
/// the challenge and is closed; the application never sees it. A client that
/// asks for a name that is not here gets the alert `unrecognized_name`.
///
/// With the feature `axum` it is an `axum::serve::Listener`.
#[derive(Debug)]
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    local_addr: SocketAddr,
    pump: AbortOnDrop,
}

#[derive(Debug)]
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a handshake needs to know; one value for all of them.
#[derive(Debug)]
struct Handshaker {
    config: Arc<ServerConfig>,
    resolver: CertificateResolver,
    responder: TlsAlpn01Responder,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Starts to accept. `config` is the application's: its protocols, its client
    /// authentication, and `resolver` as its certificate resolver.
    ///
    /// # Errors
    /// - [`std::io::Error`] when the listener has no address.
    ///
    /// # Panics
    /// When it is not called on a tokio runtime.
    pub fn new(
        listener: TcpListener,
        config: Arc<ServerConfig>,
        resolver: CertificateResolver,
        responder: TlsAlpn01Responder,
    ) -> std::io::Result<Self> {
        let local_addr = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(MAX_WAITING);
        let handshaker = Handshaker {
            config,
            resolver,
            responder,
            ready: sender,
        };
        let pump = tokio::spawn(pump(listener, Arc::new(handshaker)));
        Ok(Self {
            ready,
            local_addr,
            pump: AbortOnDrop(pump.abort_handle()),
        })
    }

    /// The next connection whose handshake is done; `None` once the listener is closed.
    pub async fn accept(&mut self) -> Option<(TlsStream<TcpStream>, SocketAddr)> {
        self.ready.recv().await
    }

    /// The address it listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Something that closes the port from elsewhere; what was accepted stays.
    #[must_use]
    pub fn closer(&self) -> ListenerCloser {
        ListenerCloser(self.pump.0.clone())
    }
}

/// Closes a [`TlsListener`]'s port.
#[derive(Clone, Debug)]
pub struct ListenerCloser(AbortHandle);

impl ListenerCloser {
    /// Stops listening; handshakes under way are dropped.
    pub fn close(&self) {
        self.0.abort();
    }
}

async fn pump(listener: TcpListener, handshaker: Arc<Handshaker>) {
    let places = Arc::new(Semaphore::new(MAX_HANDSHAKES));
    let mut handshakes = JoinSet::new();
    loop {
        while handshakes.try_join_next().is_some() {}
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let handshaker = handshaker.clone();
        handshakes.spawn(async move {
            let handshake = handshaker.handshake(stream, peer);
            match tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%peer, %error, "handshake failed"),
                Err(_) => tracing::debug!(%peer, "handshake timed out"),
            }
            drop(place);
        });
    }
}

impl Handshaker {
    async fn handshake(&self, stream: TcpStream, peer: SocketAddr) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        let hello = start.client_hello();
        if TlsAlpn01Responder::is_challenge(&hello) {
            let name = hello.server_name().unwrap_or_default().to_owned();
            let config = self.responder.server_config();
            let mut stream = start.into_stream(config).await?;
            tracing::debug!(%peer, name, "a challenge was asked for");
            return stream.shutdown().await;
        }
        if !self.resolver.has(hello.server_name()) {
            return refuse(start, peer).await;
        }
        let stream = start.into_stream(self.config.clone()).await?;
        if self.ready.try_send((stream, peer)).is_err() {
            tracing::warn!(%peer, "closed: {MAX_WAITING} connections wait for the application");
        }
        Ok(())
    }
}

/// Nothing is encrypted yet, so the alert goes out as it is.
async fn refuse(mut start: StartHandshake<TcpStream>, peer: SocketAddr) -> std::io::Result<()> {
    let hello = start.client_hello();
    let name = hello.server_name().unwrap_or_default().to_owned();
    tracing::debug!(%peer, name, "no certificate for that name");
    start.io.write_all(&UNRECOGNIZED_NAME).await?;
    start.io.shutdown().await
}

#[cfg(feature = "axum")]
impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.local_addr)
    }
}
