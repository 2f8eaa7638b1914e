//! A small HTTP server for port 80, bounded in every direction.

use std::{convert::Infallible, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore};

use super::{Http01Responder, Http01Service};

/// How many connections are served at once: enough for every vantage point of every CA.
const MAX_CONNECTIONS: usize = 256;

/// How long one connection may live: a validation takes a moment.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest request head read, in bytes: a validation's is a few hundred.
const MAX_HEAD: usize = 16 * 1024;

/// How long to wait after `accept` failed: time for file descriptors to come free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Http01Responder {
    /// Serves [`service`](Self::service) on a listener until the future is dropped.
    pub async fn serve(&self, listener: TcpListener) -> Infallible {
        self.service().serve(listener).await
    }
}

impl Http01Service {
    /// Serves this service on a listener until the future is dropped.
    ///
    /// At most [`MAX_CONNECTIONS`](Self::MAX_CONNECTIONS) are served at once, each for at most
    /// [`CONNECTION_TIMEOUT`](Self::CONNECTION_TIMEOUT).
    pub async fn serve(self, listener: TcpListener) -> Infallible {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = tokio::task::JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let Ok(place) = places.clone().acquire_owned().await else {
                return std::future::pending().await;
            };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "http-01: accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let service = self.clone();
            connections.spawn(async move {
                let answer = service_fn(move |request| {
                    std::future::ready(Ok::<_, Infallible>(service.respond(&request)))
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(CONNECTION_TIMEOUT)
                    .keep_alive(false)
                    .max_buf_size(MAX_HEAD)
                    .serve_connection(TokioIo::new(stream), answer);
                // A peer that leaves early or sends nonsense is its own problem.
                drop(tokio::time::timeout(CONNECTION_TIMEOUT, connection).await);
                drop(place);
            });
        }
    }

    /// How many connections [`serve`](Self::serve) holds at once.
    pub const MAX_CONNECTIONS: usize = MAX_CONNECTIONS;

    /// How long [`serve`](Self::serve) gives one connection.
    pub const CONNECTION_TIMEOUT: Duration = CONNECTION_TIMEOUT;
}
