//! A certificate store with faults on demand.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use acme_messages::{ServerName, jose::BoxFuture};
use acme_store::{
    BoxStream, BundleError, CertificateBundle, CertificateStore, Cursor, Entry, EntryState, Expect,
    Listed, Page, PutError, StoreError, StoreEvent, Version,
};
use futures_util::stream;
use tokio::sync::watch;

use crate::{InjectedFault, Mishap, counted::Counted, mishap::panic_as_told};

/// Stands before another store and fails, hangs or panics as it is told. Clones are one.
///
/// ```
/// use acme_testing::{FaultyStore, Mishap, StoreOperation};
/// use acme_testing::store::{CertificateStore, MemoryStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let memory = MemoryStore::new();
/// let store = FaultyStore::over(memory.clone());
/// memory.request("example.com".parse()?);
///
/// store.set(StoreOperation::List, Some(Mishap::Fail));
/// assert!(store.list(None).await.unwrap_err().is_transient());
/// store.set(StoreOperation::List, None);
/// assert_eq!(store.list(None).await?.items.len(), 1);
/// assert_eq!(store.count(StoreOperation::List), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FaultyStore {
    next: Arc<dyn CertificateStore>,
    plan: Arc<watch::Sender<()>>,
    state: Arc<Mutex<State>>,
    hanging: Arc<watch::Sender<usize>>,
}

#[derive(Debug, Default)]
struct State {
    standing: BTreeMap<StoreOperation, Mishap>,
    once: BTreeMap<StoreOperation, VecDeque<Mishap>>,
    counts: BTreeMap<StoreOperation, usize>,
    damaged: BTreeSet<ServerName>,
    refused: BTreeSet<ServerName>,
}

/// What a certificate store is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StoreOperation {
    /// Whether a name would be taken.
    Accepts,
    /// What is kept for a name.
    Get,
    /// A page of the names.
    List,
    /// Replacing what is kept for a name.
    Put,
    /// Hints about changes. A watch that fails ends at once; one that hangs says nothing.
    Watch,
}

impl StoreOperation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Accepts, Self::Get, Self::List, Self::Put, Self::Watch];
}

impl FaultyStore {
    /// Lets everything pass to `next`, until it is told otherwise.
    pub fn over(next: impl CertificateStore) -> Self {
        Self {
            next: Arc::new(next),
            plan: Arc::default(),
            state: Arc::default(),
            hanging: Arc::default(),
        }
    }

    /// What goes wrong with each call of an operation from now on, if anything.
    ///
    /// Calls that hang by an earlier word go on, or go wrong, as this one says.
    pub fn set(&self, operation: StoreOperation, mishap: Option<Mishap>) {
        let mut state = self.lock();
        match mishap {
            Some(mishap) => state.standing.insert(operation, mishap),
            None => state.standing.remove(&operation),
        };
        drop(state);
        self.plan.send_replace(());
    }

    /// What goes wrong with every call from now on, if anything: the store is down, or up again.
    pub fn set_all(&self, mishap: Option<Mishap>) {
        for operation in StoreOperation::ALL {
            self.set(operation, mishap);
        }
    }

    /// What goes wrong with the next call of an operation, or the next after those that
    /// already go wrong; one that hangs hangs for ever.
    pub fn spoil_next(&self, operation: StoreOperation, mishap: Mishap) {
        let mut state = self.lock();
        state.once.entry(operation).or_default().push_back(mishap);
    }

    /// Whether the entry of a name is shown as damaged from now on.
    pub fn set_damaged(&self, name: ServerName, damaged: bool) {
        let mut state = self.lock();
        match damaged {
            true => state.damaged.insert(name),
            false => state.damaged.remove(&name),
        };
    }

    /// Whether a name is not allowed from now on: neither accepted nor put.
    pub fn set_refused(&self, name: ServerName, refused: bool) {
        let mut state = self.lock();
        match refused {
            true => state.refused.insert(name),
            false => state.refused.remove(&name),
        };
    }

