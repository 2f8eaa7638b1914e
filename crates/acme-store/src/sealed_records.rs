//! Records that their engine can neither read, nor exchange, nor make up.

use std::{fmt, sync::Arc, time::Duration};

use acme_messages::{Timestamp, jose::BoxFuture};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;

use envelope::{Envelope, OVERHEAD, OpenFailure, Place, seal};
pub use key_ring::{InvalidSealingKey, KeyRing, SealingKey};
use manifest::Manifest;
pub use rekey::Rekeyed;

use crate::{
    Acquired, Capabilities, CommitError, Expect, Key, KeyPage, Lease, LeaseError, Life, NodeId, Op,
    Prefix, Record, RecordError, RecordEvent, RecordStore, Version, WriteError,
};

mod envelope;
mod key_ring;
mod manifest;
mod rekey;

/// A layer over any [`RecordStore`] that seals every value.
///
/// Whoever reads the engine learns keys (names), lengths and times, and no value;
/// whoever writes it cannot make one up, nor put one in another's place: that is
/// [`RecordError::Corrupt`]. A record sealed with a key that others have, and the ring
/// has not, is [`RecordError::Denied`]. To put an older value back in its own place, or to take
/// one away, is what sealing cannot prevent. Leases are not sealed, and entitle to
/// nothing else.
///
/// Each value is encrypted with a random key of its own (ChaCha20-Poly1305), which is
/// wrapped by a key of the [ring](KeyRing) (XChaCha20-Poly1305), both bound to
/// namespace, key of the record, kind of life and id of the ring's key. A record that
/// says which ids are in use lets a node start only if it has those keys, and the
/// same ones; [`rekey`](Self::rekey) changes them.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use acme_store::{BoxFuture, messages::{Clock, Timestamp}};
/// use acme_store::{
///     Expect, Key, KeyRing, Life, MemoryRecords, RecordStore, SealedRecords, SealingKey,
/// };
/// # #[derive(Debug)]
/// # struct StoppedClock;
/// # impl Clock for StoppedClock {
/// #     fn now(&self) -> Timestamp { Timestamp::UNIX_EPOCH }
/// #     fn monotonic(&self) -> Duration { Duration::ZERO }
/// #     fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> { Box::pin(std::future::pending()) }
/// # }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let engine = MemoryRecords::new(Arc::new(StoppedClock));
/// let ring = KeyRing::new(SealingKey::generate("2026")?);
/// let store = SealedRecords::open(engine.clone(), "production", ring).await?;
///
/// let key: Key = "v1/certs/www.example.com".parse()?;
/// store.put(&key, "secret".into(), Expect::Absent, Life::Durable).await?;
/// assert_eq!(store.get(&key).await?.expect("it was put").value, "secret");
/// let kept = engine.get(&key).await?.expect("it was put").value;
/// assert!(!kept.windows(6).any(|it| it == b"secret"));
///
/// let other = KeyRing::new(SealingKey::generate("2027")?);
/// assert!(SealedRecords::open(engine, "production", other).await.is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SealedRecords<S = Arc<dyn RecordStore>> {
    inner: S,
    namespace: Arc<str>,
    ring: Arc<KeyRing>,
}

impl<S: RecordStore> SealedRecords<S> {
    /// How often opening is tried while other nodes open too.
    const OPEN_ATTEMPTS: usize = 16;

