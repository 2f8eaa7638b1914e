#![cfg_attr(feature = "hyper", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "hyper"),
    doc = "An ACME CA for tests, and doubles for the traits of the acme crates; the README tells of all."
)]

#[cfg(feature = "ca")]
mod ca;
mod clock;
#[cfg(any(feature = "client", feature = "store"))]
mod counted;
#[cfg(feature = "dns")]
mod dns;
#[cfg(feature = "client")]
mod failing_ca;
#[cfg(feature = "client")]
mod fake_ca;
mod faulty_responder;
#[cfg(feature = "store")]
mod faulty_store;
#[cfg(feature = "client")]
mod faulty_transport;
#[cfg(feature = "client")]
mod hanging_ca;
#[cfg(feature = "store")]
mod hopeless_stores;
#[cfg(feature = "client")]
mod issuance_gate;
mod mishap;
mod null_responder;
mod pki;
#[cfg(feature = "client")]
mod quick_clock;
#[cfg(feature = "client")]
mod received_request;
#[cfg(feature = "client")]
mod recording_journal;
mod recording_responder;
#[cfg(feature = "client")]
mod recording_transport;
#[cfg(feature = "client")]
mod scripted_transport;
#[cfg(feature = "strategies")]
pub mod strategies;
#[cfg(feature = "suite")]
pub mod suite;
mod valid_for_name;

#[cfg(feature = "client")]
pub use acme_client as client;
pub use acme_messages as messages;
pub use acme_responders as responders;
#[cfg(feature = "store")]
pub use acme_store as store;
#[cfg(feature = "hyper")]
pub use ca::ClientError;
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
#[cfg(feature = "client")]
pub use failing_ca::FailingCa;
#[cfg(feature = "client")]
pub use fake_ca::{FakeCa, FakeCaBuilder, FakeOrder, FakeOutcome};
pub use faulty_responder::FaultyResponder;
#[cfg(feature = "store")]
pub use faulty_store::{FaultyStore, StoreOperation};
#[cfg(feature = "client")]
pub use faulty_transport::{FaultyTransport, Meddling};
#[cfg(feature = "client")]
pub use hanging_ca::HangingCa;
#[cfg(feature = "store")]
pub use hopeless_stores::{FailingStore, HangingStore};
#[cfg(feature = "client")]
pub use issuance_gate::IssuanceGate;
pub use mishap::{InjectedFault, Mishap};
pub use null_responder::NullResponder;
pub use pki::{CertificateValidity, PkiError, TestPki, TestPkiBuilder};
#[cfg(feature = "client")]
pub use quick_clock::QuickClock;
#[cfg(feature = "client")]
pub use received_request::ReceivedRequest;
#[cfg(feature = "client")]
pub use recording_journal::RecordingJournal;
pub use recording_responder::{RecordingResponder, ResponderCall};
#[cfg(feature = "client")]
pub use recording_transport::{RecordedExchange, RecordingTransport};
#[cfg(feature = "client")]
pub use scripted_transport::{Exchange, ScriptError, ScriptedTransport};
pub use valid_for_name::{assert_valid_for_name, valid_for_name};
