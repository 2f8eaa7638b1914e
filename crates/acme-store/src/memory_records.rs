//! A record store that ends with the process.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use acme_messages::{Clock, Timestamp, jose::BoxFuture};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use tokio::sync::broadcast::{self, error::RecvError};

pub use fault::{Fault, FaultPlan, Operation};
use state::{Held, State};

use crate::{
    Acquired, Capabilities, CommitError, Expect, Guard, Key, KeyPage, Lease, LeaseError, Life,
    NodeId, Op, Prefix, Record, RecordError, RecordEvent, RecordStore, Version, WatchKind,
    WriteError,
};

mod fault;
mod state;

/// A [`RecordStore`] in memory: for one process that need not remember, and for tests.
///
/// Clones share their records, as the nodes of a fleet do. Lives and leases end
/// by the given clock. [`RecordStore`] has an example, and [`FaultPlan`] one of how
/// it fails on demand.
#[derive(Clone, Debug)]
pub struct MemoryRecords {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
    events: broadcast::Sender<RecordEvent>,
    faults: FaultPlan,
}

impl MemoryRecords {
    /// How many changes a watcher may be behind before it is told to list again.
    pub const WATCH_BACKLOG: usize = 1024;

    const CAPABILITIES: Capabilities = {
        let mut capabilities = Capabilities::new(WatchKind::Native, Guard::Atomic);
        capabilities.ephemeral_ttl = true;
        capabilities
    };

    /// An empty store whose time is the clock's.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Arc::default(),
            events: broadcast::Sender::new(Self::WATCH_BACKLOG),
            faults: FaultPlan::new(),
        }
    }

    /// What goes wrong with this store and its clones; nothing, unless it is planned.
    #[must_use]
    pub const fn faults(&self) -> &FaultPlan {
        &self.faults
    }

    /// Damages a record, if there is one: to get it is [`RecordError::Corrupt`] until
    /// it is replaced.
    pub fn damage(&self, key: &Key) {
        self.lock().damage(key);
    }

    /// Keeps changes from all watchers, or shows them again, after a
    /// [`RecordEvent::Resync`]: what the loss of a connection does.
    pub fn set_watches_cut(&self, cut: bool) {
        let mut state = self.lock();
        let restored = state.watches_cut && !cut;
        state.watches_cut = cut;
        if restored {
            // Nobody listening is no fault.
            let _ = self.events.send(RecordEvent::Resync);
        }
    }

    /// How many watch.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.events.receiver_count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing below panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies all, each of which was checked, and tells the watchers.
    fn apply(&self, state: &mut State, ops: Vec<Op>) -> Vec<Option<Version>> {
        let now = self.clock.monotonic();
        let mut versions = Vec::with_capacity(ops.len());
        for op in ops {
            let (key, version) = match op {
                Op::Put {
                    key, value, life, ..
                } => {
                    let version = state.put(key.clone(), value, life, now);
                    (key, Some(version))
                }
                Op::Delete { key, .. } => {
                    state.remove(&key);
                    (key, None)
                }
            };
            versions.push(version.clone());
            if !state.watches_cut {
                // Nobody listening is no fault.
                let _ = self.events.send(RecordEvent::Changed { key, version });
            }
        }
        versions
    }

    fn write(&self, op: Op) -> Result<Option<Version>, WriteError> {
        let mut state = self.lock();
        state.check(&op, self.clock.monotonic())?;
        Ok(self.apply(&mut state, vec![op]).pop().flatten())
    }

    fn commit_now(&self, guard: &Lease, ops: Vec<Op>) -> Result<Vec<Option<Version>>, CommitError> {
        let limit = Self::CAPABILITIES.max_batch;
        if ops.len() > limit {
            return Err(CommitError::TooMany { limit });
        }
        let mut state = self.lock();
        let now = self.clock.monotonic();
        if state.held(guard, self.clock.monotonic()).is_none() {
            return Err(CommitError::Fenced);
        }
        for (at, op) in ops.iter().enumerate() {
            let key = op.key().clone();
            // Each refers to what is there before the commit: twice is once too many.
            if ops[..at].iter().any(|it| *it.key() == key) {
                return Err(CommitError::Conflict { key });
            }
            state.check(op, now).map_err(|it| it.in_commit(&key))?;
        }
        Ok(self.apply(&mut state, ops))
    }

    fn acquire_now(
        &self,
        name: &Key,
        owner: &NodeId,
        ttl: Duration,
        sent: Duration,
    ) -> Result<Acquired, RecordError> {
        let mut nonce = [0; Lease::NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|error| RecordError::Unavailable {
            maybe_applied: false,
            source: Some(error.into()),
        })?;
        let mut state = self.lock();
        let now = self.clock.monotonic();
        let mut epoch = 1;
        if let Some(held) = state.leases.get(name) {
            if held.nonce.is_some() && now < held.end {
                return Ok(Acquired::Held {
                    owner: held.owner.clone(),
                    since: Some(held.since),
                });
            }
            epoch += held.epoch;
        }
        let held = Held {
            owner: owner.clone(),
            epoch,
            nonce: Some(nonce),
            since: self.clock.now(),
            end: now.saturating_add(ttl),
        };
        state.leases.insert(name.clone(), held);
        let lease = Lease::new(name.clone(), owner.clone(), epoch, nonce, sent, ttl);
        Ok(Acquired::Granted(lease))
    }

    fn renew_now(&self, lease: Lease) -> Result<Lease, LeaseError> {
        let mut state = self.lock();
        let now = self.clock.monotonic();
        let held = state.held(&lease, now).ok_or(LeaseError::Lost)?;
        held.end = now.saturating_add(lease.ttl());
        Ok(lease)
    }

    fn release_now(&self, lease: &Lease) -> Result<(), LeaseError> {
        let mut state = self.lock();
        let now = self.clock.monotonic();
        state.held(lease, now).ok_or(LeaseError::Lost)?.nonce = None;
        Ok(())
    }
}

