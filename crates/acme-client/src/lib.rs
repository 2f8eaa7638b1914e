#![doc = include_str!("../README.md")]

mod account;
mod active_challenge;
mod authority;
mod authorization;
mod certificate_request;
mod challenge;
mod client;
mod clock;
mod cryptography;
mod directory_cache;
mod error;
mod issued_certificate;
mod journal;
mod nonce_pool;
mod obtain;
mod order;
mod pacing;
mod post;
mod presets;
#[cfg(feature = "hyper")]
mod provider_signer;
mod randomness;
mod renewal;
mod reply;
mod retry;
mod revocation;
mod shared;
mod transport;

pub use account::{Account, ExternalAccount, MAX_ORDERS, MAX_ORDERS_LOOKED_AT, Registration};
pub use acme_messages as messages;
pub use acme_responders as responders;
pub use authority::{AcmeAuthority, AcmeAuthorityBuilder, CertificateAuthority};
pub use authorization::Authorization;
pub use certificate_request::CertificateRequest;
pub use challenge::Challenge;
pub use client::{
    BAD_NONCE_RETRIES, Client, ClientBuilder, MAX_BODY, PARALLEL_AUTHORIZATIONS, REQUEST_TIMEOUT,
};
pub use clock::SystemClock;
pub use cryptography::Cryptography;
pub use directory_cache::DIRECTORY_LIFETIME;
pub use error::{Error, ErrorKind, Fault, Operation};
pub use issued_certificate::IssuedCertificate;
pub use journal::{JournalEntry, JournalError, OrderJournal};
pub use nonce_pool::{MAX_NONCES, NONCE_LIFETIME};
pub use obtain::PARALLEL_STARTS;
pub use order::{MAX_ALTERNATES, Order};
pub use pacing::{
    ASKED_WAIT, DOUBT_AFTER, FIRST_POLL_INTERVAL, MAX_POLL_INTERVAL, MAX_POLL_RETRY_AFTER,
    ORDER_DEADLINE, Pacing,
};
pub use post::{Repeat, Sender};
pub use presets::{PRESETS, Preset};
#[cfg(feature = "hyper")]
pub use provider_signer::ProviderSigner;
pub use randomness::{Randomness, SystemRandomness};
pub use renewal::{
    MAX_RENEWAL_INFO_INTERVAL, MIN_RENEWAL_INFO_INTERVAL, RENEWAL_INFO_INTERVAL, RenewalAdvice,
};
pub use reply::{MAX_RETRY_AFTER, MAX_SNIPPET, Reply};
pub use retry::RetryPolicy;
pub use revocation::Revocation;
#[cfg(feature = "hyper")]
pub use transport::{
    CONNECT_TIMEOUT, HyperTransport, HyperTransportBuilder, HyperTransportError, InvalidProxy,
    Proxy,
};
pub use transport::{HttpTransport, TransportError, TransportFailure};

fn to_json(operation: Operation, value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value)
        .map_err(|error| Error::new(ErrorKind::Request, operation).with_source(error))
}
