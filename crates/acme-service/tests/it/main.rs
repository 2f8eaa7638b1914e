//! The service against doubles, all under a clock that the tests move.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod clocks;
mod doubles;
mod failures;
mod joining;
mod old_chain;
mod readiness;
mod schedule;
mod shutdown;
mod store;
mod world;
