//! The crate's public behaviour, the CA driven by raw requests.

#[cfg(feature = "ca")]
mod client;
#[cfg(feature = "ca")]
mod lifecycle;
#[cfg(feature = "ca")]
mod world;
