#![doc = include_str!("../README.md")]

mod bind;
mod endpoint;
mod resolver;
mod serving_store;
mod spec;
mod sync;
mod tls_listener;

pub use acme_service as service;
pub use acme_service::store;
pub use endpoint::{AutoTlsEndpoint, AutoTlsEndpointBuilder, EndpointError, EndpointHandle};
pub use resolver::{CertificateResolver, certified_key};
pub use spec::{EndpointCa, EndpointSpec, EndpointSpecError, ListenSpec};
pub use tls_listener::{
    HANDSHAKE_TIMEOUT, ListenerCloser, MAX_HANDSHAKES, MAX_WAITING, TlsListener,
};
