//! A record store in files, for the processes of one host.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use acme_messages::{Clock, Timestamp, jose::BoxFuture};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use tokio::sync::Semaphore;

pub use error::FileRecordsError;
use files::{Files, Wanted};
use index::Index;
pub use options::{EndsBy, FileRecordsOptions};
use timeline::Timeline;

use crate::{
    Acquired, Capabilities, CommitError, Expect, Guard, Key, KeyPage, Lease, LeaseError, Life,
    NodeId, Op, Prefix, Record, RecordError, RecordEvent, RecordStore, Version, WatchKind,
    WriteError, disk_work::disk_work,
};

mod changes;
mod error;
mod file_name;
mod files;
mod index;
mod leases;
mod options;
mod record;
mod text;
mod timeline;
mod watching;
mod writing;

/// A [`RecordStore`] in files, for all processes of one host.
///
/// Each record is a file of its own, replaced as a whole: a process that is killed,
/// or a machine that loses power, leaves the old record or the new one, and of a
/// commit everything or nothing. Writers take turns by a lock of the kernel, which
/// ends with its holder. A process that is stopped in the middle of its turn holds
/// the others up: their writes are unavailable once
/// [`call_timeout`](FileRecordsOptions::call_timeout) has passed. Reading a record
/// waits for nobody, except for the end of a commit of several.
///
/// - Leases and lives end by the time since the machine was started: setting a clock
///   changes nothing. A restart of the machine ends all leases, as their holders
///   ended with it. A record with a limited life that is from before the restart is
///   judged by the wall clock, since nothing else is left to judge by.
/// - The directory is made with the mode 0700 and its files have 0600, whatever the
///   umask; of one that others may look into a warning tells. What root writes is
///   given to whom the directory belongs. Each file carries its format's version and a
///   checksum; a damaged record is [`RecordError::Corrupt`] and stands alone. Where
///   the key is too long for a file's name, it is in the file only: if that has lost
///   it too, the record is not listed, and its file is removed by hand.
/// - A small file stays for each name that was ever leased.
/// - What is changed past the store, by hand, is got at once, and listed within 10
///   minutes or by the next process.
/// - It is for a local file system of Unix, and its runtime needs tokio's timer.
///   Directories that several hosts share are not: their locks and times differ.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use acme_store::{Expect, FileRecords, Key, Life, RecordStore};
/// # use acme_store::{BoxFuture, messages::{Clock, Timestamp}};
/// # #[derive(Debug)]
/// # struct SystemClock;
/// # impl Clock for SystemClock {
/// #     fn now(&self) -> Timestamp { Timestamp::now() }
/// #     fn monotonic(&self) -> Duration { Duration::ZERO }
/// #     fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> { Box::pin(tokio::time::sleep(span)) }
/// # }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// # let parent = tempfile::tempdir()?;
/// # let path = parent.path().join("certs.state");
/// let store = FileRecords::open(&path, Arc::new(SystemClock)).await?;
/// let key: Key = "v1/jobs/example.com".parse()?;
/// let version = store.put(&key, "1".into(), Expect::Absent, Life::Durable).await?;
/// drop(store);
///
/// // Another process, later.
/// let store = FileRecords::open(&path, Arc::new(SystemClock)).await?;
/// let record = store.get(&key).await?.expect("it was put");
/// assert_eq!((record.value, record.version), ("1".into(), version));
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FileRecords {
    shared: Arc<Shared>,
}

struct Shared {
    files: Files,
    timeline: Timeline,
    options: FileRecordsOptions,
    index: Mutex<Index>,
    slots: Arc<Semaphore>,
    /// Only two threads of a handle at a time wait for the kernel's lock, this one to
    /// write: the others are for who reads a record.
    writer: Arc<tokio::sync::Mutex<()>>,
    /// And this one to look at what has changed.
    looker: Arc<tokio::sync::Mutex<()>>,
    ephemeral: AtomicUsize,
}

impl FileRecords {
    /// How many calls of one handle are at work at a time; others wait for them.
    ///
    /// Each has a thread that waits for the disk.
    pub const MAX_CONCURRENT_CALLS: usize = 16;

