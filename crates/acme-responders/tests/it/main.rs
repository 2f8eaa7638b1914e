//! What acme-responders promises, seen from outside: over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod responder;

#[cfg(feature = "http-01")]
mod http_01;
#[cfg(feature = "tls-alpn-01")]
mod tls_alpn_01;
