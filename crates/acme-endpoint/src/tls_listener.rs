//! Accepts TLS connections, answers tls-alpn-01 on the way, and never stalls on a client.

mod pump;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use acme_messages::tls_alpn::ACME_TLS_1;
use acme_responders::TlsAlpn01Responder;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::server::TlsStream;

use crate::{CertificateResolver, ListenerCloser};
use pump::{Handshaker, pump};

/// How long a handshake may take: real clients need less than a second of it.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many handshakes are under way at once; more clients wait in the backlog.
///
/// Each costs a file descriptor and some kilobytes, so that this many stay
/// within what small machines allow.
pub const MAX_HANDSHAKES: usize = 1024;

/// How many finished connections wait for the application; more are closed.
///
/// They are closed, rather than waited for, so that challenges are answered
/// even while the application accepts nothing.
pub const MAX_WAITING: usize = 1024;

/// A stream of TLS connections that are ready to be used.
///
/// Each handshake runs on a task of its own, bounded in time
/// ([`HANDSHAKE_TIMEOUT`]) and number ([`MAX_HANDSHAKES`]), so that a silent
/// client never holds up another.
///
/// | client | gets |
/// |---|---|
/// | offers exactly `acme-tls/1` | the challenge ([RFC 8737, section 3]), then is closed; the application never sees it |
/// | names a server that is not here, or none, without a default | the alert `unrecognized_name` ([RFC 6066, section 3]) |
/// | everyone else | the application's configuration and the certificate for the name |
///
/// `acme-tls/1` is never negotiated with a visitor, whatever the application's
/// protocols are and whatever else the client offers.
///
/// Dropping it closes the port. With the feature `axum` it is an
/// `axum::serve::Listener`.
///
/// [RFC 6066, section 3]: https://www.rfc-editor.org/rfc/rfc6066#section-3
/// [RFC 8737, section 3]: https://www.rfc-editor.org/rfc/rfc8737#section-3
#[derive(Debug)]
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    local_addr: SocketAddr,
    closer: ListenerCloser,
}

impl TlsListener {
    /// Starts to accept. `config` is the application's: its protocols, its client
    /// authentication, and `resolver` as its certificate resolver.
    ///
    /// Client authentication does not touch challenges, which have a
    /// configuration of their own.
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
            config: for_visitors(config),
            resolver,
            responder,
            ready: sender,
        };
        Ok(Self {
            ready,
            local_addr,
            closer: ListenerCloser::spawn(pump(listener, Arc::new(handshaker), MAX_HANDSHAKES)),
        })
    }

    /// The next connection whose handshake is done; `None` once the listener is closed.
    ///
    /// The future may be dropped at any point: no connection is lost.
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
        self.closer.clone()
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.closer.close();
    }
}

/// Takes `acme-tls/1` out of what the application would negotiate.
fn for_visitors(config: Arc<ServerConfig>) -> Arc<ServerConfig> {
    let is_acme = |protocol: &Vec<u8>| protocol == ACME_TLS_1;
    if !config.alpn_protocols.iter().any(is_acme) {
        return config;
    }
    let mut config = ServerConfig::clone(&config);
    config.alpn_protocols.retain(|it| !is_acme(it));
    Arc::new(config)
}

/// Its `accept` waits for ever once the port is closed, since the trait knows no
/// end: stop the server with `with_graceful_shutdown`.
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
