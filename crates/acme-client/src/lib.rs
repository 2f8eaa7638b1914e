#![doc = include_str!("../README.md")]

mod account;
mod active_challenge;
mod authority;
mod client;
mod clock;
mod error;
mod nonce_pool;
mod obtain;
mod order;
mod patience;
mod post;
mod renewal;
mod reply;
mod retry;
mod transport;

pub use account::{Account, Registration};
pub use acme_messages as messages;
pub use acme_responders as responders;
pub use authority::{AcmeAuthority, AcmeAuthorityBuilder, CertificateAuthority};
pub use client::{
    BAD_NONCE_RETRIES, Client, ClientBuilder, DIRECTORY_LIFETIME, MAX_BODY, REQUEST_TIMEOUT,
};
pub use clock::SystemClock;
pub use error::{Error, ErrorKind, Operation};
pub use obtain::{CertificateRequest, IssuedCertificate, PARALLEL_AUTHORIZATIONS};
pub use order::{
    FIRST_POLL_INTERVAL, MAX_POLL_INTERVAL, MAX_POLL_RETRY_AFTER, ORDER_DEADLINE, Order,
};
pub use renewal::RenewalAdvice;
pub use transport::{HttpTransport, TransportError};
#[cfg(feature = "hyper")]
pub use transport::{HyperTransport, HyperTransportBuilder, HyperTransportError};

fn to_json(operation: Operation, value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value)
        .map_err(|error| Error::new(ErrorKind::Request, operation).with_source(error))
}
