//! What is remembered, and who may write it: small versioned records and leases.

use std::{fmt, sync::Arc, time::Duration};

use acme_messages::{Timestamp, jose::BoxFuture};
use futures_core::stream::BoxStream;

use crate::{Expect, Page, Version};
pub use error::{CommitError, LeaseError, RecordError, WriteError};
pub use key::{InvalidKey, Key, Prefix};
pub use lease::{Acquired, Lease, NodeId};
pub use record::{Capabilities, Guard, Life, Op, Record, RecordEvent, WatchKind};

mod error;
mod key;
mod lease;
mod record;

/// Small records that several nodes share, and leases on the right to write them.
///
/// The contract:
///
/// - **Correctness comes from the conditional write.** There is no unguarded
///   overwrite; a lease only saves work that would be thrown away.
/// - **Down is never missing.** `Ok(None)` and an empty page are positive answers.
/// - **A version is compared for equality only**, is never used twice for a key, and
///   changes even when equal bytes are written again.
/// - **A watch is a hint.** Who lists on [`Synced`](RecordEvent::Synced) and
///   [`Resync`](RecordEvent::Resync), compares versions, and gets on
///   [`Changed`](RecordEvent::Changed), misses nothing.
/// - **A refused write changes nothing** and causes no event.
/// - **A damaged record stands alone**: to get it is [`RecordError::Corrupt`], and it
///   is listed like any other, with a version by which it can be replaced or deleted.
/// - **Nothing waits for ever**: what takes too long is [`RecordError::Unavailable`].
///   A future may be dropped at any point: what it was to do is done or not, and it
///   leaves no lock and no connection behind.
/// - **A write is tried once.** One whose answer is lost is unavailable and
///   [may have been done](RecordError::is_maybe_applied). Tried again, it would meet
///   itself and be told as a conflict; only who can tell that apart may try again.
/// - **Spans, not moments**: lives and leases end by a time that nobody sets, so that
///   a clock that is set, on any node, changes nothing. An engine that can count by
///   nothing but its own wall clock, as most servers, counts by that alone: to set it
///   there cuts short what runs, or stretches it, and lets nobody write who may not.
///
/// The feature `conformance` has a suite that asks all this of any store.
///
/// ```
/// use std::{sync::Arc, time::{Duration, Instant}};
/// use acme_store::{
///     BoxFuture, Expect, Key, Life, MemoryRecords, RecordStore, WriteError,
///     messages::{Clock, Timestamp},
/// };
///
/// #[derive(Debug)]
/// struct SystemClock(Instant);
///
/// impl Clock for SystemClock {
///     fn now(&self) -> Timestamp {
///         Timestamp::now()
///     }
///
///     fn monotonic(&self) -> Duration {
///         self.0.elapsed()
///     }
///
///     fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
///         Box::pin(tokio::time::sleep(span))
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let clock = Arc::new(SystemClock(Instant::now()));
/// let store: Arc<dyn RecordStore> = Arc::new(MemoryRecords::new(clock));
/// let key: Key = "v1/jobs/example.com".parse()?;
/// let version = store.put(&key, "1".into(), Expect::Absent, Life::Durable).await?;
///
/// let late = store.put(&key, "2".into(), Expect::Absent, Life::Durable).await;
/// assert!(matches!(late, Err(WriteError::Conflict)));
/// store.put(&key, "2".into(), version.into(), Life::Durable).await?;
/// assert_eq!(store.get(&key).await?.expect("it was just put").value, "2");
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait RecordStore: fmt::Debug + Send + Sync + 'static {
    /// What this store can do. It never changes while the store is open.
    fn capabilities(&self) -> Capabilities;

    /// The record of a key; `None` when there certainly is none.
    ///
    /// # Errors
    /// - [`RecordError`] when the store cannot know, or the record is damaged.
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, RecordError>>;

    /// Writes a record, if what is there is what was expected.
    ///
    /// # Errors
    /// - [`WriteError::Conflict`] when something else is there. A version that the store
    ///   cannot have given is never there.
    /// - [`WriteError::TooLarge`] when the value is over [`Capabilities::max_value`].
    /// - [`WriteError::Store`] when the store cannot write, or cannot say whether it did.
    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: bytes::Bytes,
        expected: Expect,
        life: Life,
    ) -> BoxFuture<'a, Result<Version, WriteError>>;

    /// Removes a record, if it still has this version.
    ///
    /// # Errors
    /// - [`WriteError::Conflict`] when it has another, or there is none.
    /// - [`WriteError::Store`] when the store cannot write, or cannot say whether it did.
    fn delete<'a>(
        &'a self,
        key: &'a Key,
        version: Version,
    ) -> BoxFuture<'a, Result<(), WriteError>>;

    /// One page of the keys that begin with `prefix`, each with its version, in the
    /// order of their bytes.
    ///
    /// `None` asks for the first page, a page's [`next`](Page::next) for what is
    /// behind it. A page has at most `limit` keys (0 counts as 1, and no limit is too
    /// large), and may have fewer, even none, without being the last. A key that is there
    /// throughout comes exactly once.
    ///
    /// # Errors
    /// - [`RecordError`] when the store cannot know all keys of the page.
    fn list<'a>(
        &'a self,
        prefix: &'a Prefix,
        after: Option<Key>,
        limit: usize,
    ) -> BoxFuture<'a, Result<KeyPage, RecordError>>;

    /// Hints that something under `prefix` has changed, by a put, a delete or a commit.
    ///
    /// The first event is [`RecordEvent::Synced`], sent once changes are seen. A
    /// store that has lost sight of changes sends [`RecordEvent::Resync`], again
    /// only once it sees them. An error reports trouble and ends nothing: a `Resync`
    /// follows when it is over. A hundred changes that were not read yet are kept; behind
    /// more, a `Resync` may stand for them all. The stream does not end but with the
    /// store: it outlives outages, and one that begins in an outage has its `Synced` afterwards.
    /// Dropping it frees whatever it holds.
    fn watch(&self, prefix: &Prefix) -> BoxStream<'static, Result<RecordEvent, RecordError>>;

    /// Takes a lease, if nobody has it, its owner included. It never waits for one.
    ///
    /// Names of leases and keys of records do not meet. A holder that is gone keeps
    /// its lease to the end of the span; a store that can only watch for that counts
    /// the span from the first refusal on, so that a contender asks again and again.
    /// A span that the store cannot count is as long as it can count.
    ///
    /// # Errors
    /// - [`RecordError`] when the store cannot say. A lease that was granted all the
    ///   same ends by itself.
    fn acquire<'a>(
        &'a self,
        name: &'a Key,
        owner: &'a NodeId,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Acquired, RecordError>>;

    /// Prolongs a lease by its own span, counted from now.
    ///
    /// # Errors
    /// - [`LeaseError::Lost`] when it has ended, whoever may have it now: with
    ///   [`Guard::Atomic`] even if nobody has taken it since.
    /// - [`LeaseError::Store`] when the store cannot say.
    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Lease, LeaseError>>;

    /// Gives a lease back.
    ///
    /// # Errors
    /// - [`LeaseError::Lost`] when it has ended, whoever may have it now: theirs stays.
    /// - [`LeaseError::Store`] when the store cannot say.
    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), LeaseError>>;

    /// Writes all or nothing, if the lease is still held and each record is what
    /// was expected; gives the version of each record put, and `None` for each deleted.
    ///
    /// A former holder of the lease, whatever it believes, changes nothing; how that
    /// is kept is the [`Guard`]. A commit of nothing says whether the lease is held.
    ///
    /// # Errors
    /// - [`CommitError::Conflict`] with the key of a record that is not what was expected,
    ///   or that comes twice.
    /// - [`CommitError::Fenced`] when the lease has ended; with [`Guard::Atomic`] also
    ///   where a record is not what was expected.
    /// - [`CommitError::TooLarge`] and [`CommitError::TooMany`] when a value, or the
    ///   number of operations, is over what the [capabilities](Self::capabilities) say.
    /// - [`CommitError::Store`] when the store cannot write, or cannot say whether it did.
    fn commit<'a>(
        &'a self,
        guard: &'a Lease,
        ops: Vec<Op>,
    ) -> BoxFuture<'a, Result<Vec<Option<Version>>, CommitError>>;

    /// The store's own clock, if it has one: to report how far clocks are apart, and
    /// for nothing else.
    ///
    /// # Errors
    /// - [`RecordError`] when the store cannot say.
    fn now(&self) -> BoxFuture<'_, Result<Option<Timestamp>, RecordError>>;
}

