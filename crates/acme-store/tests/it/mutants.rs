//! Stores that are broken in one way each fail the checks for it: the suite can fail.

use std::{
    collections::HashMap,
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use acme_store::{
    Acquired, BoxFuture, BoxStream, Capabilities, CommitError, Expect, Key, KeyPage, Lease,
    LeaseError, Life, MemoryRecords, NodeId, Op, Prefix, Record, RecordError, RecordEvent,
    RecordStore, Version, WriteError,
    conformance::{Outcome, Report},
    messages::{Clock, Timestamp},
};
use futures_util::{StreamExt, stream};

use crate::{
    clock::TestClock,
    conformance::{Memory, done, suite},
    records::{key, prefix},
};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mutation {
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
    // Listing.
    ListIsBackwards,
    PagesAreOffsets,
    ListLosesTheLast,
    ListIsStale,
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
    // Leases.
    NobodyIsRefused,
    OwnerMayReenter,
    LeaseNeverEnds,
    LeaseIsNotRenewed,
    EpochsStand,
    AnybodyMayRelease,
    CancelledAskersStay,
    LeaseEndsByTheWall,
    // Guards.
    NoGuard,
    CommitIsBlind,
    GuardAlone,
    CommitIsOneByOne,
    ForeignLeasesGuard,
    // Failing.
    DownIsMissing,
    DamageHidesAll,
    DamageIsNotListed,
    DebugShowsSecret,
    NothingEnds,
    AllEnds,
}

use Mutation as M;

/// What all handles of a namespace share.
struct Shared {
    inner: MemoryRecords,
    /// The last version of equal bytes.
    hashes: Mutex<HashMap<Version, Version>>,
    cancelled: Mutex<Option<Lease>>,
    /// Watches that were never given up.
    leaked: Mutex<Vec<BoxStream<'static, ()>>>,
    extra: tokio::sync::broadcast::Sender<RecordEvent>,
}

struct Mutant {
    mutation: Mutation,
    clock: TestClock,
    shared: Arc<Shared>,
    cache: Mutex<HashMap<Key, Record>>,
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
    fn is(&self, mutation: Mutation) -> bool {
        self.mutation == mutation
    }

    fn inner(&self) -> &MemoryRecords {
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

    async fn current(&self, key: &Key) -> Expect {
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
                M::AllEnds => life = Life::Ephemeral(Duration::from_secs(600)),
                _ => {}
            }
            let put = self.inner().put(&key, value.clone(), expected, life).await;
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
        let mutation = self.mutation;
        let below = if mutation == M::EverythingIsTold {
            prefix("")
        } else {
            below.clone()
        };
        let inner = self.inner().watch(&below);
        let extra = stream::unfold(self.shared.extra.subscribe(), |mut extra| async {
            Some((Ok(extra.recv().await.ok()?), extra))
        });
        if mutation == M::WatchLeaks {
            let leaked = self.inner().watch(&below).map(drop);
            self.shared.leaked.lock().unwrap().push(Box::pin(leaked));
        }
        if mutation == M::SyncedBeforeLive {
            // It subscribes with the second poll.
            let shared = Arc::clone(&self.shared);
            let first = stream::once(ready(Ok(RecordEvent::Synced)));
            let later = stream::once(async move {
                tokio::task::yield_now().await;
                shared.inner.watch(&below).skip(1)
            });
            return Box::pin(first.chain(later.flatten()));
        }
        let mut first_version = None;
        let events = stream::select(inner, extra).filter_map(move |event| {
            let event = event.map(|event| match (mutation, event) {
                (M::DeletesAreSilent, RecordEvent::Changed { version: None, .. })
                | (M::LossIsSilent | M::OverflowIsSilent, RecordEvent::Resync)
                | (M::NoSynced, RecordEvent::Synced) => None,
                (M::VersionsGoBack, RecordEvent::Changed { key, version }) => {
                    let first = first_version.get_or_insert_with(|| version.clone()).clone();
                    let even = version.as_ref().is_some_and(|it| it.as_bytes()[7] % 2 == 0);
                    let version = if even { first } else { version };
                    Some(RecordEvent::Changed { key, version })
                }
                (_, event) => Some(event),
            });
            ready(event.transpose())
        });
        Box::pin(events)
    }

    fn acquire<'a>(
        &'a self,
        name: &'a Key,
        owner: &'a NodeId,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Acquired, RecordError>> {
        Box::pin(async move {
            let inner = self.inner();
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
            self.inner().renew(lease).await
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), LeaseError>> {
        Box::pin(async move {
            match self.inner().release(lease).await {
                Err(LeaseError::Lost)
                    if self.is(M::AnybodyMayRelease) || self.is(M::NobodyIsRefused) =>
                {
                    Ok(())
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
        Box::pin(async move {
            let inner = self.inner();
            let name: Key = "the mutant's".parse().unwrap();
            let node = "mutant".parse().unwrap();
            let ttl = Duration::from_secs(1);
            match self.mutation {
                M::NoGuard => {
                    let own = inner.acquire(&name, &node, ttl).await?;
                    let Acquired::Granted(own) = own else {
                        return Err(CommitError::Fenced);
                    };
                    let done = inner.commit(&own, ops).await;
                    inner.release(own).await.unwrap();
                    done
                }
                M::ForeignLeasesGuard if inner.renew(guard).await.is_err() => {
                    // Whoever shows a lease of a name that is held is taken for its holder.
                    let held = inner.acquire(guard.name(), &node, ttl).await?;
                    if let Acquired::Granted(free) = held {
                        inner.release(free).await.unwrap();
                        return Err(CommitError::Fenced);
                    }
                    for op in ops {
                        if let Op::Put {
                            key,
                            value,
                            expected,
                            life,
                        } = op
                        {
                            let _ = inner.put(&key, value, expected, life).await;
                        }
                    }
                    Ok(vec![None])
                }
                M::GuardAlone | M::CommitIsBlind => {
                    let mut blind = Vec::new();
                    for op in ops {
                        blind.push(match op {
                            Op::Put {
                                key, value, life, ..
                            } => {
                                let expected = self.current(&key).await;
                                Op::Put {
                                    key,
                                    value,
                                    expected,
                                    life,
                                }
                            }
                            delete => delete,
                        });
                    }
                    if self.is(M::GuardAlone) {
                        return inner.commit(guard, blind).await;
                    }
                    for op in blind {
                        if let Op::Put {
                            key,
                            value,
                            expected,
                            life,
                        } = op
                        {
                            inner.put(&key, value, expected, life).await.unwrap();
                        }
                    }
                    Ok(vec![None])
                }
                M::CommitIsOneByOne => {
                    let mut versions = Vec::new();
                    for op in ops {
                        versions.extend(inner.commit(guard, vec![op]).await?);
                    }
                    Ok(versions)
                }
                _ => inner.commit(guard, ops).await,
            }
        })
    }

    fn now(&self) -> BoxFuture<'_, Result<Option<Timestamp>, RecordError>> {
        self.inner().now()
    }
}

async fn report(mutation: Mutation, ids: &[&str]) -> Report {
    let clock = TestClock::default();
    let memory = Memory::new(&clock);
    let shared = Arc::new(Mutex::new(HashMap::<String, Arc<Shared>>::new()));
    let opening = memory.clone();
    let given = clock.clone();
    let open = move |namespace: String| {
        let namespace = match mutation {
            M::OneNamespace => "all".to_owned(),
            _ => namespace,
        };
        let mut shared = shared.lock().unwrap();
        let shared = shared.entry(namespace.clone()).or_insert_with(|| {
            Arc::new(Shared {
                inner: opening.at(&namespace),
                hashes: Mutex::default(),
                cancelled: Mutex::default(),
                leaked: Mutex::default(),
                extra: tokio::sync::broadcast::Sender::new(16),
            })
        });
        Mutant {
            mutation,
            clock: given.clone(),
            shared: Arc::clone(shared),
            cache: Mutex::default(),
        }
    };
    let opened = open.clone();
    let suite = suite(&format!("{mutation:?}"), &clock, move |namespace| {
        done(Arc::new(open(namespace)) as Arc<dyn RecordStore>)
    });
    let suite = suite.intruder(&["hunter2"], move |namespace| {
        done(Arc::new(opened(namespace)) as Arc<dyn RecordStore>)
    });
    // An event that does not come is waited for.
    let suite = memory
        .hooked(suite)
        .bound(Duration::from_millis(300))
        .keys(100)
        .changes(2_000);
    suite.only(ids).run().await
}

/// Each of these checks must fail.
async fn check(mutation: Mutation, ids: &[&str]) {
    let report = report(mutation, ids).await;
    for id in ids {
        let failed = matches!(report.outcome(id), Some(Outcome::Failed { .. }));
        assert!(failed, "{id} sees nothing\n{report}");
    }
}

#[tokio::test]
async fn of_keys_and_values() {
    check(M::MissingIsAnError, &["K1"]).await;
    check(M::ValuesAreTrimmed, &["K2"]).await;
    check(M::AnyLengthIsKept, &["K2"]).await;
    check(M::CaseIsFolded, &["K3"]).await;
    check(M::PrefixIsAPattern, &["K4"]).await;
    check(M::PrefixIsADirectory, &["K4"]).await;
    check(M::OneNamespace, &["K5", "G5"]).await;
}

#[tokio::test]
async fn of_versions() {
    check(M::PutIsBlind, &["V1", "V2", "V4", "V6"]).await;
    check(M::DeleteIsBlind, &["V3"]).await;
    check(M::VersionsAreHashes, &["V4", "V5"]).await;
    check(M::PutIsGetThenPut, &["V1", "V6"]).await;
    check(M::RefusedPutIsTold, &["V7"]).await;
}

#[tokio::test]
async fn of_listing_and_reading() {
    check(M::ListIsBackwards, &["L1"]).await;
    check(M::PagesAreOffsets, &["L2"]).await;
    check(M::ListLosesTheLast, &["L1", "L2"]).await;
    check(M::ListIsStale, &["L3"]).await;
    check(M::ReadsAreCached, &["R1"]).await;
}

#[tokio::test]
async fn of_watching() {
    check(M::SyncedBeforeLive, &["W1"]).await;
    check(M::NoSynced, &["W1", "W2"]).await;
    check(M::DeletesAreSilent, &["W3"]).await;
    check(M::EverythingIsTold, &["W4"]).await;
    check(M::LossIsSilent, &["W5"]).await;
    check(M::OverflowIsSilent, &["W6"]).await;
    check(M::WatchLeaks, &["W7"]).await;
    check(M::VersionsGoBack, &["W8"]).await;
}

#[tokio::test]
async fn of_leases() {
    check(M::NobodyIsRefused, &["T1", "T2", "T3"]).await;
    check(M::OwnerMayReenter, &["T2"]).await;
    check(M::LeaseNeverEnds, &["T3", "T6", "T9"]).await;
    check(M::LeaseIsNotRenewed, &["T3"]).await;
    check(M::EpochsStand, &["T5"]).await;
    check(M::AnybodyMayRelease, &["T6"]).await;
    check(M::CancelledAskersStay, &["T7"]).await;
    check(M::LeaseEndsByTheWall, &["T8"]).await;
}

#[tokio::test]
async fn of_guards() {
    check(M::NoGuard, &["G1-late", "G2", "G5"]).await;
    check(M::CommitIsBlind, &["G1-late", "G2", "G4"]).await;
    check(M::GuardAlone, &["G2"]).await;
    check(M::CommitIsOneByOne, &["G3-refused"]).await;
    check(M::ForeignLeasesGuard, &["G1-late", "G5"]).await;
}

#[tokio::test]
async fn of_failing() {
    check(M::DownIsMissing, &["F1"]).await;
    check(M::DamageHidesAll, &["F3"]).await;
    check(M::DamageIsNotListed, &["F3"]).await;
    check(M::DebugShowsSecret, &["F4"]).await;
    check(M::NothingEnds, &["F6"]).await;
    check(M::AllEnds, &["F6"]).await;
}

#[cfg(feature = "sealed")]
#[tokio::test]
async fn of_what_sealing_needs() {
    check(M::PutIsBlind, &["S1"]).await;
}
