//! The boundary to HTTP: one method.

#[cfg(feature = "hyper")]
mod hyper;

use std::{fmt, sync::Arc};

use acme_messages::jose::BoxFuture;
use bytes::Bytes;
use http::{Request, Response};

#[cfg(feature = "hyper")]
pub use hyper::{HyperTransport, HyperTransportBuilder, HyperTransportError};

/// Carries a request to a CA and its answer back.
///
/// The contract: redirects are not followed, whatever the status, because URLs
/// are signed; a body longer than `max_body` is an error, not a truncation;
/// dropping the future gives the request up. The client bounds the time.
pub trait HttpTransport: fmt::Debug + Send + Sync + 'static {
    /// Sends one request; `max_body` bounds the answer's body, in bytes.
    fn send(
        &self,
        request: Request<Bytes>,
        max_body: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;
}

macro_rules! forward_transport {
    ($($pointer:ty),*) => {$(
        impl<T: HttpTransport + ?Sized> HttpTransport for $pointer {
            fn send(
                &self,
                request: Request<Bytes>,
                max_body: usize,
            ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
                (**self).send(request, max_body)
            }
        }
    )*};
}

forward_transport!(Arc<T>, Box<T>);

/// A request was not answered.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct TransportError {
    what: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl TransportError {
    /// Says what failed, in a few words, and why.
    pub fn new(
        what: &'static str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            what,
            source: Some(cause.into()),
        }
    }
}
