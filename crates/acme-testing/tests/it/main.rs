//! The crate's public behaviour, the CA driven by raw requests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod account;
mod account_keys;
mod addresses;
mod alternate;
mod authorization;
mod caa;
mod challenges;
mod client;
mod clock;
mod closed_account;
mod concurrency;
mod csr;
mod dns_01;
mod dns_persist_01;
mod dns_responder;
mod dns_world;
mod external_account;
mod fake_ca;
mod fault_bodies;
mod fault_chains;
mod fault_headers;
mod fault_resources;
mod faults;
mod faulty_responder;
mod finalize;
mod handle;
mod headers;
mod hopeless_cas;
mod hostile;
mod http_01;
mod http_01_redirect;
mod http_2;
mod identifiers;
mod issuance_gate;
mod key_change;
mod lifecycle;
mod load;
mod nonces;
mod order;
mod orders_list;
mod payloads;
mod perspectives;
mod pki;
mod plain_http;
mod pre_authorization;
mod profile;
mod quick_clock;
mod recording_responder;
mod renewal;
mod request;
mod revocation;
mod scripted_transport;
mod style;
mod terms;
mod test_dns;
mod tls_alpn_01;
mod tls_shape;
mod transports;
mod valid_for_name;
mod world;

#[cfg(feature = "store")]
mod stores;
#[cfg(feature = "strategies")]
mod strategies;
#[cfg(feature = "suite")]
mod suite;
#[cfg(feature = "hyper")]
mod wildcard;
