//! A store with faults on demand.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use acme_messages::ServerName;
use acme_store::{
    BoxFuture, BoxStream, BundleError, CertificateBundle, CertificateStore, Cursor, Entry,
    EntryState, Expect, Listed, MemoryStore, Page, PutError, StoreError, StoreEvent, Version,
};
use tokio::sync::watch;

/// A [`MemoryStore`] behind a network that fails as it is told.
#[derive(Clone, Debug)]
pub(crate) struct FaultyStore {
    pub(crate) inner: MemoryStore,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Nothing can be known.
    down: AtomicBool,
    /// The watch says nothing.
    silent: bool,
    /// Reads wait while this holds.
    held: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
    lists: AtomicUsize,
    damaged: Mutex<HashSet<ServerName>>,
}

impl FaultyStore {
    pub(crate) fn new() -> Self {
        Self::with_watch(true)
    }

    /// One that cannot tell what has changed.
    pub(crate) fn silent() -> Self {
        Self::with_watch(false)
    }

    fn with_watch(watch: bool) -> Self {
        let shared = Shared {
            down: AtomicBool::new(false),
            silent: !watch,
            held: watch::Sender::new(false),
            waiting: watch::Sender::new(0),
            lists: AtomicUsize::new(0),
            damaged: Mutex::default(),
        };
        Self {
            inner: MemoryStore::new(),
            shared: Arc::new(shared),
        }
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
    }

    /// Whether reads wait from now on.
    pub(crate) fn hold(&self, hold: bool) {
        self.shared.held.send_replace(hold);
    }

    /// Waits until this many reads wait.
    pub(crate) async fn held(&self, count: usize) {
        let mut waiting = self.shared.waiting.subscribe();
        waiting.wait_for(|now| *now >= count).await.unwrap();
    }

    pub(crate) fn lists(&self) -> usize {
        self.shared.lists.load(Ordering::SeqCst)
    }

    pub(crate) fn damage(&self, name: ServerName) {
        self.shared.damaged.lock().unwrap().insert(name);
    }

    /// Puts a bundle in the place of whatever is there.
    pub(crate) async fn replace(&self, name: &ServerName, bundle: &CertificateBundle) {
        let expected = match self.inner.get(name).await.unwrap() {
            Some(entry) => Expect::Version(entry.version),
            None => Expect::Absent,
        };
        self.inner.put(name, bundle, expected).await.unwrap();
    }

    async fn answer(&self) -> Result<(), StoreError> {
        self.shared.waiting.send_modify(|count| *count += 1);
        let mut held = self.shared.held.subscribe();
        held.wait_for(|held| !held).await.unwrap();
        self.shared.waiting.send_modify(|count| *count -= 1);
        match self.shared.down.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("it is down".into())),
            false => Ok(()),
        }
    }
}

impl CertificateStore for FaultyStore {
    fn list(
        &self,
        after: Option<Cursor>,
    ) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
        Box::pin(async move {
            self.shared.lists.fetch_add(1, Ordering::SeqCst);
            self.answer().await?;
            self.inner.list(after).await
        })
    }

    fn get<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        Box::pin(async move {
            self.answer().await?;
            let damaged = self.shared.damaged.lock().unwrap().contains(name);
            let entry = self.inner.get(name).await?;
            Ok(entry.map(|entry| match damaged {
                true => Entry::new(EntryState::Damaged(BundleError::Malformed), entry.version),
                false => entry,
            }))
        })
    }

    fn put<'a>(
        &'a self,
        name: &'a ServerName,
        bundle: &'a CertificateBundle,
        expected: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>> {
        Box::pin(async move {
            self.answer().await?;
            self.inner.put(name, bundle, expected).await
        })
    }

    fn accepts<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.accepts(name)
    }

    fn watch(&self) -> BoxStream<'static, StoreEvent> {
        match self.shared.silent {
            true => Box::pin(futures_util::stream::pending()),
            false => self.inner.watch(),
        }
    }
}
