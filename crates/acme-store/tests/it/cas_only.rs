//! The trait fits an engine that has nothing but conditional writes of single records,
//! as object stores do: a lease is a record, and its end is seen by watching it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use acme_store::{
    Acquired, BoxFuture, BoxStream, Capabilities, CommitError, Expect, Guard, Key, KeyPage, Lease,
    LeaseError, Life, MemoryRecords, NodeId, Op, Prefix, Record, RecordError, RecordEvent,
    RecordStore, Version, WatchKind, WriteError,
    messages::{Clock, Timestamp},
};

use crate::{
    clock::TestClock,
    conformance::{Memory, check, done, suite},
};

/// Of the inner store's operations, only those of records are used.
#[derive(Debug)]
struct CasOnly {
    records: MemoryRecords,
    /// Another part of the engine, so that names and keys do not meet.
    leases: MemoryRecords,
    clock: TestClock,
    /// Since when, by this node's clock, a lease was not renewed.
    seen: Mutex<HashMap<Key, (Version, Duration)>>,
}

/// What a lease's record holds.
struct Kept {
    epoch: u64,
    nonce: [u8; Lease::NONCE_LENGTH],
    ttl: Duration,
    owner: NodeId,
}

impl Kept {
    fn bytes(&self) -> bytes::Bytes {
        let nonce = u128::from_be_bytes(self.nonce);
        let ttl = u64::try_from(self.ttl.as_nanos()).unwrap_or(u64::MAX);
        format!("{} {nonce} {ttl} {}", self.epoch, self.owner).into()
    }

    /// `None` once it was released.
    fn parse(record: &Record) -> Option<Self> {
        let text = std::str::from_utf8(&record.value).unwrap();
        let mut parts = text.splitn(4, ' ');
        let epoch = parts.next()?.parse().unwrap();
        let nonce: u128 = parts.next()?.parse().unwrap();
        Some(Self {
            epoch,
            nonce: nonce.to_be_bytes(),
            ttl: Duration::from_nanos(parts.next()?.parse().unwrap()),
            owner: parts.next()?.parse().unwrap(),
        })
    }

    fn epoch(record: &Record) -> u64 {
        let text = std::str::from_utf8(&record.value).unwrap();
        text.split(' ').next().unwrap().parse().unwrap()
    }
}

impl CasOnly {
    /// Whether a lease has been seen unchanged for its whole span.
    fn has_ended(&self, name: &Key, version: &Version, ttl: Duration) -> bool {
        let now = Clock::monotonic(&self.clock);
        let mut seen = self.seen.lock().unwrap();
        let first = seen
            .entry(name.clone())
            .or_insert_with(|| (version.clone(), now));
        if first.0 != *version {
            *first = (version.clone(), now);
        }
        now - first.1 >= ttl
    }

    async fn held(&self, lease: &Lease) -> Result<Option<(Kept, Version)>, RecordError> {
        let Some(record) = self.leases.get(lease.name()).await? else {
            return Ok(None);
        };
        let held = Kept::parse(&record).filter(|it| it.nonce == *lease.nonce());
        Ok(held.map(|it| (it, record.version)))
    }

    async fn change(&self, lease: &Lease, value: bytes::Bytes) -> Result<(), LeaseError> {
        let (_, version) = self.held(lease).await?.ok_or(LeaseError::Lost)?;
        let put = self
            .leases
            .put(lease.name(), value, version.into(), Life::Durable);
        put.await.map(drop).map_err(|error| match error {
            WriteError::Store(error) => error.into(),
            _ => LeaseError::Lost,
        })
    }
}

