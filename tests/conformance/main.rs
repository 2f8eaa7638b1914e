//! Tests against Pebble; `cargo xtask conformance` finds or installs it and runs them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod authority;
mod client;
mod dns;
mod harness;
mod program;
