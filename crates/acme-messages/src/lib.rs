#![doc = include_str!("../README.md")]

pub mod csr;
pub mod device_attest;
pub mod directory_urls;
pub mod dns_account;
pub mod dns_persist;
pub mod link;
pub mod retry_after;
pub mod tls_alpn;
pub mod x509_signature;

mod account;
mod attribute_text;
mod authorization;
mod certificate;
mod challenge;
mod clock;
mod directory;
mod identifier;
mod key_authorization;
mod lenient;
mod name;
mod order;
mod problem;
mod renewal;
mod revocation;
mod wire;

pub use account::{Account, AccountStatus, AccountUpdate, NewAccount, OrdersList};
pub use acme_jose as jose;
pub use acme_jose::{InvalidToken, Token};
pub use authorization::{
    Authorization, AuthorizationStatus, AuthorizationUpdate, NewAuthorization,
};
pub use certificate::{CertificateChain, CertificateInfo, ChainError, ChainPreference};
pub use challenge::{Challenge, ChallengeStatus, ChallengeType};
pub use clock::Clock;
pub use csr::{CertificateSigningRequest, CommonName, CsrError, CsrMismatch, CsrOptions};
pub use directory::{Directory, DirectoryMeta};
pub use identifier::{Identifier, IdentifierType};
pub use jiff::Timestamp;
pub use key_authorization::KeyAuthorization;
pub use name::{DnsName, InvalidName, ServerName};
pub use order::{FinalizeRequest, NewOrder, Order, OrderStatus};
pub use problem::{Problem, ProblemDetails, ProblemType};
pub use renewal::{CertificateId, RenewalInfo, SuggestedWindow};
pub use revocation::{RevocationReason, RevocationRequest, UnknownReason};
