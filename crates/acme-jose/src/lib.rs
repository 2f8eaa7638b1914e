#![doc = include_str!("../README.md")]

pub mod base64url;

mod algorithm;
mod jwk;
mod jws;
mod key;
mod nonce;
mod signer;

pub use algorithm::SigningAlgorithm;
pub use base64url::InvalidBase64Url;
pub use jwk::{InvalidJwk, Jwk, Thumbprint, VerifyError};
pub use jws::{FlattenedJws, JwsError, ProtectedHeader, UnsignedJws};
pub use key::{KeyError, KeyType, PrivateKey};
pub use nonce::{InvalidNonce, Nonce};
pub use rand_core;
pub use signer::{AsyncSigner, BoxFuture, SignError, Signer};
