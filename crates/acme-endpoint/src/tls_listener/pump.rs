//! The task behind a listener: accepts, and gives each handshake a task of its own.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use acme_responders::TlsAlpn01Responder;
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{
        Semaphore,
        mpsc::{self, error::TrySendError},
    },
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake, server::TlsStream};

use super::{HANDSHAKE_TIMEOUT, MAX_WAITING};
use crate::CertificateResolver;

/// How long to wait after `accept` failed: time for file descriptors to come free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A fatal `unrecognized_name` alert as a TLS record ([RFC 6066, section 3]).
///
/// [RFC 6066, section 3]: https://www.rfc-editor.org/rfc/rfc6066#section-3
const UNRECOGNIZED_NAME: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70];

/// What a handshake needs to know; one value for all of them.
#[derive(Debug)]
pub(super) struct Handshaker {
    pub(super) config: Arc<ServerConfig>,
    pub(super) resolver: CertificateResolver,
    pub(super) responder: TlsAlpn01Responder,
    pub(super) ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
}

/// Accepts until it is dropped, and drops all handshakes then.
pub(super) async fn pump(
    listener: TcpListener,
    handshaker: Arc<Handshaker>,
    max_handshakes: usize,
) -> Infallible {
    let places = Arc::new(Semaphore::new(max_handshakes));
    let mut handshakes = JoinSet::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            // Nobody closes the semaphore.
            return std::future::pending().await;
        };
        let (stream, peer) = next(|| listener.accept()).await;
        while handshakes.try_join_next().is_some() {}
        let handshaker = handshaker.clone();
        handshakes.spawn(async move {
            match timeout(HANDSHAKE_TIMEOUT, handshaker.handshake(stream, peer)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%peer, %error, "handshake failed"),
                Err(_) => tracing::debug!(%peer, "handshake timed out"),
            }
            drop(place);
        });
    }
}

/// The next connection, however often it takes to get one.
async fn next<T, F>(mut accept: impl FnMut() -> F) -> T
where
    F: Future<Output = io::Result<T>>,
{
    loop {
        match accept().await {
            Ok(accepted) => return accepted,
            // This client left before its turn; the next one is there or not.
            Err(error) if is_the_client_s(&error) => tracing::debug!(%error, "accept failed"),
            // What is missing, file descriptors or memory, is missing for the
            // next try as well: without a pause it would be a busy loop.
            Err(error) => {
                tracing::warn!(%error, "accept failed; trying again in {ACCEPT_PAUSE:?}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_the_client_s(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

impl Handshaker {
    async fn handshake(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        let hello = start.client_hello();
        if TlsAlpn01Responder::is_challenge(&hello) {
            return self.show_challenge(start, peer).await;
        }
        let for_address = match hello.server_name() {
            None => self.resolver.for_address(start.io.local_addr()?.ip()),
            Some(_) => None,
        };
        let config = match for_address {
            Some(key) => self.config_for(key),
            None if self
                .resolver
                .has_lower_case(start.client_hello().server_name()) =>
            {
                self.config.clone()
            }
            None => return refuse(start, peer).await,
        };
        let stream = start.into_stream(config).await?;
        match self.ready.try_send((stream, peer)) {
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(_)) => {
                tracing::warn!(%peer, "closed: {MAX_WAITING} connections wait for the application");
            }
        }
        Ok(())
    }

    /// The application's configuration with the certificate of the address that was
    /// connected to, which no resolver is told.
    fn config_for(&self, key: Arc<CertifiedKey>) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(&self.config);
        config.cert_resolver = Arc::new(Fixed(key));
        Arc::new(config)
    }

    /// Nothing but the handshake happens on such a connection ([RFC 8737, section 3]).
    ///
    /// [RFC 8737, section 3]: https://www.rfc-editor.org/rfc/rfc8737#section-3
    async fn show_challenge(
        &self,
        start: StartHandshake<TcpStream>,
        peer: SocketAddr,
    ) -> io::Result<()> {
        let mut stream = start.into_stream(self.responder.server_config()).await?;
        let name = stream.get_ref().1.server_name();
        tracing::debug!(%peer, name, "a challenge was asked for");
        stream.shutdown().await
    }
}

/// One certificate for whoever asks.
#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Nothing is encrypted yet, so the alert goes out as it is.
async fn refuse(mut start: StartHandshake<TcpStream>, peer: SocketAddr) -> io::Result<()> {
    let name = start.client_hello().server_name().map(str::to_owned);
    tracing::debug!(%peer, name, "no certificate for that name");
    start.io.write_all(&UNRECOGNIZED_NAME).await?;
    start.io.shutdown().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use rustls::crypto::ring;
    use tokio::{io::AsyncReadExt, time::Instant};

    use super::*;

    fn error(kind: io::ErrorKind) -> io::Result<()> {
        Err(kind.into())
    }

    #[tokio::test(start_paused = true)]
    async fn accept_error_does_not_spin() {
        // rustls-acme: 100 % CPU once accept fails.
        let tries = Cell::new(0_u32);
        let failing = next(|| {
            tries.set(tries.get() + 1);
            assert!(tries.get() <= 1_000, "it spins");
            // EMFILE, too many open files.
            std::future::ready(Err::<(), _>(io::Error::from_raw_os_error(24)))
        });
        let over = timeout(Duration::from_secs(10), failing).await;
        assert!(over.is_err(), "nothing was accepted");
        assert!((90..=101).contains(&tries.get()), "{}", tries.get());
    }

    #[tokio::test(start_paused = true)]
    async fn one_client_that_leaves_delays_no_other() {
        let mut answers = [
            error(io::ErrorKind::ConnectionAborted),
            error(io::ErrorKind::ConnectionReset),
            Ok(()),
        ]
        .into_iter();
        let start = Instant::now();
        next(|| std::future::ready(answers.next().unwrap())).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_handshakes_than_places() {
        let provider = Arc::new(ring::default_provider());
        let resolver = CertificateResolver::new();
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver.clone()));
        let (ready, _accepted) = mpsc::channel(1);
        let handshaker = Handshaker {
            config: Arc::new(config),
            resolver,
            responder: TlsAlpn01Responder::new(provider).unwrap(),
            ready,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let pump = tokio::spawn(pump(listener, Arc::new(handshaker), 2));
        let start = Instant::now();
        let mut streams = Vec::new();
        for _ in 0..3 {
            streams.push(TcpStream::connect(address).await.unwrap());
        }
        // The third waits for a place, and then has its own time.
        for (stream, rounds) in streams.iter_mut().zip([1, 1, 2]) {
            let mut nothing = Vec::new();
            stream.read_to_end(&mut nothing).await.ok();
            let expected = HANDSHAKE_TIMEOUT * rounds;
            let late = start.elapsed().checked_sub(expected).unwrap();
            assert!(late < Duration::from_millis(100), "{late:?}");
        }
        pump.abort();
    }
}
