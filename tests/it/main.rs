//! Tests of the harness that need no ACME server.
#![allow(
    clippy::unwrap_used,
    reason = "in a test a panic is the failure, also in the functions that tests share"
)]

mod directory;
mod http;
mod pebble;
mod port;
mod process;
mod width;
