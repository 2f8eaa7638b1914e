//! A certificate store that ends with the process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use acme_messages::{ServerName, jose::BoxFuture};
use futures_core::stream::BoxStream;
use futures_util::stream;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{
    CertificateBundle, CertificateStore, Cursor, Entry, EntryState, Expect, Listed, Page, PutError,
    StoreError, StoreEvent, Version,
};

/// A [`CertificateStore`] in memory: for tests, and for certificates that are cheap to lose.
///
/// Clones share their entries.
///
/// ```
/// use acme_store::{CertificateStore, EntryState, MemoryStore, messages::ServerName};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let name: ServerName = "www.example.com".parse()?;
/// let store = MemoryStore::new();
/// store.request(name.clone());
///
/// let entry = store.get(&name).await?.expect("it was just requested");
/// assert_eq!(entry.contents, EntryState::Blank);
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    events: broadcast::Sender<StoreEvent>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<ServerName, Entry>,
    versions: u64,
}

impl State {
    fn set(&mut self, name: ServerName, contents: EntryState) -> Version {
        self.versions += 1;
        let version = Version::of(&self.versions.to_be_bytes());
        let entry = Entry::new(contents, version.clone());
        self.entries.insert(name, entry);
        version
    }
}

impl MemoryStore {
    /// How many changes a watcher may be behind before it is told to list again.
    pub const WATCH_BACKLOG: usize = 1024;

    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Arc::default(),
            events: broadcast::Sender::new(Self::WATCH_BACKLOG),
        }
    }

    /// Asks for a certificate: leaves a blank entry, unless there is one already.
    pub fn request(&self, name: ServerName) {
        let mut state = self.lock();
        if !state.entries.contains_key(&name) {
            state.set(name.clone(), EntryState::Blank);
            self.tell(name);
        }
    }

    /// Forgets a name and what is kept for it.
    pub fn remove(&self, name: &ServerName) {
        let mut state = self.lock();
        if state.entries.remove(name).is_some() {
            self.tell(name.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is one insertion: a panic elsewhere leaves none half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, name: ServerName) {
        // Nobody listening is no fault.
        let _ = self.events.send(StoreEvent::Changed(name));
    }

    fn put_now(
        &self,
        name: &ServerName,
        bundle: &CertificateBundle,
        expected: &Expect,
    ) -> Result<Version, PutError> {
        let mut state = self.lock();
        let current = state.entries.get(name).map(|entry| &entry.version);
        if !expected.is_met_by(current) {
            return Err(PutError::Conflict);
        }
        let version = state.set(name.clone(), EntryState::Bundle(bundle.clone()));
        self.tell(name.clone());
        Ok(version)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// A store that has these bundles; of several for one name, the last.
///
/// ```
/// use acme_store::{CertificateBundle, CertificateStore, MemoryStore, messages::ServerName};
///
/// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/www.example.com.pem");
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let bundle = CertificateBundle::from_pem(&std::fs::read(file)?)?;
/// let name: ServerName = "www.example.com".parse()?;
/// let store = MemoryStore::from_iter([(name.clone(), bundle.clone())]);
/// let entry = store.get(&name).await?.expect("it was there from the beginning");
/// assert_eq!(entry.bundle(), Some(&bundle));
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
impl FromIterator<(ServerName, CertificateBundle)> for MemoryStore {
    fn from_iter<I>(bundles: I) -> Self
    where
        I: IntoIterator<Item = (ServerName, CertificateBundle)>,
    {
        let store = Self::new();
        for (name, bundle) in bundles {
            store.lock().set(name, EntryState::Bundle(bundle));
        }
        store
    }
}

impl CertificateStore for MemoryStore {
    fn list(
        &self,
        _after: Option<Cursor>,
    ) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
        Box::pin(async move {
            let state = self.lock();
            let listed = state
                .entries
                .iter()
                .map(|(name, entry)| Listed::new(name.clone(), entry.version.clone()));
            Ok(Page::last(listed.collect()))
        })
    }

    fn get<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        Box::pin(async move { Ok(self.lock().entries.get(name).cloned()) })
    }

    fn put<'a>(
        &'a self,
        name: &'a ServerName,
        bundle: &'a CertificateBundle,
        expected: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>> {
        Box::pin(async move { self.put_now(name, bundle, &expected) })
    }

    fn accepts<'a>(&'a self, _name: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn watch(&self) -> BoxStream<'static, StoreEvent> {
        let events = self.events.subscribe();
        let first = stream::once(async { StoreEvent::Resync });
        let later = stream::unfold(events, |mut events| async move {
            let event = match events.recv().await {
                Ok(event) => event,
                Err(RecvError::Lagged(_)) => StoreEvent::Resync,
                // The store is gone: nothing will change any more.
                Err(RecvError::Closed) => std::future::pending().await,
            };
            Some((event, events))
        });
        Box::pin(stream::StreamExt::chain(first, later))
    }
}
