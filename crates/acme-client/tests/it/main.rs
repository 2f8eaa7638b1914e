//! The client against a CA over real HTTPS, and against transports that lie.

#![cfg_attr(
    not(feature = "hyper"),
    allow(
        dead_code,
        reason = "without a transport there is no CA to meddle with"
    )
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[cfg(feature = "hyper")]
mod absences;
#[cfg(feature = "hyper")]
mod account_quirks;
#[cfg(feature = "hyper")]
mod accounts;
mod answers;
#[cfg(feature = "hyper")]
mod chains;
mod clock;
#[cfg(feature = "hyper")]
mod counts;
#[cfg(feature = "hyper")]
mod cryptography;
#[cfg(feature = "hyper")]
mod dns_persist;
#[cfg(feature = "hyper")]
mod faults;
#[cfg(feature = "hyper")]
mod generated_keys;
#[cfg(feature = "hyper")]
mod http2;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "hyper")]
mod journal;
#[cfg(feature = "hyper")]
mod key_change;
#[cfg(feature = "hyper")]
mod nonces;
#[cfg(feature = "hyper")]
mod obtain;
#[cfg(feature = "hyper")]
mod orders;
#[cfg(feature = "hyper")]
mod pacing;
#[cfg(feature = "hyper")]
mod quirks;
#[cfg(feature = "hyper")]
mod recovery;
#[cfg(feature = "hyper")]
mod renewal;
#[cfg(feature = "hyper")]
mod request_layer;
#[cfg(feature = "hyper")]
mod responders;
#[cfg(feature = "hyper")]
mod revocation;
#[cfg(feature = "hyper")]
mod second_looks;
#[cfg(feature = "hyper")]
mod side_by_side;
mod transport;
mod wire;
#[cfg(feature = "hyper")]
mod world;
