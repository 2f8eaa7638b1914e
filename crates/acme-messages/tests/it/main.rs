//! What acme-messages promises, seen from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod chain;
mod chain_choice;
mod corpus;
mod csr;
mod csr_order;
mod extension;
mod key_authorization;
mod link;
mod name;
mod panics;
mod problem;
mod renewal;
mod resource;
mod retry_after;
mod revocation;
#[cfg(feature = "idna")]
mod unicode;
