//! Certificates in any record store: for fleets, and beside what else is remembered.

use std::sync::Arc;

use acme_messages::{ServerName, jose::BoxFuture};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};

pub use generation::Generation;
use generation::GenerationId;
pub use metadata::{InvalidMetadata, Metadata};
use pointer::{Kept, Pointer};
pub use rollback::RollbackError;

use crate::{
    BundleError, CertificateBundle, CertificateStore, Cursor, Entry, EntryState, Expect, Key, Life,
    Listed, Page, Prefix, PutError, RecordError, RecordEvent, RecordStore, StoreError, StoreEvent,
    Version, WriteError,
};

mod generation;
mod metadata;
mod pointer;
mod rollback;

/// Where the records that names point with are, a key for each name.
const POINTERS: &str = "v1/certs/";

/// Where the values are, a key for each name and generation.
const GENERATIONS: &str = "v1/generations/";

/// A [`CertificateStore`] over any [`RecordStore`].
///
/// A certificate is one value: key, chain and [`Metadata`]. Each that is put is a
/// new *generation*: it is written beside the others, read back, parsed, and found to
/// be what was to be written; only then the name's record is moved to it, if that
/// still is what was expected. A failure, or an end of the process, at whatever point
/// leaves the old generation in its place, or the new one. The last ones stay, so that
/// [`rollback`](Self::rollback) is one call.
///
/// The record store sees private keys: `SealedRecords` (the feature `sealed`) keeps
/// them from it.
///
/// ```
/// use std::sync::Arc;
/// use acme_store::{
///     CertificateBundle, CertificateStore, EntryState, MemoryRecords, RecordCertificates,
///     messages::ServerName,
/// };
/// # use std::time::Duration;
/// # use acme_store::{BoxFuture, messages::{Clock, Timestamp}};
/// # #[derive(Debug)]
/// # struct StoppedClock;
/// # impl Clock for StoppedClock {
/// #     fn now(&self) -> Timestamp { Timestamp::UNIX_EPOCH }
/// #     fn monotonic(&self) -> Duration { Duration::ZERO }
/// #     fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> { Box::pin(std::future::pending()) }
/// # }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let pem = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/www.example.com.pem"));
/// let records = MemoryRecords::new(Arc::new(StoppedClock));
/// let store = RecordCertificates::new(records);
/// let name: ServerName = "www.example.com".parse()?;
/// store.request(&name).await?;
/// let asked = store.get(&name).await?.expect("it was just asked for");
/// assert_eq!(asked.contents, EntryState::Blank);
///
/// let bundle = CertificateBundle::from_pem(pem)?;
/// let version = store.put(&name, &bundle, asked.version.into()).await?;
/// store.put(&name, &bundle, version.into()).await?;
/// let generations = store.generations(&name).await?;
/// assert_eq!(generations.len(), 2);
///
/// store.rollback(&name).await?;
/// assert_eq!(store.generations(&name).await?[0].id(), generations[1].id());
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RecordCertificates<S = Arc<dyn RecordStore>> {
    records: S,
}

impl<S: RecordStore> RecordCertificates<S> {
    /// 2 generations are kept besides the current one: that of before, and one more
    /// for when that was no better.
    pub const KEPT_GENERATIONS: usize = 2;

    /// How many names a page lists.
    const PAGE: usize = 1000;

    /// How many generations of a name are looked at: those that are kept, and what
    /// writers have left that did not finish.
    const MAX_LEFT: usize = 256;

    /// How often a reader follows a name that is being moved.
    const READ_ATTEMPTS: usize = 8;

    /// Certificates in these records, beside whatever else they hold.
    pub const fn new(records: S) -> Self {
        Self { records }
    }

    /// The records.
    pub const fn records(&self) -> &S {
        &self.records
    }

    /// Asks for a certificate: leaves a blank entry, unless there is one already.
    ///
    /// # Errors
    /// - [`StoreError`] when the record store cannot write.
    pub async fn request(&self, name: &ServerName) -> Result<(), StoreError> {
        let pointer = Pointer::default().to_bytes();
        let key = pointer_key(name);
        let put = self
            .records
            .put(&key, pointer, Expect::Absent, Life::Durable);
        match put.await {
            Ok(_) | Err(WriteError::Conflict) => Ok(()),
            Err(error) => Err(refusal(error)),
        }
    }

    /// Forgets a name and all its generations, if its entry still has this version.
    /// A generation that cannot be removed just then is removed when the name is put
    /// anew.
    ///
    /// # Errors
    /// - [`PutError::Conflict`] when something else is there. Nothing was removed.
    /// - [`PutError::Store`] when the record store cannot write.
    pub async fn remove(&self, name: &ServerName, version: Version) -> Result<(), PutError> {
        // Whoever puts the name anew does so after this.
        let left = self.left(name).await?;
        match self.records.delete(&pointer_key(name), version).await {
            Ok(()) => {}
            Err(WriteError::Conflict) => return Err(PutError::Conflict),
            Err(error) => return Err(refusal(error).into()),
        }
        self.sweep(left.into_iter().collect()).await;
        Ok(())
    }