    /// After so many ephemeral records put, those that have ended are looked for.
    const SWEEP_INTERVAL: usize = 64;

    /// Opens a directory for records, or makes it; its parent must exist.
    ///
    /// Watches wait by the clock, and the deadlines of leases are moments of its
    /// monotonic time. The clock of a program is ten lines: see [`RecordStore`].
    ///
    /// # Errors
    /// - [`FileRecordsError::Io`] when it cannot be made or opened.
    /// - [`FileRecordsError::UnknownFormat`] when another version of this crate has
    ///   made it, and this one could only harm it.
    pub async fn open(
        path: impl AsRef<Path>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FileRecordsError> {
        Self::open_with(path, clock, FileRecordsOptions::default()).await
    }

    /// Opens a directory with options.
    ///
    /// # Errors
    /// - As [`open`](Self::open).
    pub async fn open_with(
        path: impl AsRef<Path>,
        clock: Arc<dyn Clock>,
        options: FileRecordsOptions,
    ) -> Result<Self, FileRecordsError> {
        let path = path.as_ref().to_owned();
        let limit = options.call_timeout;
        let store = Self {
            shared: Arc::new(Shared {
                files: Files::new(path.clone()),
                timeline: Timeline::new(clock, options.ends_by),
                options,
                index: Mutex::default(),
                slots: Arc::new(Semaphore::new(Self::MAX_CONCURRENT_CALLS)),
                writer: Arc::default(),
                looker: Arc::default(),
                ephemeral: AtomicUsize::new(0),
            }),
        };
        let unknown = store
            .blocking(Call::Write, move |store, wanted| {
                let unknown = store.files().create(limit)?;
                if unknown.is_none() {
                    let turn = store.turn_to_write(wanted)?;
                    // Of a commit that was killed before it had begun.
                    writing::remove_ready(store.files(), &turn);
                }
                Ok::<_, RecordError>(unknown)
            })
            .await
            .map_err(|source| FileRecordsError::Io {
                path: path.clone(),
                source,
            })?;
        match unknown {
            None => Ok(store),
            Some(found) => Err(FileRecordsError::UnknownFormat { path, found }),
        }
    }

    /// The directory, as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.files.root
    }

    fn files(&self) -> &Files {
        &self.shared.files
    }

    fn timeline(&self) -> &Timeline {
        &self.shared.timeline
    }

    fn options(&self) -> &FileRecordsOptions {
        &self.shared.options
    }

    fn index(&self) -> &Mutex<Index> {
        &self.shared.index
    }

    /// Runs what touches the disk on a thread that may wait, for a bounded time.
    ///
    /// Work that nobody waits for any more does not begin to write.
    async fn blocking<T, E>(
        &self,
        kind: Call,
        work: impl FnOnce(&Self, &Wanted) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<RecordError> + Send + 'static,
    {
        let wanted = Arc::new(Wanted::yes());
        let _until_dropped = UntilDropped(Arc::clone(&wanted));
        let store = self.clone();
        let alone = match kind {
            Call::Get => None,
            Call::Look => Some(Arc::clone(&self.shared.looker)),
            Call::Write => Some(Arc::clone(&self.shared.writer)),
        };
        let slots = Arc::clone(&self.shared.slots);
        let places = async move {
            let alone = match alone {
                Some(alone) => Some(alone.lock_owned().await),
                None => None,
            };
            (alone, slots.acquire_owned().await)
        };
        let done = disk_work(places, move || work(&store, &wanted));
        let unavailable = |source: Box<dyn std::error::Error + Send + Sync>| {
            E::from(RecordError::unavailable(kind == Call::Write, source))
        };
        match tokio::time::timeout(self.options().call_timeout, done).await {
            Ok(Ok(result)) => result,
            Ok(Err(ended)) => Err(unavailable(ended)),
            Err(late) => Err(unavailable(late.into())),
        }
    }
}

/// What a call may have to wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    /// For the end of a commit.
    Get,
    /// For its turn to read all.
    Look,
    /// For its turn to write.
    Write,
}

