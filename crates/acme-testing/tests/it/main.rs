//! The crate's public behaviour, the CA driven by raw requests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod challenges;
mod clock;
mod faulty_responder;
mod pki;
mod recording_responder;
mod valid_for_name;

#[cfg(feature = "ca")]
mod account;
mod account_keys;
#[cfg(feature = "ca")]
mod addresses;
#[cfg(feature = "ca")]
mod alternate;
#[cfg(feature = "ca")]
mod authorization;
#[cfg(feature = "ca")]
mod caa;
#[cfg(feature = "ca")]
mod client;
#[cfg(feature = "ca")]
mod closed_account;
#[cfg(feature = "ca")]
mod concurrency;
#[cfg(feature = "ca")]
mod csr;
mod dns_01;
#[cfg(feature = "ca")]
mod dns_persist_01;
#[cfg(feature = "ca")]
mod dns_world;
#[cfg(feature = "ca")]
mod external_account;
#[cfg(feature = "client")]
mod fake_ca;
#[cfg(feature = "ca")]
mod fault_bodies;
#[cfg(feature = "ca")]
mod fault_chains;
#[cfg(feature = "ca")]
mod fault_headers;
#[cfg(feature = "ca")]
mod fault_resources;
#[cfg(feature = "ca")]
mod faults;
#[cfg(feature = "ca")]
mod finalize;
#[cfg(feature = "ca")]
mod handle;
#[cfg(feature = "ca")]
mod headers;
#[cfg(feature = "client")]
mod hopeless_cas;
#[cfg(feature = "ca")]
mod hostile;
#[cfg(feature = "ca")]
mod http_01;
#[cfg(feature = "ca")]
mod http_01_redirect;
#[cfg(feature = "ca")]
mod http_2;
mod identifiers;
#[cfg(feature = "client")]
mod issuance_gate;
#[cfg(feature = "ca")]
mod key_change;
#[cfg(feature = "ca")]
mod lifecycle;
#[cfg(feature = "ca")]
mod load;
#[cfg(feature = "ca")]
mod nonces;
#[cfg(feature = "ca")]
mod order;
#[cfg(feature = "ca")]
mod orders_list;
mod payloads;
#[cfg(feature = "ca")]
mod perspectives;
#[cfg(feature = "ca")]
mod plain_http;
#[cfg(feature = "ca")]
mod pre_authorization;
#[cfg(feature = "ca")]
mod profile;
#[cfg(feature = "client")]
mod quick_clock;
#[cfg(feature = "ca")]
mod renewal;
#[cfg(feature = "ca")]
mod request;
#[cfg(feature = "ca")]
mod revocation;
#[cfg(feature = "client")]
mod scripted_transport;
#[cfg(feature = "store")]
mod stores;
#[cfg(feature = "strategies")]
mod strategies;
#[cfg(feature = "ca")]
mod style;
#[cfg(feature = "suite")]
mod suite;
#[cfg(feature = "ca")]
mod terms;
#[cfg(feature = "dns")]
mod test_dns;
#[cfg(feature = "ca")]
mod tls_alpn_01;
#[cfg(feature = "client")]
mod transports;
#[cfg(feature = "hyper")]
mod wildcard;
#[cfg(feature = "ca")]
mod world;
