//! How a connection is made: directly or through a proxy, in bounded time.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_rustls::HttpsConnector;
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use tokio::net::TcpStream;
use tower_service::Service;

use super::Proxy;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// To the CA, or to a proxy that goes on to it.
#[derive(Clone, Debug)]
pub(super) struct Dial {
    http: HttpConnector,
    proxy: Option<Arc<Proxy>>,
}

impl Dial {
    pub(super) fn new(http: HttpConnector, proxy: Option<Proxy>) -> Self {
        let proxy = proxy.map(Arc::new);
        Self { http, proxy }
    }
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.http.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Some(proxy) = self.proxy.clone() else {
            let connecting = self.http.call(uri);
            return Box::pin(async move { Ok(connecting.await?) });
        };
        let connecting = self.http.call(proxy.uri.clone());
        Box::pin(async move {
            let mut stream = connecting.await?.into_inner();
            proxy.open_tunnel(&mut stream, &uri).await?;
            Ok(TokioIo::new(stream))
        })
    }
}

/// A connector that gives up: names, connection, proxy and TLS handshake count together.
#[derive(Clone, Debug)]
pub(super) struct Bounded {
    https: HttpsConnector<Dial>,
    limit: Duration,
}

impl Bounded {
    pub(super) const fn new(https: HttpsConnector<Dial>, limit: Duration) -> Self {
        Self { https, limit }
    }
}

impl Service<Uri> for Bounded {
    type Response = <HttpsConnector<Dial> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.limit, self.https.call(uri));
        Box::pin(async move {
            connecting.await.unwrap_or_else(|_| {
                Err(io::Error::new(io::ErrorKind::TimedOut, "no connection in time").into())
            })
        })
    }
}
