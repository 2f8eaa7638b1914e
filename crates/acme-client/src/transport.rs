//! The boundary to HTTP: one method, and two things that a transport may tell.

#[cfg(feature = "hyper")]
mod hyper;

use std::{fmt, sync::Arc};

use acme_messages::jose::BoxFuture;
use bytes::Bytes;
use http::{Request, Response};

use crate::Cryptography;

#[cfg(feature = "hyper")]
pub use hyper::{
    CONNECT_TIMEOUT, HyperTransport, HyperTransportBuilder, HyperTransportError, InvalidProxy,
    Proxy,
};

/// Carries a request to a CA and its answer back.
///
/// The contract: redirects are not followed, whatever the status, because URLs
/// are signed; a body longer than `max_body` is [`TransportError::body_too_long`], not a
/// truncation; a request is sent once, because its nonce is good for once, unless nothing
/// of it was sent; dropping the future gives the request up. The client bounds the time.
pub trait HttpTransport: fmt::Debug + Send + Sync + 'static {
    /// Sends one request; `max_body` bounds the answer's body, in bytes.
    fn send(
        &self,
        request: Request<Bytes>,
        max_body: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;

    /// The cryptography of the transport's TLS library, where it has one to lend; nothing by
    /// default.
    fn cryptography(&self) -> Option<Arc<dyn Cryptography>> {
        None
    }

    /// What the HTTP library calls itself, such as `hyper/1`: the client ends its `User-Agent` with
    /// it ([RFC 8555, section 6.1]). Nothing by default.
    ///
    /// [RFC 8555, section 6.1]: https://www.rfc-editor.org/rfc/rfc8555#section-6.1
    fn product(&self) -> Option<&str> {
        None
    }
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

            fn cryptography(&self) -> Option<Arc<dyn Cryptography>> {
                (**self).cryptography()
            }

            fn product(&self) -> Option<&str> {
                (**self).product()
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
    failure: TransportFailure,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// How far a request got that was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportFailure {
    /// The answer's body is longer than was allowed.
    BodyTooLong,
    /// The server may have got the request, and may have done what it says.
    Lost,
    /// Nothing was sent, as there was no connection; or the server says that it has not looked at
    /// it.
    Unsent,
}

impl TransportError {
    /// Says what failed, in a few words, and why; the server may have got the request.
    pub fn new(
        what: &'static str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            what,
            failure: TransportFailure::Lost,
            source: Some(cause.into()),
        }
    }

    /// A request of which nothing was sent: it may be sent again without a thought.
    pub fn unsent(
        what: &'static str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            failure: TransportFailure::Unsent,
            ..Self::new(what, cause)
        }
    }

    /// An answer whose body is longer than was allowed.
    #[must_use]
    pub const fn body_too_long() -> Self {
        Self {
            what: "the answer's body is too long",
            failure: TransportFailure::BodyTooLong,
            source: None,
        }
    }

    /// How far the request got.
    #[must_use]
    pub const fn failure(&self) -> TransportFailure {
        self.failure
    }
}
