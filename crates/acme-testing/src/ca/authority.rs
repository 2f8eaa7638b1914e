//! What all handlers share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acme_messages::{Clock, Timestamp};
use rustls::crypto::CryptoProvider;
use tokio::sync::{Notify, mpsc, watch};

use super::{config::TestCaConfig, fault::Faults, log::Log, state::State, validation::Job};
use crate::TestPki;

/// The CA without its sockets. Handlers are methods of it, one file each.
///
/// Lock order: no lock is taken while another is held.
#[derive(Debug)]
pub(super) struct Authority {
    /// What every URL begins with.
    base: String,
    clock: Arc<dyn Clock>,
    pub(super) pki: TestPki,
    pub(super) provider: Arc<CryptoProvider>,
    config: Mutex<Arc<TestCaConfig>>,
    pub(super) faults: Faults,
    state: Mutex<State>,
    pub(super) log: Log,
    /// Where validations wait for the accept loop to start them.
    pub(super) jobs: mpsc::UnboundedSender<Job>,
    /// Told whenever a validation has ended.
    pub(super) settled: Notify,
    /// Whether validations wait.
    pub(super) held: watch::Sender<bool>,
}

impl Authority {
    pub(super) fn new(
        base: String,
        clock: Arc<dyn Clock>,
        pki: TestPki,
        provider: Arc<CryptoProvider>,
        config: TestCaConfig,
        seed: u64,
        jobs: mpsc::UnboundedSender<Job>,
    ) -> Self {
        Self {
            base,
            clock,
            pki,
            provider,
            config: Mutex::new(Arc::new(config)),
            faults: Faults::new(seed),
            state: Mutex::default(),
            log: Log::default(),
            jobs,
            settled: Notify::new(),
            held: watch::Sender::new(false),
        }
    }

    /// The URL of a path: the one text under which it is known.
    pub(super) fn url(&self, path: impl AsRef<str>) -> String {
        format!("{}{}", self.base, path.as_ref())
    }

    /// The resource's id in a URL of ours, if it begins with this path.
    pub(super) fn id_in<'a>(&self, url: &'a str, path: &str) -> Option<&'a str> {
        url.strip_prefix(&self.base)?.strip_prefix(path)
    }

    /// The time in whole seconds, as it stands in every object.
    pub(super) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// The settings as they are now, so that one request sees one set of them.
    pub(super) fn config(&self) -> Arc<TestCaConfig> {
        Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn configure(&self, change: impl FnOnce(&mut TestCaConfig)) {
        let mut config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut config));
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