    /// Seals what is put into a store. `namespace` is whatever tells this store's
    /// records from those of others that have the same keys: a record of one is none
    /// of another's.
    ///
    /// # Errors
    /// - [`SealedRecordsError::Records`] when the store cannot be read or written.
    /// - [`SealedRecordsError::UnknownKey`] when there are records sealed with a key
    ///   that the ring has not.
    /// - [`SealedRecordsError::WrongKey`] when the ring has another key under an id, or
    ///   the namespace is another.
    pub async fn open(
        inner: S,
        namespace: impl Into<Arc<str>>,
        ring: KeyRing,
    ) -> Result<Self, SealedRecordsError> {
        let namespace = namespace.into();
        let key = manifest_key();
        for _ in 0..Self::OPEN_ATTEMPTS {
            let record = inner.get(&key).await.map_err(SealedRecordsError::Records)?;
            let mut manifest = Manifest::default();
            let mut expected = Expect::Absent;
            if let Some(record) = record {
                let corrupt =
                    || SealedRecordsError::Records(RecordError::Corrupt { key: key.clone() });
                manifest = Manifest::parse(&record.value).ok_or_else(corrupt)?;
                expected = record.version.into();
            }
            match manifest.unknown(&ring, &namespace) {
                None => {}
                Some((id, false)) => {
                    return Err(SealedRecordsError::UnknownKey { id: id.to_owned() });
                }
                Some((id, true)) => {
                    return Err(SealedRecordsError::WrongKey { id: id.to_owned() });
                }
            }
            if !manifest.has(ring.primary()) {
                // Said before anything is sealed with it.
                let added = manifest.add(ring.primary(), &namespace);
                added.map_err(|it| {
                    SealedRecordsError::Records(RecordError::unavailable(false, it))
                })?;
                match inner
                    .put(&key, manifest.to_bytes(), expected, Life::Durable)
                    .await
                {
                    Ok(_) => {}
                    Err(WriteError::Store(error)) => {
                        return Err(SealedRecordsError::Records(error));
                    }
                    Err(_) => continue,
                }
            }
            let ring = Arc::new(ring);
            return Ok(Self {
                inner,
                namespace,
                ring,
            });
        }
        let busy = "other nodes open it all the time";
        Err(SealedRecordsError::Records(RecordError::unavailable(
            false, busy,
        )))
    }

    fn place<'a>(&'a self, key: &'a Key) -> Place<'a> {
        Place {
            namespace: &self.namespace,
            key: key.as_str(),
        }
    }

    fn seal(&self, key: &Key, life: Life, value: &[u8]) -> Result<Bytes, RecordError> {
        let sealed = seal(self.ring.primary(), self.place(key), life.into(), value);
        sealed.map_err(|error| RecordError::unavailable(false, error))
    }

    async fn unseal(&self, key: &Key, value: &[u8]) -> Result<Bytes, RecordError> {
        let corrupt = || RecordError::Corrupt { key: key.clone() };
        let envelope = Envelope::parse(value).ok_or_else(corrupt)?;
        match envelope.open(&self.ring, self.place(key)) {
            Ok(value) => Ok(value),
            Err(OpenFailure::Damaged) => Err(corrupt()),
            Err(unknown @ OpenFailure::UnknownKey { .. }) => {
                // Nobody seals with a key before it is said that somebody does.
                if self.was_ever_key(envelope.id).await? {
                    return Err(RecordError::denied(unknown));
                }
                tracing::warn!(%key, id = envelope.id, "a sealed record names what was never a key");
                Err(corrupt())
            }
        }
    }

    /// Whether somebody seals or has sealed with a key of this id; yes, if nobody knows.
    async fn was_ever_key(&self, id: &str) -> Result<bool, RecordError> {
        let record = match self.inner.get(&manifest_key()).await {
            Err(RecordError::Corrupt { .. }) => return Ok(true),
            record => record?,
        };
        let manifest = record.and_then(|it| Manifest::parse(&it.value));
        Ok(manifest.is_none_or(|it| it.knows(id)))
    }

    fn check(&self, key: &Key, value: &[u8]) -> Result<(), WriteError> {
        let limit = self.capabilities().max_value;
        if key.as_str() == manifest::KEY {
            return Err(RecordError::denied("the record of the keys is not to be written").into());
        }
        if value.len() > limit {
            return Err(WriteError::TooLarge { limit });
        }
        Ok(())
    }

