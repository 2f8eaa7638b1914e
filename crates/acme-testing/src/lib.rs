#![cfg_attr(feature = "ca", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "ca"),
    doc = "Doubles for the traits of the acme crates; the CA needs the feature `ca`."
)]

#[cfg(feature = "ca")]
mod ca;
mod clock;
#[cfg(feature = "dns")]
mod dns;
mod null_responder;
mod pki;
mod recording_responder;
mod valid_for_name;

pub use acme_messages as messages;
pub use acme_responders as responders;
#[cfg(feature = "ca")]
pub use ca::{
    AccountConfig, AnswerConfig, ChainFault, DefaultProfile, Failure, Fault, FaultRule,
    InvalidFault, IssuanceConfig, IssuedCertificate, NonceCounts, Operation, OrderConfig,
    PlacedOrder, Profile, RenewalConfig, RequestRecord, Resolver, Style, TestCa, TestCaBuilder,
    TestCaConfig, TestCaError, ValidationConfig,
};
pub use clock::ManualClock;
#[cfg(feature = "dns")]
pub use dns::{DnsQuery, DnsRecord, DnsResponder, DnsTrouble, InvalidDnsRecord, TestDns};
pub use null_responder::NullResponder;
pub use pki::{CertificateValidity, PkiError, TestPki, TestPkiBuilder};
pub use recording_responder::{RecordingResponder, ResponderCall};
pub use valid_for_name::valid_for_name;