    /// Puts a bundle with what is known of it; [`put`](CertificateStore::put) puts it
    /// with nothing.
    ///
    /// # Errors
    /// - As [`CertificateStore::put`].
    pub async fn put_with(
        &self,
        name: &ServerName,
        bundle: &CertificateBundle,
        metadata: &Metadata,
        expected: Expect,
    ) -> Result<Version, PutError> {
        let current = self.pointer(name).await?;
        if !expected.is_met_by(current.as_ref().map(|it| &it.version)) {
            return Err(PutError::Conflict);
        }
        // Those of writers that did not finish: none can finish once we have.
        let left = self.left(name).await?;
        let id = GenerationId::random()?;
        let key = generation_key(name, id);
        let value = generation::value(bundle, metadata);
        let written = self.write(&key, value.clone(), Expect::Absent).await;
        let written = written.map_err(refusal)?;
        if let Err(error) = self.prove(&key, bundle).await {
            // Nobody knows it yet.
            self.sweep(vec![(key, written)]).await;
            return Err(error.into());
        }
        let pointer = match current.as_ref().map(|it| &it.pointer) {
            Some(Ok(pointer)) => pointer.moved_to(id, Self::KEPT_GENERATIONS),
            // Damaged: whatever generations there are may be the only ones.
            Some(Err(_)) => {
                let ids = left.iter().filter_map(|it| generation_id(name, &it.0));
                Pointer::new(Some(id), ids.take(Self::KEPT_GENERATIONS).collect())
            }
            None => Pointer::new(Some(id), vec![]),
        };
        let is_new = expected == Expect::Absent;
        let moved = pointer.to_bytes();
        match self.write(&pointer_key(name), moved, expected).await {
            Ok(version) => {
                if is_new {
                    self.keep(&key, value, written).await?;
                }
                let old = left
                    .into_iter()
                    .filter(|(key, _)| generation_id(name, key).is_none_or(|id| !pointer.has(id)));
                self.sweep(old.collect()).await;
                Ok(version)
            }
            Err(WriteError::Conflict) => {
                self.sweep(vec![(key, written)]).await;
                Err(PutError::Conflict)
            }
            // It may have been done: whoever writes next knows.
            Err(error) => Err(refusal(error).into()),
        }
    }

    async fn write(
        &self,
        key: &Key,
        value: Bytes,
        expected: Expect,
    ) -> Result<Version, WriteError> {
        let put = self.records.put(key, value, expected, Life::Durable);
        put.await
    }

    /// Makes the generation that a new name was moved to one that nobody sweeps.
    ///
    /// A name may be absent again: whoever has put or removed it since we saw that, and so
    /// took what we had written for left, removes it at the version it had, sooner or later.
    async fn keep(&self, key: &Key, value: Bytes, written: Version) -> Result<(), StoreError> {
        let again = self.write(key, value.clone(), written.into()).await;
        let kept = match again {
            // It was removed already.
            Err(WriteError::Conflict) => self.write(key, value, Expect::Absent).await,
            again => again,
        };
        match kept {
            // It is there all the same: the answer of the first was lost on its way here.
            Ok(_) | Err(WriteError::Conflict) => Ok(()),
            Err(error) => Err(refusal(error)),
        }
    }

    /// Reads back what was written, as whoever serves it will.
    async fn prove(&self, key: &Key, bundle: &CertificateBundle) -> Result<(), StoreError> {
        let record = self.records.get(key).await.map_err(StoreError::Records)?;
        let read = record.and_then(|it| generation::bundle(&it.value).ok());
        match read {
            Some(read) if read == *bundle => Ok(()),
            _ => Err(StoreError::NotReadBack),
        }
    }

    /// What a name points to, with its version.
    async fn pointer(&self, name: &ServerName) -> Result<Option<Kept>, StoreError> {
        let key = pointer_key(name);
        match self.records.get(&key).await {
            Ok(record) => Ok(record.map(|it| Kept {
                pointer: Pointer::parse(&it.value),
                version: it.version,
            })),
            Err(RecordError::Corrupt { .. }) => {
                // It is listed, with a version by which it can be replaced.
                let listed = self.records.list(&exactly(&key), None, 1).await;
                let listed = listed.map_err(StoreError::Records)?.items;
                let found = listed.into_iter().find(|it| it.0 == key);
                Ok(found.map(|(_, version)| Kept {
                    pointer: Err(BundleError::Malformed),
                    version,
                }))
            }
            Err(error) => Err(StoreError::Records(error)),
        }
    }

