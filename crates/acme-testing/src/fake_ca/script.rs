//! What was ordered of a fake CA, and what becomes of it.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use acme_client::{CertificateRequest, Error};
use acme_messages::{ChallengeType, ServerName, Timestamp};

use crate::CertificateValidity;

/// An order as a [`FakeCa`](crate::FakeCa) saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FakeOrder {
    /// When it came, by the CA's clock.
    pub at: Timestamp,
    /// What the certificate is to be for, in the caller's order.
    pub names: Vec<ServerName>,
    /// The types of the responders that came with it, in the caller's order.
    pub responders: Vec<ChallengeType>,
}

impl FakeOrder {
    pub(super) fn new(request: &CertificateRequest, at: Timestamp) -> Self {
        let responders = request.responders().iter();
        Self {
            at,
            names: request.names().to_vec(),
            responders: responders.map(|it| it.challenge_type()).collect(),
        }
    }
}

/// What becomes of an order at a [`FakeCa`](crate::FakeCa).
#[derive(Debug)]
#[non_exhaustive]
pub enum FakeOutcome {
    /// It fails so: before anything is proved where the error's operation comes before
    /// (directory, nonce, account, placing the order), else once the names are proved.
    Fail(Error),
    /// Nothing happens, ever.
    Hang,
    /// The names are proved, and then nothing happens, ever: the answers stay up.
    HangAfterProof,
    /// The certificate is issued.
    Issue,
    /// A certificate of these dates is issued, whatever the time is.
    IssueFor(CertificateValidity),
    /// A certificate for these names is issued, whatever was ordered.
    IssueForNames(Vec<ServerName>),
    /// The CA panics.
    Panic,
}

type Rule = Box<dyn FnMut(&FakeOrder) -> FakeOutcome + Send>;

/// Outcomes that wait for their orders.
#[derive(Default)]
pub(super) struct Script {
    pub(super) by_number: BTreeMap<usize, FakeOutcome>,
    pub(super) by_name: Vec<(ServerName, FakeOutcome)>,
    pub(super) next: VecDeque<FakeOutcome>,
    pub(super) rule: Option<Rule>,
}

impl Script {
    /// The most particular outcome comes first.
    pub(super) fn decide(&mut self, number: usize, order: &FakeOrder) -> FakeOutcome {
        if let Some(outcome) = self.by_number.remove(&number) {
            return outcome;
        }
        let named = |(name, _): &(ServerName, FakeOutcome)| order.names.contains(name);
        if let Some(at) = self.by_name.iter().position(named) {
            return self.by_name.remove(at).1;
        }
        if let Some(outcome) = self.next.pop_front() {
            return outcome;
        }
        match &mut self.rule {
            Some(rule) => rule(order),
            None => FakeOutcome::Issue,
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("by_number", &self.by_number)
            .field("by_name", &self.by_name)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}