/// Keys with their versions, and the key that the next page is behind.
pub type KeyPage = Page<(Key, Version), Key>;

macro_rules! forward_record_store {
    ($($pointer:ty),*) => {$(
        impl<T: RecordStore + ?Sized> RecordStore for $pointer {
            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }

            fn get<'a>(
                &'a self,
                key: &'a Key,
            ) -> BoxFuture<'a, Result<Option<Record>, RecordError>> {
                (**self).get(key)
            }

            fn put<'a>(
                &'a self,
                key: &'a Key,
                value: bytes::Bytes,
                expected: Expect,
                life: Life,
            ) -> BoxFuture<'a, Result<Version, WriteError>> {
                (**self).put(key, value, expected, life)
            }

            fn delete<'a>(
                &'a self,
                key: &'a Key,
                version: Version,
            ) -> BoxFuture<'a, Result<(), WriteError>> {
                (**self).delete(key, version)
            }

            fn list<'a>(
                &'a self,
                prefix: &'a Prefix,
                after: Option<Key>,
                limit: usize,
            ) -> BoxFuture<'a, Result<KeyPage, RecordError>> {
                (**self).list(prefix, after, limit)
            }

            fn watch(
                &self,
                prefix: &Prefix,
            ) -> BoxStream<'static, Result<RecordEvent, RecordError>> {
                (**self).watch(prefix)
            }

            fn acquire<'a>(
                &'a self,
                name: &'a Key,
                owner: &'a NodeId,
                ttl: Duration,
            ) -> BoxFuture<'a, Result<Acquired, RecordError>> {
                (**self).acquire(name, owner, ttl)
            }

            fn renew<'a>(
                &'a self,
                lease: &'a Lease,
            ) -> BoxFuture<'a, Result<Lease, LeaseError>> {
                (**self).renew(lease)
            }

            fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), LeaseError>> {
                (**self).release(lease)
            }

            fn commit<'a>(
                &'a self,
                guard: &'a Lease,
                ops: Vec<Op>,
            ) -> BoxFuture<'a, Result<Vec<Option<Version>>, CommitError>> {
                (**self).commit(guard, ops)
            }

            fn now(&self) -> BoxFuture<'_, Result<Option<Timestamp>, RecordError>> {
                (**self).now()
            }
        }
    )*};
}

forward_record_store!(Arc<T>, Box<T>);
