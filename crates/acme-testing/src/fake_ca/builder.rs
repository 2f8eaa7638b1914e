//! The settings of a fake CA.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use acme_messages::{ChallengeType, Clock};
use tokio::sync::watch;

use super::{Challenger, FakeCa, Script, Shared, State, Traffic, issuer::Issuer};
use crate::{IssuanceGate, PkiError};

/// Settings of a [`FakeCa`].
#[derive(Debug)]
pub struct FakeCaBuilder {
    clock: Arc<dyn Clock>,
    gate: IssuanceGate,
    identity: String,
    lifetime: Duration,
    offered: Option<Vec<ChallengeType>>,
    poll_delay: Duration,
    pre_authorized: bool,
    wait_until_asked: bool,
}

impl FakeCaBuilder {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            gate: IssuanceGate::default(),
            identity: FakeCa::IDENTITY.to_owned(),
            lifetime: FakeCa::LIFETIME,
            offered: None,
            poll_delay: Duration::ZERO,
            pre_authorized: false,
            wait_until_asked: false,
        }
    }

    /// The gate that issuances pass; several CAs may share one. By default it is open.
    #[must_use]
    pub fn gate(mut self, gate: IssuanceGate) -> Self {
        self.gate = gate;
        self
    }

    /// Who this is; [`FakeCa::IDENTITY`] by default.
    #[must_use]
    pub fn identity(mut self, url: impl Into<String>) -> Self {
        self.identity = url.into();
        self
    }

    /// How long certificates live; [`FakeCa::LIFETIME`] by default.
    #[must_use]
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// The types of challenges on offer; by default every type, known or not.
    ///
    /// A wildcard is offered none but those of DNS among them, as at each real CA.
    #[must_use]
    pub fn offered(mut self, kinds: impl IntoIterator<Item = ChallengeType>) -> Self {
        self.offered = Some(kinds.into_iter().collect());
        self
    }

    /// How long an order takes on the clock once its names are proved; no time by default.
    #[must_use]
    pub const fn poll_delay(mut self, delay: Duration) -> Self {
        self.poll_delay = delay;
        self
    }

    /// Whether all names count as proved, as they do at a CA that remembers: no responder is
    /// asked for, and none is started. Off by default.
    #[must_use]
    pub const fn pre_authorized(mut self, pre_authorized: bool) -> Self {
        self.pre_authorized = pre_authorized;
        self
    }

    /// Whether to wait until each responder says that it was
    /// [asked](acme_responders::Responder::asked), which a test then has to do. Off by default.
    #[must_use]
    pub const fn wait_until_asked(mut self, wait: bool) -> Self {
        self.wait_until_asked = wait;
        self
    }

    /// Makes the CA and its issuer's key.
    ///
    /// # Errors
    /// - [`PkiError::NoRandomness`] when the system has none to give.
    /// - [`PkiError::BadTime`] when the clock lies outside the years that certificates can tell.
    /// - [`PkiError::Encode`] never for what is encoded here; the encoder's type says so.
    pub fn build(self) -> Result<FakeCa, PkiError> {
        let state = State {
            lifetime: self.lifetime,
            script: Script::default(),
            renewal: None,
            prepare_errors: VecDeque::new(),
            renewal_errors: VecDeque::new(),
            prepared: 0,
            orders: Vec::new(),
            open: HashMap::new(),
            issued: Vec::new(),
            renewal_queries: Vec::new(),
        };
        let shared = Shared {
            identity: self.identity,
            gate: self.gate,
            issuer: Issuer::new(self.clock.now())?,
            challenger: Challenger::new(self.offered, self.wait_until_asked)?,
            clock: self.clock,
            pre_authorized: self.pre_authorized,
            poll_delay: self.poll_delay,
            state: Mutex::new(state),
            traffic: watch::Sender::new(Traffic::default()),
        };
        Ok(FakeCa {
            shared: Arc::new(shared),
        })
    }
}