    /// How often an operation was called so far.
    #[must_use]
    pub fn count(&self, operation: StoreOperation) -> usize {
        self.lock().counts.get(&operation).copied().unwrap_or(0)
    }

    /// How many calls hang, watches aside.
    #[must_use]
    pub fn hanging(&self) -> usize {
        *self.hanging.borrow()
    }

    /// Waits until at least `count` calls hang.
    pub async fn wait_for_hanging(&self, count: usize) {
        let mut hanging = self.hanging.subscribe();
        // The sender lives as long as this store: there is no error to meet.
        let _ = hanging.wait_for(|now| *now >= count).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and takes what was meant for it alone.
    fn begin(&self, operation: StoreOperation) -> Option<Mishap> {
        let mut state = self.lock();
        *state.counts.entry(operation).or_default() += 1;
        state.once.get_mut(&operation)?.pop_front()
    }

    /// Comes back once nothing keeps the call any more; with whether it is to fail afterwards.
    async fn suffer(&self, operation: StoreOperation) -> Result<bool, StoreError> {
        let mut plan = self.plan.subscribe();
        let once = self.begin(operation);
        let mut hanging = None;
        loop {
            let standing = self.lock().standing.get(&operation).copied();
            match once.or(standing) {
                None => return Ok(false),
                Some(Mishap::Fail) => return Err(injected()),
                Some(Mishap::FailAfterwards) => return Ok(true),
                Some(Mishap::Panic) => panic_as_told("the store"),
                Some(Mishap::Hang) => {}
            }
            hanging.get_or_insert_with(|| Counted::new(&self.hanging));
            // The sender lives as long as this store: there is no error to meet.
            let _ = plan.changed().await;
        }
    }

    fn check_name(&self, name: &ServerName) -> Result<(), StoreError> {
        match self.lock().refused.contains(name) {
            true => Err(StoreError::NameNotAllowed { name: name.clone() }),
            false => Ok(()),
        }
    }
}

fn injected() -> StoreError {
    StoreError::Unavailable(InjectedFault.into())
}

/// Fails a call that has done its work, if it is to.
fn afterwards<T>(fails: bool, done: T) -> Result<T, StoreError> {
    match fails {
        true => Err(injected()),
        false => Ok(done),
    }
}

impl CertificateStore for FaultyStore {
    fn list(
        &self,
        after: Option<Cursor>,
    ) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
        Box::pin(async move {
            let fails = self.suffer(StoreOperation::List).await?;
            afterwards(fails, self.next.list(after).await?)
        })
    }

    fn get<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        Box::pin(async move {
            let fails = self.suffer(StoreOperation::Get).await?;
            let mut entry = self.next.get(name).await?;
            if let Some(entry) = &mut entry
                && self.lock().damaged.contains(name)
            {
                entry.contents = EntryState::Damaged(BundleError::Malformed);
            }
            afterwards(fails, entry)
        })
    }

    fn put<'a>(
        &'a self,
        name: &'a ServerName,
        bundle: &'a CertificateBundle,
        expected: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>> {
        Box::pin(async move {
            let fails = self.suffer(StoreOperation::Put).await?;
            self.check_name(name)?;
            let version = self.next.put(name, bundle, expected).await?;
            Ok(afterwards(fails, version)?)
        })
    }

    fn accepts<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let fails = self.suffer(StoreOperation::Accepts).await?;
            self.check_name(name)?;
            self.next.accepts(name).await?;
            afterwards(fails, ())
        })
    }

    fn watch(&self) -> BoxStream<'static, StoreEvent> {
        let once = self.begin(StoreOperation::Watch);
        let standing = self.lock().standing.get(&StoreOperation::Watch).copied();
        match once.or(standing) {
            None => self.next.watch(),
            Some(Mishap::Fail | Mishap::FailAfterwards) => Box::pin(stream::empty()),
            Some(Mishap::Hang) => Box::pin(stream::pending()),
            Some(Mishap::Panic) => panic_as_told("the store"),
        }
    }
}
