//! The crate's public behaviour, the CA driven by raw requests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod clock;
mod doubles;
mod pki;

#[cfg(feature = "ca")]
mod account;
#[cfg(feature = "ca")]
mod authorization;
#[cfg(feature = "ca")]
mod client;
#[cfg(feature = "ca")]
mod dns_01;
#[cfg(feature = "ca")]
mod dns_persist_01;
#[cfg(feature = "ca")]
mod dns_world;
#[cfg(feature = "ca")]
mod faults;
#[cfg(feature = "ca")]
mod finalize;
#[cfg(feature = "ca")]
mod http_01;
#[cfg(feature = "ca")]
mod lifecycle;
#[cfg(feature = "ca")]
mod order;
#[cfg(feature = "ca")]
mod perspectives;
#[cfg(feature = "ca")]
mod renewal;
#[cfg(feature = "ca")]
mod request;
#[cfg(feature = "ca")]
mod revocation;
#[cfg(feature = "dns")]
mod test_dns;
#[cfg(feature = "ca")]
mod tls_alpn_01;
#[cfg(feature = "ca")]
mod world;
