#![doc = include_str!("../README.md")]

mod bind;
mod closer;
mod endpoint;
mod resolver;
mod serving;
mod serving_store;
mod spec;
mod sync;
mod tls_listener;

pub use acme_service as service;
pub use acme_service::store;
pub use closer::ListenerCloser;
pub use endpoint::{AutoTlsEndpoint, AutoTlsEndpointBuilder, EndpointError, EndpointHandle};
pub use resolver::{CertificateResolver, certified_key};
pub use spec::{EndpointCa, EndpointSpec, EndpointSpecError, ListenSpec};
pub use tls_listener::{HANDSHAKE_TIMEOUT, MAX_HANDSHAKES, MAX_WAITING, TlsListener};