impl RecordStore for CasOnly {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(WatchKind::Native, Guard::RecordCas)
    }

    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, RecordError>> {
        self.records.get(key)
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: bytes::Bytes,
        expected: Expect,
        life: Life,
    ) -> BoxFuture<'a, Result<Version, WriteError>> {
        self.records.put(key, value, expected, life)
    }

    fn delete<'a>(
        &'a self,
        key: &'a Key,
        version: Version,
    ) -> BoxFuture<'a, Result<(), WriteError>> {
        self.records.delete(key, version)
    }

    fn list<'a>(
        &'a self,
        prefix: &'a Prefix,
        after: Option<Key>,
        limit: usize,
    ) -> BoxFuture<'a, Result<KeyPage, RecordError>> {
        self.records.list(prefix, after, limit)
    }

    fn watch(&self, prefix: &Prefix) -> BoxStream<'static, Result<RecordEvent, RecordError>> {
        self.records.watch(prefix)
    }

    fn acquire<'a>(
        &'a self,
        name: &'a Key,
        owner: &'a NodeId,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Acquired, RecordError>> {
        let sent = Clock::monotonic(&self.clock);
        Box::pin(async move {
            let mut nonce = [0; Lease::NONCE_LENGTH];
            getrandom::fill(&mut nonce).unwrap();
            let record = self.leases.get(name).await?;
            let mut expected = Expect::Absent;
            let mut epoch = 1;
            if let Some(record) = record {
                if let Some(kept) = Kept::parse(&record)
                    && !self.has_ended(name, &record.version, kept.ttl)
                {
                    let (owner, since) = (kept.owner, None);
                    return Ok(Acquired::Held { owner, since });
                }
                epoch = Kept::epoch(&record) + 1;
                expected = record.version.into();
            }
            let owner = owner.clone();
            let kept = Kept {
                epoch,
                nonce,
                ttl,
                owner,
            };
            match self
                .leases
                .put(name, kept.bytes(), expected, Life::Durable)
                .await
            {
                Ok(_) => {
                    let lease = Lease::new(name.clone(), kept.owner, epoch, nonce, sent, ttl);
                    Ok(Acquired::Granted(lease))
                }
                Err(WriteError::Store(error)) => Err(error),
                Err(_) => {
                    // Somebody was faster.
                    let record = self.leases.get(name).await?;
                    let holder = record.and_then(|it| Kept::parse(&it));
                    let owner = holder.map_or(kept.owner, |it| it.owner);
                    Ok(Acquired::Held { owner, since: None })
                }
            }
        })
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Lease, LeaseError>> {
        let renewed = lease.sent_at(Clock::monotonic(&self.clock));
        Box::pin(async move {
            let (kept, _) = self.held(lease).await?.ok_or(LeaseError::Lost)?;
            self.change(lease, kept.bytes()).await?;
            Ok(renewed)
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), LeaseError>> {
        Box::pin(async move {
            let free = lease.epoch().to_string().into();
            self.change(&lease, free).await
        })
    }

    fn commit<'a>(
        &'a self,
        guard: &'a Lease,
        ops: Vec<Op>,
    ) -> BoxFuture<'a, Result<Vec<Option<Version>>, CommitError>> {
        Box::pin(async move {
            let limit = self.capabilities().max_batch;
            if ops.len() > limit {
                return Err(CommitError::TooMany { limit });
            }
            if self.held(guard).await?.is_none() {
                return Err(CommitError::Fenced);
            }
            let mut versions = Vec::new();
            for op in ops {
                let key = op.key().clone();
                let done = match op {
                    Op::Put {
                        key,
                        value,
                        expected,
                        life,
                    } => self
                        .records
                        .put(&key, value, expected, life)
                        .await
                        .map(Some),
                    Op::Delete { key, version } => {
                        self.records.delete(&key, version).await.map(|()| None)
                    }
                };
                versions.push(done.map_err(|it| it.in_commit(&key))?);
            }
            Ok(versions)
        })
    }

    fn now(&self) -> BoxFuture<'_, Result<Option<Timestamp>, RecordError>> {
        Box::pin(async { Ok(None) })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditional_writes_of_single_records_are_enough() {
    let clock = TestClock::default();
    let (memory, leases) = (Memory::new(&clock), Memory::new(&clock));
    let (opening, given) = (memory.clone(), clock.clone());
    let suite = suite("CasOnly", &clock, move |namespace| {
        let store = CasOnly {
            records: opening.at(&namespace),
            leases: leases.at(&namespace),
            clock: given.clone(),
            seen: Mutex::default(),
        };
        done(Arc::new(store) as Arc<dyn RecordStore>)
    });
    let report = suite.keys(500).changes(2_000).run().await;
    let mut skipped = vec![
        "R2",
        "W5",
        "W7",
        "W10",
        "T4",
        "T5-restart",
        "T9",
        "T10",
        "G1",
        "G1-late",
        "G3",
        "G3-refused",
        "G6",
        "F1",
        "F2",
        "F3",
        "F4",
        "F5",
        "F7",
    ];
    if cfg!(not(feature = "sealed")) {
        skipped.push("S1");
    }
    check(&report, &skipped);
}
