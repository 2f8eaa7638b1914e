//! The bodies of the fuzz targets: what every parser promises for every input.
//!
//! A body takes any bytes and panics when a promise is broken.
//! It needs no libFuzzer, so `cargo xtask fuzz --smoke` runs it on stable Rust.
#![allow(
    clippy::missing_panics_doc,
    reason = "each of these panics when a promise is broken: that is what it is for"
)]

mod document;
mod key;
mod text;
mod x509;

pub use document::{account, authorization, directory, order, problem, renewal_info};
pub use key::{jwk, jws, pem_key};
pub use text::{link, retry_after};
pub use x509::{csr, pem_chain};

/// A body, under the name of its target and of its folder in `corpus`.
pub type Target = (&'static str, fn(&[u8]));

/// Every body, in the order of their names.
pub const TARGETS: &[Target] = &[
    ("account", account),
    ("authorization", authorization),
    ("csr", csr),
    ("directory", directory),
    ("jwk", jwk),
    ("jws", jws),
    ("link", link),
    ("order", order),
    ("pem_chain", pem_chain),
    ("pem_key", pem_key),
    ("problem", problem),
    ("renewal_info", renewal_info),
    ("retry_after", retry_after),
];
