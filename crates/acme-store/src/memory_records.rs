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

use state::{Held, State};

use crate::{
    Acquired, Capabilities, CommitError, Expect, Guard, Key, KeyPage, Lease, LeaseError, Life,
    NodeId, Op, Prefix, Record, RecordError, RecordEvent, RecordStore, Version, WatchKind,
    WriteError,
};

mod state;

/// A [`RecordStore`] in memory: for one process that need not remember, and for tests.
///
/// Clones share their records, as the nodes of a fleet do. Lives and leases end
/// by the given clock. [`RecordStore`] has an example.
#[derive(Clone, Debug)]
pub struct MemoryRecords {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
    events: broadcast::Sender<(Key, Option<Version>)>,
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
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing below panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies all, each of which was checked, and tells the watchers.
    fn apply(&self, state: &mut State, ops: Vec<Op>) -> Vec<Option<Version>> {
        let now = self.clock.now();
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
            // Nobody listening is no fault.
            let _ = self.events.send((key, version.clone()));
            versions.push(version);
        }
        versions
    }

    fn write(&self, op: Op) -> Result<Option<Version>, WriteError> {
        let mut state = self.lock();
        state.check(&op, self.clock.now())?;
        Ok(self.apply(&mut state, vec![op]).pop().flatten())
    }

    fn commit_now(&self, guard: &Lease, ops: Vec<Op>) -> Result<Vec<Option<Version>>, CommitError> {
        let limit = Self::CAPABILITIES.max_batch;
        if ops.len() > limit {
            return Err(CommitError::TooMany { limit });
        }
        let mut state = self.lock();
        let now = self.clock.now();
        if state.held(guard, self.clock.monotonic()).is_none() {
            return Err(CommitError::Fenced);
        }
        for (at, op) in ops.iter().enumerate() {
            let key = op.key().clone();
            // Each refers to what is there before the commit: twice is once too many.
            if ops[..at].iter().any(|it| *it.key() == key) {
                return Err(CommitError::Conflict { key });
            }
            state.check(op, now).map_err(|error| match error {
                WriteError::Conflict => CommitError::Conflict { key },
                WriteError::TooLarge { limit } => CommitError::TooLarge { key, limit },
                WriteError::Store(error) => CommitError::Store(error),
            })?;
        }
        Ok(self.apply(&mut state, ops))
    }

    fn acquire_now(
        &self,
        name: &Key,
        owner: &NodeId,
        ttl: Duration,
    ) -> Result<Acquired, RecordError> {
        let mut nonce = [0; Lease::NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|error| RecordError::Unavailable {
            maybe_applied: false,
            source: Some(error.into()),
        })?;
        let sent = self.clock.monotonic();
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

    fn renew_now(&self, lease: &Lease) -> Result<Lease, LeaseError> {
        let sent = self.clock.monotonic();
        let mut state = self.lock();
        let now = self.clock.monotonic();
        let held = state.held(lease, now).ok_or(LeaseError::Lost)?;
        held.end = now.saturating_add(lease.ttl());
        Ok(lease.sent_at(sent))
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
        Box::pin(async move { Ok(self.lock().live(key, self.clock.now()).cloned()) })
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
        Box::pin(async move { self.write(op)?.ok_or(WriteError::Conflict) })
    }

    fn delete<'a>(
        &'a self,
        key: &'a Key,
        version: Version,
    ) -> BoxFuture<'a, Result<(), WriteError>> {
        let key = key.clone();
        Box::pin(async move { self.write(Op::Delete { key, version }).map(drop) })
    }

    fn list<'a>(
        &'a self,
        prefix: &'a Prefix,
        after: Option<Key>,
        limit: usize,
    ) -> BoxFuture<'a, Result<KeyPage, RecordError>> {
        Box::pin(async move {
            let now = self.clock.now();
            Ok(self.lock().page(prefix, after.as_ref(), limit, now))
        })
    }

    fn watch(&self, prefix: &Prefix) -> BoxStream<'static, Result<RecordEvent, RecordError>> {
        let events = self.events.subscribe();
        let prefix = prefix.clone();
        let later = stream::unfold((events, prefix), |(mut events, prefix)| async move {
            let event = loop {
                match events.recv().await {
                    Ok((key, version)) if prefix.matches(&key) => {
                        break RecordEvent::Changed { key, version };
                    }
                    Ok(_) => {}
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
        Box::pin(async move { self.acquire_now(name, owner, ttl) })
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Lease, LeaseError>> {
        Box::pin(async move { self.renew_now(lease) })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), LeaseError>> {
        Box::pin(async move { self.release_now(&lease) })
    }

    fn commit<'a>(
        &'a self,
        guard: &'a Lease,
        ops: Vec<Op>,
    ) -> BoxFuture<'a, Result<Vec<Option<Version>>, CommitError>> {
        Box::pin(async move { self.commit_now(guard, ops) })
    }

    fn now(&self) -> BoxFuture<'_, Result<Option<Timestamp>, RecordError>> {
        Box::pin(async { Ok(Some(self.clock.now())) })
    }
}