    /// All generations of a name that are there, whoever has left them.
    async fn left(&self, name: &ServerName) -> Result<Vec<(Key, Version)>, StoreError> {
        let prefix = parsed(&format!("{GENERATIONS}{name}/"));
        let mut left = Vec::new();
        let mut after = None;
        while left.len() < Self::MAX_LEFT {
            let page = self.records.list(&prefix, after, Self::MAX_LEFT).await;
            let page = page.map_err(StoreError::Records)?;
            left.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(left)
    }

    /// Removes generations that nobody needs. What stays is removed by the next.
    async fn sweep(&self, old: Vec<(Key, Version)>) {
        for (key, version) in old {
            if let Err(error) = self.records.delete(&key, version).await {
                tracing::debug!(%key, %error, "an old generation stays for now");
            }
        }
    }

    async fn entry(&self, name: &ServerName) -> Result<Option<Entry>, StoreError> {
        let mut seen = None;
        for _ in 0..Self::READ_ATTEMPTS {
            let Some(Kept { pointer, version }) = self.pointer(name).await? else {
                return Ok(None);
            };
            let id = match pointer {
                Ok(pointer) => pointer.current(),
                Err(error) => return Ok(Some(damaged(error, version))),
            };
            let Some(id) = id else {
                return Ok(Some(Entry::blank(version)));
            };
            match self.records.get(&generation_key(name, id)).await {
                Ok(Some(record)) => {
                    return Ok(Some(match generation::bundle(&record.value) {
                        Ok(bundle) => Entry::new(EntryState::Bundle(bundle), version),
                        Err(error) => damaged(error, version),
                    }));
                }
                Err(RecordError::Corrupt { .. }) => {
                    return Ok(Some(damaged(BundleError::Malformed, version)));
                }
                Err(error) => return Err(StoreError::Records(error)),
                // It was removed by hand, or the name has moved on meanwhile.
                Ok(None) if seen.as_ref() == Some(&version) => {
                    return Ok(Some(damaged(BundleError::NoPem, version)));
                }
                Ok(None) => seen = Some(version),
            }
        }
        let busy = "the entry changes faster than it can be read";
        Err(StoreError::Unavailable(busy.into()))
    }
}

const fn damaged(error: BundleError, version: Version) -> Entry {
    Entry::new(EntryState::Damaged(error), version)
}

fn refusal(error: WriteError) -> StoreError {
    match error {
        WriteError::Store(error) => StoreError::Records(error),
        WriteError::TooLarge { limit } => StoreError::TooLarge { limit },
        conflict @ WriteError::Conflict => StoreError::Unavailable(conflict.into()),
    }
}

fn pointer_key(name: &ServerName) -> Key {
    parsed(&format!("{POINTERS}{name}"))
}

fn generation_key(name: &ServerName, id: GenerationId) -> Key {
    parsed(&format!("{GENERATIONS}{name}/{id}"))
}

fn generation_id(name: &ServerName, key: &Key) -> Option<GenerationId> {
    let id = key.as_str().strip_prefix(GENERATIONS)?;
    let id = id.strip_prefix(&name.to_string())?.strip_prefix('/')?;
    id.parse().ok()
}

fn exactly(key: &Key) -> Prefix {
    parsed(key.as_str())
}

fn parsed<T: std::str::FromStr<Err = crate::InvalidKey>>(text: &str) -> T {
    text.parse()
        .expect("a server name has no NUL and at most 253 bytes")
}

impl<S: RecordStore> CertificateStore for RecordCertificates<S> {
    fn list(
        &self,
        after: Option<Cursor>,
    ) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
        Box::pin(async move {
            // A cursor of another store is no place here: from the beginning.
            let after = after.and_then(|it| std::str::from_utf8(it.as_bytes()).ok()?.parse().ok());
            let page = self
                .records
                .list(&parsed(POINTERS), after, Self::PAGE)
                .await;
            let page = page.map_err(StoreError::Records)?;
            let items = page
                .items
                .into_iter()
                .filter_map(|(key, version)| Some(Listed::new(name_of(&key)?, version)));
            Ok(Page {
                items: items.collect(),
                next: page.next.map(|it| Cursor::new(it.as_str().as_bytes())),
            })
        })
    }

    fn get<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        Box::pin(self.entry(name))
    }

    fn put<'a>(
        &'a self,
        name: &'a ServerName,
        bundle: &'a CertificateBundle,
        expected: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>> {
        Box::pin(async move {
            let metadata = Metadata::default();
            self.put_with(name, bundle, &metadata, expected).await
        })
    }

    fn accepts<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
        // All names, while the records can be reached.
        Box::pin(async move { self.pointer(name).await.map(drop) })
    }

    fn watch(&self) -> BoxStream<'static, StoreEvent> {
        let events = self.records.watch(&parsed(POINTERS));
        let events = events.filter_map(|event| {
            std::future::ready(match event {
                Ok(RecordEvent::Changed { key, .. }) => name_of(&key).map(StoreEvent::Changed),
                Ok(RecordEvent::Resync | RecordEvent::Synced) => Some(StoreEvent::Resync),
                Err(error) => {
                    // `Resync` follows when it is over.
                    tracing::debug!(%error, "changes of certificates are not seen");
                    None
                }
            })
        });
        Box::pin(events.chain(stream::pending()))
    }
}

/// The name that a key is for; what else lies there is none of ours.
fn name_of(key: &Key) -> Option<ServerName> {
    let text = key.as_str().strip_prefix(POINTERS)?;
    let name: ServerName = text.parse().ok()?;
    if name.to_string() != text {
        tracing::warn!(%key, "a record is passed over, whose key is no name");
        return None;
    }
    Some(name)
}
