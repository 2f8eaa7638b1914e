#![doc = include_str!("../README.md")]

pub mod base64url;
pub mod key_change;

mod algorithm;
mod external_account;
mod jwk;
mod jws;
mod key;
mod mac;
mod nonce;
mod object;
mod present;
mod signer;
mod token;

pub use algorithm::{HashAlgorithm, MacAlgorithm, SigningAlgorithm};
pub use base64url::InvalidBase64Url;
pub use external_account::{BindingError, ExternalAccountBinding};
pub use jwk::{InvalidJwk, Jwk, Thumbprint, VerifyError};
pub use jws::{FlattenedJws, JwsError, ProtectedHeader, UnsignedJws};
pub use key::{KeyError, KeyType, PrivateKey, UnknownKeyType};
pub use key_change::KeyChangeError;
pub use mac::{InvalidMacKey, MacKey};
pub use nonce::{InvalidNonce, Nonce};
pub use rand_core;
pub use signer::{AsyncSigner, BoxFuture, SignError, Signer};
pub use token::{InvalidToken, Token};
