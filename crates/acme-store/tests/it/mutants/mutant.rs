//! A store that is broken in one way.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use acme_store::{
    Acquired, BoxFuture, BoxStream, Capabilities, CommitError, Expect, Key, KeyPage, Lease,
    LeaseError, Life, MemoryRecords, NodeId, Op, Prefix, Record, RecordError, RecordEvent,
    RecordStore, Version, WriteError,
    messages::{Clock, Timestamp},
};

use super::{committing, watching};
use crate::{
    clock::TestClock,
    records::{key, prefix},
};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mutation {
    // Keys and values.
    MissingIsAnError,
    ValuesAreTrimmed,
    AnyLengthIsKept,
    CaseIsFolded,
    PrefixIsAPattern,
    PrefixIsADirectory,
    OneNamespace,
    // Versions.
    PutIsBlind,
    DeleteIsBlind,
    VersionsAreHashes,
    PutIsGetThenPut,
    RefusedPutIsTold,
    DroppedWriterLocks,
    // Listing.
    ListIsBackwards,
    PagesAreOffsets,
    ListLosesTheLast,
    ListIsStale,
    NoneIsListedOfNone,
    LargeLimitsAreRefused,
    // Reading.
    ReadsAreCached,
    // Watching.
    SyncedBeforeLive,
    DeletesAreSilent,
    EverythingIsTold,
    NoSynced,
    LossIsSilent,
    WatchLeaks,
    VersionsGoBack,
    OverflowIsSilent,
    WatchedPrefixIsAPattern,
    WatchedKeysAreLines,
    CommitIsSilent,
    WatchEndsInAnOutage,
    // Leases.
    NobodyIsRefused,
    OwnerMayReenter,
    LeaseNeverEnds,
    LeaseIsNotRenewed,
    EpochsStand,
    AnybodyMayRelease,
    CancelledAskersStay,
    LeaseEndsByTheWall,
    WhatHasEndedIsRenewed,
    LongSpansAreRefused,
    OwnersMayRelease,
    ReleaseIsTwoSteps,
    LifeEndsByTheWall,
    // Guards.
    NoGuard,
    CommitIsBlind,
    GuardAlone,
    CommitIsOneByOne,
    ForeignLeasesGuard,
    CommitOfNothingIsFree,
    GuardComesFirst,
    CommitDeletesBlindly,
    RefusedCommitIsTold,
    // Failing.
    DownIsMissing,
    DamageHidesAll,
    DamageIsNotListed,
    DebugShowsSecret,
    NothingEnds,
    AllEnds,
    LostAnswersAreFailures,
    LostWritesAreRepeated,
    FirstLifeCounts,
    CommitsLiveForEver,
}

use Mutation as M;

/// What all handles of a namespace share.
pub(super) struct Shared {
    pub(super) inner: MemoryRecords,
    /// The last version of equal bytes.
    pub(super) hashes: Mutex<HashMap<Version, Version>>,
    pub(super) cancelled: Mutex<Option<Lease>>,
    /// The lease that was granted last.
    pub(super) last: Mutex<Option<Lease>>,
    /// What writers have locked.
    pub(super) locked: Mutex<HashSet<Key>>,
    /// What nobody is told of.
    pub(super) silent: Mutex<HashSet<Key>>,
    /// How long records were to live when they were made.
    pub(super) lives: Mutex<HashMap<Key, Life>>,
    /// When records end by a clock that can be set.
    pub(super) ends: Mutex<HashMap<Key, Timestamp>>,
    /// Watches that were never given up.
    pub(super) leaked: Mutex<Vec<BoxStream<'static, ()>>>,
    pub(super) extra: tokio::sync::broadcast::Sender<RecordEvent>,
}

pub(super) struct Mutant {
    pub(super) mutation: Mutation,
    pub(super) clock: TestClock,
    pub(super) shared: Arc<Shared>,
    pub(super) cache: Mutex<HashMap<Key, Record>>,
}

impl std::fmt::Debug for Mutant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is(M::DebugShowsSecret) {
            "hunter2"
        } else {
            "Mutant"
        })
    }
}

