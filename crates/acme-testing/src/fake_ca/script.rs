//! What was ordered of a fake CA, and what becomes of it.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex},
};

use acme_client::{CertificateRequest, Error};
use acme_messages::{ChallengeType, NewOrder, ServerName, Timestamp};

use crate::CertificateValidity;

/// An order as a [`FakeCa`](crate::FakeCa) saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FakeOrder {
    /// When it came, by the CA's clock.
    pub at: Timestamp,
    /// What the certificate is to be for, in the caller's order.
    pub names: Vec<ServerName>,
    /// Its URL: a new one, or that of an order taken up again.
    pub url: String,
    /// What the order says beside the names: the profile, the dates, and what it replaces.
    pub order: NewOrder,
    /// Whether it is an earlier order [taken up](CertificateRequest::resuming).
    pub resumed: bool,
    /// The types of the responders that came with it, in the caller's order.
    pub responders: Vec<ChallengeType>,
}

impl FakeOrder {
    pub(super) fn new(
        request: &CertificateRequest,
        at: Timestamp,
        account_url: &str,
        url: String,
        resumed: bool,
    ) -> Self {
        let responders = request.responders().iter();
        Self {
            at,
            url,
            order: request.order(account_url),
            resumed,
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

/// Called without the CA's own lock, so that it may look at the CA.
pub(super) type Rule = Arc<Mutex<Box<dyn FnMut(&FakeOrder) -> FakeOutcome + Send>>>;

/// Outcomes that wait for their orders.
#[derive(Default)]
pub(super) struct Script {
    pub(super) by_number: BTreeMap<usize, FakeOutcome>,
    pub(super) by_name: Vec<(ServerName, FakeOutcome)>,
    pub(super) next: VecDeque<FakeOutcome>,
    pub(super) rule: Option<Rule>,
}

impl Script {
    /// The most particular outcome comes first; `None` leaves it to the rule.
    pub(super) fn take(&mut self, number: usize, order: &FakeOrder) -> Option<FakeOutcome> {
        if let Some(outcome) = self.by_number.remove(&number) {
            return Some(outcome);
        }
        let named = |(name, _): &(ServerName, FakeOutcome)| order.names.contains(name);
        match self.by_name.iter().position(named) {
            Some(at) => Some(self.by_name.remove(at).1),
            None => self.next.pop_front(),
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
