//! A service, what it works with, and a clock to move.

use std::{sync::Arc, time::Duration};

use acme_service::{
    IssuingService, IssuingServiceBuilder, ServiceEvent, ServiceHandle,
    messages::{Clock, ServerName, Timestamp},
    store::{CertificateBundle, CertificateStore, Entry, Expect, MemoryStore},
};
use acme_testing::{CertificateValidity, FakeCa, FakeCaBuilder, FaultyStore, ManualClock};
use tokio::sync::broadcast;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a test may take when something hangs: a net, not a wait.
const SAFETY_NET: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    /// What is stored, behind the store that the service sees.
    pub(crate) memory: MemoryStore,
    pub(crate) store: FaultyStore,
    pub(crate) authority: FakeCa,
}

/// A running service and what it has reported since the start.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) handle: ServiceHandle,
    pub(crate) events: broadcast::Receiver<ServiceEvent>,
}

pub(crate) fn name(text: &str) -> ServerName {
    text.parse().unwrap()
}

impl World {
    /// A CA that asks for no proof: what is proved, and how, is the client's to test.
    pub(crate) fn new() -> Self {
        Self::with_ca(|ca| ca.pre_authorized(true))
    }

    pub(crate) fn with_ca(settings: impl FnOnce(FakeCaBuilder) -> FakeCaBuilder) -> Self {
        let clock = ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap());
        let memory = MemoryStore::new();
        Self {
            authority: settings(FakeCa::builder(clock.clone())).build().unwrap(),
            store: FaultyStore::over(memory.clone()),
            memory,
            clock,
        }
    }

    pub(crate) fn start(&self) -> Running {
        self.start_with(|builder| builder)
    }

    pub(crate) fn start_with(
        &self,
        settings: impl FnOnce(IssuingServiceBuilder) -> IssuingServiceBuilder,
    ) -> Running {
        let (store, authority) = (self.store.clone(), self.authority.clone());
        let builder = IssuingService::builder(Arc::new(store), Arc::new(authority));
        let handle = settings(builder.clock(Arc::new(self.clock.clone()))).start();
        // Nothing has run yet: no event is missed.
        let events = handle.subscribe().unwrap();
        Running { handle, events }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Leaves a blank entry.
    pub(crate) fn request(&self, text: &str) {
        self.memory.request(name(text));
    }

    /// A bundle of 90 days with this much left.
    pub(crate) fn bundle(&self, text: &str, left: Duration) -> CertificateBundle {
        let end = self.now() + left;
        self.bundle_for(text, CertificateValidity::between(end - 90 * DAY, end))
    }

    pub(crate) fn bundle_for(
        &self,
        text: &str,
        validity: CertificateValidity,
    ) -> CertificateBundle {
        let issued = self.authority.issue_server(&[name(text)], validity);
        let (chain, key) = issued.unwrap();
        CertificateBundle::new(key, chain).unwrap()
    }

    /// Puts a certificate into the store, whatever is there.
    pub(crate) async fn put(&self, text: &str, bundle: &CertificateBundle) {
        let expected = match self.entry(text).await {
            Some(entry) => Expect::Version(entry.version),
            None => Expect::Absent,
        };
        self.memory
            .put(&name(text), bundle, expected)
            .await
            .unwrap();
    }

    pub(crate) async fn entry(&self, text: &str) -> Option<Entry> {
        self.memory.get(&name(text)).await.unwrap()
    }

    pub(crate) async fn stored(&self, text: &str) -> Option<CertificateBundle> {
        self.entry(text).await?.bundle().cloned()
    }

    /// Moves the time in steps, so that what falls due on the way is done then.
    pub(crate) async fn pass(&self, span: Duration, step: Duration) {
        let mut left = span;
        while !left.is_zero() {
            let step = step.min(left);
            self.clock.advance(step);
            settle().await;
            left -= step;
        }
    }

    pub(crate) fn orders(&self) -> usize {
        self.authority.orders().len()
    }

    /// Who ordered so far, first first.
    pub(crate) fn ordered(&self) -> Vec<String> {
        let orders = self.authority.orders();
        orders.iter().map(|it| it.names[0].to_string()).collect()
    }

    /// When orders came so far.
    pub(crate) fn moments(&self) -> Vec<Timestamp> {
        self.authority.orders().iter().map(|it| it.at).collect()
    }

    /// The challenge that each order would have been proved with.
    pub(crate) fn preferred(&self) -> Vec<String> {
        let orders = self.authority.orders();
        let first = orders.iter().filter_map(|it| it.responders.first());
        first.map(ToString::to_string).collect()
    }
}

impl Running {
    /// What was reported and not yet looked at.
    pub(crate) fn reported(&mut self) -> Vec<ServiceEvent> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    pub(crate) fn is_ready(&self) -> bool {
        futures_util::FutureExt::now_or_never(self.handle.initial_check()).is_some()
    }
}

/// Lets every task run until nothing is left to do without the time moving on.
pub(crate) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Waits for something, but not for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SAFETY_NET, future)
        .await
        .expect("nothing hangs")
}

/// Lets tasks run until something is so.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    within(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