impl Mutant {
    pub(super) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == mutation
    }

    pub(super) fn inner(&self) -> &MemoryRecords {
        &self.shared.inner
    }

    fn key(&self, key: &Key) -> Key {
        match self.mutation {
            M::CaseIsFolded => key.as_str().to_lowercase().parse().unwrap(),
            _ => key.clone(),
        }
    }

    /// The version that a writer is given, for what memory gives.
    fn told(&self, value: &[u8], version: Version) -> Version {
        if !self.is(M::VersionsAreHashes) {
            return version;
        }
        let hash = Version::new([b"hash".as_slice(), &value[..value.len().min(64)]].concat());
        self.shared
            .hashes
            .lock()
            .unwrap()
            .insert(hash.clone(), version);
        hash
    }

    fn meant(&self, expected: Expect) -> Expect {
        match expected {
            Expect::Version(told) => {
                let hashes = self.shared.hashes.lock().unwrap();
                hashes.get(&told).cloned().unwrap_or(told).into()
            }
            absent => absent,
        }
    }

    pub(super) async fn current(&self, key: &Key) -> Expect {
        let record = self.inner().get(key).await.ok().flatten();
        record.map_or(Expect::Absent, |it| it.version.into())
    }
}

impl RecordStore for Mutant {
    fn capabilities(&self) -> Capabilities {
        self.inner().capabilities()
    }

    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, RecordError>> {
        Box::pin(async move {
            let key = self.key(key);
            if self.is(M::ReadsAreCached)
                && let Some(cached) = self.cache.lock().unwrap().get(&key)
            {
                return Ok(Some(cached.clone()));
            }
            let ends = self.shared.ends.lock().unwrap().get(&key).copied();
            if ends.is_some_and(|it| it < Clock::now(&self.clock)) {
                return Ok(None);
            }
            let mut got = self.inner().get(&key).await;
            match (self.mutation, &mut got) {
                (M::DownIsMissing, Err(_)) => return Ok(None),
                (M::MissingIsAnError, Ok(None)) => return Err(RecordError::denied("missing")),
                (M::ValuesAreTrimmed, Ok(Some(record))) => {
                    while record.value.last() == Some(&0xff) {
                        record.value.truncate(record.value.len() - 1);
                    }
                }
                (M::ReadsAreCached, Ok(Some(record))) => {
                    self.cache.lock().unwrap().insert(key, record.clone());
                }
                (M::VersionsAreHashes, Ok(Some(record))) => {
                    record.version = self.told(&record.value, record.version.clone());
                }
                (M::DamageHidesAll, Ok(_)) if self.inner().get(&self::key("b")).await.is_err() => {
                    return Err(RecordError::Corrupt { key });
                }
                _ => {}
            }
            got
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: bytes::Bytes,
        expected: Expect,
        life: Life,
    ) -> BoxFuture<'a, Result<Version, WriteError>> {
        Box::pin(async move {
            let key = self.key(key);
            let mut life = life;
            let mut expected = self.meant(expected);
            let mut value = value;
            match self.mutation {
                M::PutIsBlind => expected = self.current(&key).await,
                M::PutIsGetThenPut => {
                    let seen = self.current(&key).await;
                    if seen != expected {
                        return Err(WriteError::Conflict);
                    }
                    tokio::task::yield_now().await;
                    expected = self.current(&key).await;
                }
                M::AnyLengthIsKept => value.truncate(self.capabilities().max_value),
                M::NothingEnds => life = Life::Durable,
                M::AllEnds => life = Life::Ephemeral(Duration::from_secs(300)),
                M::FirstLifeCounts => {
                    let mut lives = self.shared.lives.lock().unwrap();
                    if expected == Expect::Absent {
                        lives.insert(key.clone(), life);
                    }
                    life = lives.get(&key).copied().unwrap_or(life);
                }
                M::LifeEndsByTheWall => {
                    if let Life::Ephemeral(span) = life {
                        let end = Clock::now(&self.clock) + span;
                        self.shared.ends.lock().unwrap().insert(key.clone(), end);
                    }
                }
                M::LongSpansAreRefused if life == Life::Ephemeral(Duration::MAX) => {
                    return Err(RecordError::unavailable(false, "out of range").into());
                }
                M::DroppedWriterLocks => {
                    if !self.shared.locked.lock().unwrap().insert(key.clone()) {
                        return Err(RecordError::unavailable(false, "it is locked").into());
                    }
                    tokio::task::yield_now().await;
                }
                _ => {}
            }
            let mut put = self
                .inner()
                .put(&key, value.clone(), expected.clone(), life)
                .await;
            self.shared.locked.lock().unwrap().remove(&key);
            if let Err(WriteError::Store(RecordError::Unavailable { maybe_applied, .. })) = &mut put
            {
                match self.mutation {
                    M::LostAnswersAreFailures => *maybe_applied = false,
                    M::LostWritesAreRepeated => {
                        put = self.inner().put(&key, value.clone(), expected, life).await;
                    }
                    _ => {}
                }
            }
            if self.is(M::RefusedPutIsTold) && put.is_err() {
                let version = Some(Version::new(*b"refused"));
                let _ = self
                    .shared
                    .extra
                    .send(RecordEvent::Changed { key, version });
            }
            put.map(|version| self.told(&value, version))
        })
    }

    fn delete<'a>(
        &'a self,
        key: &'a Key,
        version: Version,
    ) -> BoxFuture<'a, Result<(), WriteError>> {
        Box::pin(async move {
            let expected = if self.is(M::DeleteIsBlind) {
                self.current(key).await
            } else {
                self.meant(version.into())
            };
            let Expect::Version(version) = expected else {
                return Ok(());
            };
            self.inner().delete(&self.key(key), version).await
        })
    }

    fn list<'a>(
        &'a self,
        below: &'a Prefix,
        after: Option<Key>,
        limit: usize,
    ) -> BoxFuture<'a, Result<KeyPage, RecordError>> {
        Box::pin(async move {
            let inner = self.inner();
            let text = below.as_str();
            let mut page = match self.mutation {
                M::PrefixIsAPattern if text.contains(['_', '%']) => {
                    let head = prefix(text.split(['_', '%']).next().unwrap());
                    inner.list(&head, after, limit).await?
                }
                M::PrefixIsADirectory => {
                    let below = prefix(text.trim_end_matches('/'));
                    inner.list(&below, after, limit).await?
                }
                M::NoneIsListedOfNone if limit == 0 => KeyPage::last(vec![]),
                M::LargeLimitsAreRefused if limit > 1_000_000 => {
                    return Err(RecordError::unavailable(false, "out of range"));
                }
                M::PagesAreOffsets => {
                    // How many were listed before, in the guise of a key.
                    let listed = inner.list(below, None, usize::MAX).await?.items;
                    let skip: usize = after.map_or(0, |it| it.as_str().parse().unwrap());
                    let next = skip + limit;
                    let more = (next < listed.len()).then(|| key(&next.to_string()));
                    let items = listed.into_iter().skip(skip).take(limit).collect();
                    KeyPage { items, next: more }
                }
                M::DownIsMissing => match inner.list(below, after, limit).await {
                    Ok(page) => page,
                    Err(_) => KeyPage::last(vec![]),
                },
                _ => inner.list(below, after, limit).await?,
            };
            match self.mutation {
                M::ListIsBackwards => page.items.reverse(),
                M::ListLosesTheLast if page.next.is_none() && page.items.len() > 1 => {
                    page.items.pop();
                }
                M::ListIsStale => {
                    for (_, version) in &mut page.items {
                        *version = Version::new(*b"of before");
                    }
                }
                M::DamageIsNotListed => {
                    let mut sound = Vec::new();
                    for (key, version) in page.items {
                        if inner.get(&key).await.is_ok() {
                            sound.push((key, version));
                        }
                    }
                    page.items = sound;
                }
                _ => {}
            }
            Ok(page)
        })
    }

    fn watch(&self, below: &Prefix) -> BoxStream<'static, Result<RecordEvent, RecordError>> {
        watching::watch(self, below)
    }

    fn acquire<'a>(
        &'a self,
        name: &'a Key,
        owner: &'a NodeId,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Acquired, RecordError>> {
        Box::pin(async move {
            let inner = self.inner();
            if self.is(M::LongSpansAreRefused) && ttl == Duration::MAX {
                return Err(RecordError::unavailable(false, "out of range"));
            }
            let never = Duration::from_secs(1_000_000_000);
            let ttl_kept = match self.mutation {
                M::LeaseNeverEnds => never,
                // Counted by a clock that can be set.
                M::LeaseEndsByTheWall => ttl.min(Duration::from_secs(60)),
                _ => ttl,
            };
            let parked = self.shared.cancelled.lock().unwrap().take();
            if let Some(lease) = parked {
                *self.shared.cancelled.lock().unwrap() = Some(lease);
                let since = None;
                let owner = "gone".parse().unwrap();
                return Ok(Acquired::Held { owner, since });
            }
            let acquired = inner.acquire(name, owner, ttl_kept).await?;
            if let Acquired::Granted(lease) = &acquired {
                *self.shared.last.lock().unwrap() = Some(lease.clone());
            }
            if self.is(M::CancelledAskersStay) && owner.as_str() == "gone" {
                // It goes on asking when nobody waits any more.
                let lease = Lease::new(name.clone(), owner.clone(), 0, [0; 16], ttl, ttl);
                *self.shared.cancelled.lock().unwrap() = Some(lease);
            }
            let monotonic = Clock::monotonic(&self.clock);
            let again = |epoch, nonce| {
                let (name, owner) = (name.clone(), owner.clone());
                let lease = Lease::new(name, owner, epoch, nonce, monotonic, ttl);
                Acquired::Granted(lease)
            };
            Ok(match (self.mutation, acquired) {
                (M::NobodyIsRefused, Acquired::Held { .. }) => again(99, [9; 16]),
                (M::OwnerMayReenter, Acquired::Held { owner: holder, .. }) if holder == *owner => {
                    again(99, [9; 16])
                }
                (M::EpochsStand, Acquired::Granted(lease)) => again(1, *lease.nonce()),
                (
                    M::LeaseEndsByTheWall,
                    Acquired::Held {
                        since: Some(since), ..
                    },
                ) if Clock::now(&self.clock).duration_since(since).as_secs() > 60 => {
                    again(99, [9; 16])
                }
                (_, acquired) => acquired,
            })
        })
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Lease, LeaseError>> {
        Box::pin(async move {
            if self.is(M::LeaseIsNotRenewed) {
                return Ok(lease.sent_at(Clock::monotonic(&self.clock)));
            }
            let renewed = self.inner().renew(lease).await;
            if self.is(M::WhatHasEndedIsRenewed) && renewed.is_err() {
                // Nobody has taken it, so it is his again.
                let (name, owner) = (lease.name(), lease.owner());
                if let Acquired::Granted(_) = self.inner().acquire(name, owner, lease.ttl()).await?
                {
                    return Ok(lease.sent_at(Clock::monotonic(&self.clock)));
                }
            }
            renewed
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), LeaseError>> {
        Box::pin(async move {
            let (name, owner) = (lease.name().clone(), lease.owner().clone());
            let mut lease = lease;
            if self.is(M::ReleaseIsTwoSteps) {
                self.inner().renew(&lease).await?;
                tokio::task::yield_now().await;
                let last = self.shared.last.lock().unwrap().clone();
                lease = last.unwrap_or(lease);
            }
            match self.inner().release(lease).await {
                Err(LeaseError::Lost)
                    if self.is(M::AnybodyMayRelease) || self.is(M::NobodyIsRefused) =>
                {
                    Ok(())
                }
                Err(LeaseError::Lost) if self.is(M::OwnersMayRelease) => {
                    let held = self.inner().acquire(&name, &owner, Duration::ZERO).await?;
                    match held {
                        Acquired::Held { owner: it, .. } if it == owner => Ok(()),
                        _ => Err(LeaseError::Lost),
                    }
                }
                result => result,
            }
        })
    }
    fn commit<'a>(
        &'a self,
        guard: &'a Lease,
        ops: Vec<Op>,
    ) -> BoxFuture<'a, Result<Vec<Option<Version>>, CommitError>> {
        Box::pin(committing::commit(self, guard, ops))
    }

    fn now(&self) -> BoxFuture<'_, Result<Option<Timestamp>, RecordError>> {
        self.inner().now()
    }
}
