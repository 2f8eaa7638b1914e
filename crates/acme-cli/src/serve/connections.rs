//! The connections of visitors: bounded in number, and each in its silence.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use acme_endpoint::TlsListener;
use axum::body::Body;
use http_body_util::BodyExt;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{net::TcpStream, sync::Semaphore, time::Instant};
use tokio_rustls::server::TlsStream;

use super::files::Files;

/// How long a connection may be without a request: browsers open the next one at no cost.
const MAX_SILENCE: Duration = Duration::from_secs(30);

/// The most connections served at once, where the system lets a process have as many.
const MAX_CONNECTIONS: usize = 10_000;

/// Connections that are served, until told to end.
pub(super) struct Connections {
    files: Files,
    places: Arc<Semaphore>,
    graceful: GracefulShutdown,
}

impl Connections {
    /// Connections for these files, as many as the open files that the process may have
    /// leave room for.
    pub(super) fn new(files: Files) -> Self {
        let half = open_files_limit() / 2;
        Self {
            files,
            places: Arc::new(Semaphore::new(half.clamp(1, MAX_CONNECTIONS))),
            graceful: GracefulShutdown::new(),
        }
    }

    /// Serves what a listener accepts, until the future is dropped.
    pub(super) async fn serve(&self, listener: &mut TlsListener) {
        while let Some((stream, peer)) = listener.accept().await {
            match self.places.clone().try_acquire_owned() {
                Ok(place) => {
                    let connection = self.connection(stream);
                    tokio::spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                // Descriptors are left for challenges, the CA and the certificates.
                Err(_) => tracing::warn!(%peer, "closed: too many connections"),
            }
        }
    }

    /// Lets the connections finish their requests.
    pub(super) async fn end(self) {
        self.graceful.shutdown().await;
    }

    fn connection(
        &self,
        stream: TlsStream<TcpStream>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => builder.http2_only(),
            _ => builder.http1_only(),
        };
        let activity = Arc::new(Activity::default());
        let (files, watched) = (self.files.clone(), activity.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (files, busy) = (files.clone(), Busy::new(&watched));
            async move {
                let response = files.respond(request).await;
                // Busy until the last byte of the body is taken.
                let response: Response<_> = response.map(|body| {
                    Body::new(body.map_frame(move |frame| {
                        let _ = &busy;
                        frame
                    }))
                });
                Ok::<_, Infallible>(response)
            }
        });
        let watcher = self.graceful.watcher();
        async move {
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            let connection = watcher.watch(connection.into_owned());
            tokio::select! {
                result = pin!(connection) => if let Err(error) = result {
                    tracing::debug!(error, "a connection ended early");
                },
                () = activity.silence() => tracing::debug!("a silent connection was closed"),
            }
        }
    }
}

/// When a connection last had a request, and how many it has now.
#[derive(Debug)]
struct Activity(Mutex<(usize, Instant)>);

impl Default for Activity {
    fn default() -> Self {
        Self(Mutex::new((0, Instant::now())))
    }
}

impl Activity {
    /// Completes once there was no request for [`MAX_SILENCE`].
    async fn silence(&self) {
        loop {
            let (requests, last) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let left = MAX_SILENCE.saturating_sub(last.elapsed());
            if requests == 0 && left.is_zero() {
                return;
            }
            let pause = if requests == 0 { left } else { MAX_SILENCE };
            tokio::time::sleep(pause).await;
        }
    }

    fn count(&self, change: impl FnOnce(usize) -> usize) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = (change(state.0), Instant::now());
    }
}

/// One request under way.
#[derive(Debug)]
struct Busy(Arc<Activity>);

impl Busy {
    fn new(activity: &Arc<Activity>) -> Self {
        activity.count(|requests| requests + 1);
        Self(activity.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.count(|requests| requests.saturating_sub(1));
    }
}

/// How many files the process may have open, the soft limit raised to the hard one.
#[cfg(unix)]
fn open_files_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where that is not allowed the soft limit holds.
    setrlimit(Resource::Nofile, raised).ok();
    let current = getrlimit(Resource::Nofile).current;
    current.map_or(MAX_CONNECTIONS * 2, |it| {
        usize::try_from(it).unwrap_or(usize::MAX)
    })
}

#[cfg(not(unix))]
fn open_files_limit() -> usize {
    MAX_CONNECTIONS * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_ends_a_connection_and_a_request_does_not() {
        let start = Instant::now();
        let activity = Arc::new(Activity::default());
        let busy = Busy::new(&activity);
        let served = async {
            tokio::time::sleep(10 * MAX_SILENCE).await;
            drop(busy);
        };
        tokio::join!(activity.silence(), served);
        let took = start.elapsed();
        assert!(
            took >= 11 * MAX_SILENCE && took <= 12 * MAX_SILENCE,
            "{took:?}"
        );
    }
}
