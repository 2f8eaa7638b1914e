#![cfg_attr(feature = "http-01", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "http-01"),
    doc = "Answers to ACME challenges behind one trait; the feature `http-01` has the guide."
)]

#[cfg(any(feature = "http-01", feature = "tls-alpn-01"))]
mod asked;
mod dns_persist_01;
#[cfg(feature = "http-01")]
mod http_01;
mod responder;
#[cfg(feature = "tls-alpn-01")]
mod tls_alpn_01;

pub use acme_messages as messages;
pub use acme_messages::jose::BoxFuture;
pub use dns_persist_01::DnsPersist01Responder;
#[cfg(feature = "http-01")]
pub use http_01::{CHALLENGE_PATH, Http01Responder, Http01Service};
pub use responder::{ChallengeContext, Responder, ResponderError};
#[cfg(feature = "tls-alpn-01")]
pub use tls_alpn_01::{
    ChallengeCertificate, ChallengeCertificateError, TlsAlpn01Responder, challenge_certificate,
};
