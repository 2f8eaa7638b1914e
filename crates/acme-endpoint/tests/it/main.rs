//! What acme-endpoint promises, seen from outside and over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod spec;
