//! Tests against Pebble; `cargo xtask conformance` finds or installs it and runs them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod account;
mod authority;
mod certificate;
mod dns;
mod harness;
mod issuance;
mod load;
mod program;
mod world;