struct UntilDropped(Arc<Wanted>);

impl Drop for UntilDropped {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Release);
    }
}

impl fmt::Debug for FileRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileRecords")
            .field("path", &self.path())
            .field("options", self.options())
            .finish_non_exhaustive()
    }
}

impl RecordStore for FileRecords {
    fn capabilities(&self) -> Capabilities {
        let watch = WatchKind::Poll(self.options().poll_interval);
        Capabilities::new(watch, Guard::Atomic)
    }

    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, RecordError>> {
        let key = key.clone();
        Box::pin(self.blocking(Call::Get, move |store, wanted| {
            let files = store.files();
            if files.exists(&files.journal)? {
                // A commit is under way, or was cut short: afterwards all of it is there.
                drop(store.turn_to_write(wanted)?);
            }
            files.record(&key, store.timeline())
        }))
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: Bytes,
        expected: Expect,
        life: Life,
    ) -> BoxFuture<'a, Result<Version, WriteError>> {
        let op = Op::Put {
            key: key.clone(),
            value,
            expected,
            life,
        };
        Box::pin(self.blocking(Call::Write, move |store, wanted| {
            let version = store.write(op, wanted)?.ok_or(WriteError::Conflict)?;
            let ephemeral = &store.shared.ephemeral;
            if matches!(life, Life::Ephemeral(_))
                && ephemeral.fetch_add(1, Ordering::Relaxed) % Self::SWEEP_INTERVAL
                    == Self::SWEEP_INTERVAL - 1
                && let Err(error) = store.sweep(wanted)
            {
                tracing::debug!(%error, "records that have ended stay for now");
            }
            Ok(version)
        }))
    }

    fn delete<'a>(
        &'a self,
        key: &'a Key,
        version: Version,
    ) -> BoxFuture<'a, Result<(), WriteError>> {
        let key = key.clone();
        let op = Op::Delete { key, version };
        Box::pin(self.blocking(Call::Write, move |store, wanted| {
            store.write(op, wanted).map(drop)
        }))
    }

    fn list<'a>(
        &'a self,
        prefix: &'a Prefix,
        after: Option<Key>,
        limit: usize,
    ) -> BoxFuture<'a, Result<KeyPage, RecordError>> {
        let prefix = prefix.clone();
        Box::pin(self.blocking(Call::Look, move |store, wanted| {
            store.page(&prefix, after.as_ref(), limit, wanted)
        }))
    }

    fn watch(&self, prefix: &Prefix) -> BoxStream<'static, Result<RecordEvent, RecordError>> {
        watching::watch(self.clone(), prefix.clone())
    }

    fn acquire<'a>(
        &'a self,
        name: &'a Key,
        owner: &'a NodeId,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Acquired, RecordError>> {
        let sent = self.timeline().clock().monotonic();
        let asked = Lease::new(name.clone(), owner.clone(), 0, [0; 16], sent, ttl);
        Box::pin(self.blocking(Call::Write, move |store, wanted| {
            store.acquire_now(&asked, wanted)
        }))
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Lease, LeaseError>> {
        let renewed = lease.sent_at(self.timeline().clock().monotonic());
        Box::pin(self.blocking(Call::Write, move |store, wanted| {
            store.renew_now(&renewed, wanted).map(|()| renewed)
        }))
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), LeaseError>> {
        Box::pin(self.blocking(Call::Write, move |store, wanted| {
            store.release_now(&lease, wanted)
        }))
    }

    fn commit<'a>(
        &'a self,
        guard: &'a Lease,
        ops: Vec<Op>,
    ) -> BoxFuture<'a, Result<Vec<Option<Version>>, CommitError>> {
        let guard = guard.clone();
        Box::pin(self.blocking(Call::Write, move |store, wanted| {
            store.commit_now(&guard, ops, wanted)
        }))
    }

    fn now(&self) -> BoxFuture<'_, Result<Option<Timestamp>, RecordError>> {
        let now = self.timeline().wall();
        Box::pin(async move { Ok(Some(now)) })
    }
}