impl RecordStore for MemoryRecords {
    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }

    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, RecordError>> {
        let get = || self.lock().get(key, self.clock.monotonic());
        Box::pin(self.faults.apply(Operation::Get, get))
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: Bytes,
        expected: Expect,
        life: Life,
    ) -> BoxFuture<'a, Result<Version, WriteError>> {
        let key = key.clone();
        let op = Op::Put {
            key,
            value,
            expected,
            life,
        };
        let put = || self.write(op)?.ok_or(WriteError::Conflict);
        Box::pin(self.faults.apply(Operation::Put, put))
    }

    fn delete<'a>(
        &'a self,
        key: &'a Key,
        version: Version,
    ) -> BoxFuture<'a, Result<(), WriteError>> {
        let key = key.clone();
        let delete = || self.write(Op::Delete { key, version }).map(drop);
        Box::pin(self.faults.apply(Operation::Delete, delete))
    }

    fn list<'a>(
        &'a self,
        prefix: &'a Prefix,
        after: Option<Key>,
        limit: usize,
    ) -> BoxFuture<'a, Result<KeyPage, RecordError>> {
        let list = move || {
            let now = self.clock.monotonic();
            Ok(self.lock().page(prefix, after.as_ref(), limit, now))
        };
        Box::pin(self.faults.apply(Operation::List, list))
    }

    fn watch(&self, prefix: &Prefix) -> BoxStream<'static, Result<RecordEvent, RecordError>> {
        let events = self.events.subscribe();
        let prefix = prefix.clone();
        let later = stream::unfold((events, prefix), |(mut events, prefix)| async move {
            let event = loop {
                match events.recv().await {
                    Ok(RecordEvent::Changed { key, .. }) if !prefix.matches(&key) => {}
                    Ok(event) => break event,
                    Err(RecvError::Lagged(_)) => break RecordEvent::Resync,
                    Err(RecvError::Closed) => return None,
                }
            };
            Some((Ok(event), (events, prefix)))
        });
        let first = stream::once(std::future::ready(Ok(RecordEvent::Synced)));
        Box::pin(first.chain(later))
    }

    fn acquire<'a>(
        &'a self,
        name: &'a Key,
        owner: &'a NodeId,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Acquired, RecordError>> {
        let sent = self.clock.monotonic();
        let acquire = move || self.acquire_now(name, owner, ttl, sent);
        Box::pin(self.faults.apply(Operation::Acquire, acquire))
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Lease, LeaseError>> {
        let renewed = lease.sent_at(self.clock.monotonic());
        let renew = || self.renew_now(renewed);
        Box::pin(self.faults.apply(Operation::Renew, renew))
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), LeaseError>> {
        let release = move || self.release_now(&lease);
        Box::pin(self.faults.apply(Operation::Release, release))
    }

    fn commit<'a>(
        &'a self,
        guard: &'a Lease,
        ops: Vec<Op>,
    ) -> BoxFuture<'a, Result<Vec<Option<Version>>, CommitError>> {
        let commit = || self.commit_now(guard, ops);
        Box::pin(self.faults.apply(Operation::Commit, commit))
    }

    fn now(&self) -> BoxFuture<'_, Result<Option<Timestamp>, RecordError>> {
        let now = || Ok(Some(self.clock.now()));
        Box::pin(self.faults.apply(Operation::Now, now))
    }
}