    fn seal_op(&self, op: Op) -> Result<Op, CommitError> {
        let (key, bytes) = match &op {
            Op::Put { key, value, .. } => (key, &**value),
            Op::Delete { key, .. } => (key, &[][..]),
        };
        self.check(key, bytes).map_err(|it| it.in_commit(key))?;
        Ok(match op {
            Op::Put {
                key,
                value,
                expected,
                life,
            } => Op::Put {
                value: self.seal(&key, life, &value)?,
                key,
                expected,
                life,
            },
            delete @ Op::Delete { .. } => delete,
        })
    }
}

fn manifest_key() -> Key {
    manifest::KEY.parse().expect("it is a constant, and a key")
}

impl<S: fmt::Debug> fmt::Debug for SealedRecords<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedRecords")
            .field("inner", &self.inner)
            .field("namespace", &self.namespace)
            .field("ring", &self.ring)
            .finish()
    }
}

impl<S: RecordStore> RecordStore for SealedRecords<S> {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        capabilities.max_value = capabilities.max_value.saturating_sub(OVERHEAD);
        capabilities
    }

    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, RecordError>> {
        Box::pin(async move {
            if key.as_str() == manifest::KEY {
                return Ok(None);
            }
            let Some(record) = self.inner.get(key).await? else {
                return Ok(None);
            };
            let value = self.unseal(key, &record.value).await?;
            Ok(Some(Record::new(value, record.version)))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: Bytes,
        expected: Expect,
        life: Life,
    ) -> BoxFuture<'a, Result<Version, WriteError>> {
        Box::pin(async move {
            self.check(key, &value)?;
            let sealed = self.seal(key, life, &value)?;
            self.inner.put(key, sealed, expected, life).await
        })
    }

    fn delete<'a>(
        &'a self,
        key: &'a Key,
        version: Version,
    ) -> BoxFuture<'a, Result<(), WriteError>> {
        Box::pin(async move {
            self.check(key, &[])?;
            self.inner.delete(key, version).await
        })
    }

    fn list<'a>(
        &'a self,
        prefix: &'a Prefix,
        after: Option<Key>,
        limit: usize,
    ) -> BoxFuture<'a, Result<KeyPage, RecordError>> {
        Box::pin(async move {
            let mut page = self.inner.list(prefix, after, limit).await?;
            page.items.retain(|it| it.0.as_str() != manifest::KEY);
            Ok(page)
        })
    }

    fn watch(&self, prefix: &Prefix) -> BoxStream<'static, Result<RecordEvent, RecordError>> {
        let events = self.inner.watch(prefix).filter(|event| {
            let hidden = matches!(event, Ok(RecordEvent::Changed { key, .. }) if key.as_str() == manifest::KEY);
            std::future::ready(!hidden)
        });
        Box::pin(events)
    }

    fn acquire<'a>(
        &'a self,
        name: &'a Key,
        owner: &'a NodeId,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Acquired, RecordError>> {
        self.inner.acquire(name, owner, ttl)
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Lease, LeaseError>> {
        self.inner.renew(lease)
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), LeaseError>> {
        self.inner.release(lease)
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
            let sealed: Result<Vec<_>, _> = ops.into_iter().map(|op| self.seal_op(op)).collect();
            self.inner.commit(guard, sealed?).await
        })
    }

    fn now(&self) -> BoxFuture<'_, Result<Option<Timestamp>, RecordError>> {
        self.inner.now()
    }
}

/// Sealed records cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealedRecordsError {
    /// The store cannot be read or written.
    #[error("the sealed records cannot be read")]
    Records(#[source] RecordError),
    /// There are records sealed with a key that the ring has not.
    #[error("there are records sealed with the key {id:?}, which is not in the ring")]
    UnknownKey {
        /// The key's id.
        id: String,
    },
    /// The ring has another key under an id, or the namespace is another.
    #[error("the key {id:?}, or the namespace, is not the one that records are sealed with")]
    WrongKey {
        /// The key's id.
        id: String,
    },
}
