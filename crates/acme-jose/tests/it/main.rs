//! What acme-jose promises, seen from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod base64url;
mod binding;
mod jwk;
mod jws;
mod key;
mod nonce;
mod public_half;
mod secrets;
mod signer;
mod vectors;
