//! What acme-endpoint promises, seen from outside and over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[cfg(feature = "axum")]
mod axum;
mod endpoint;
mod hello;
mod issuance;
mod listener;
mod resolver;
mod spec;
mod stall;
mod store;
mod world;
