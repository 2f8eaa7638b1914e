//! A directory of PEM files, one for each name, as txacme, txsni, HAProxy and others share it.

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
};

use acme_messages::{ServerName, jose::BoxFuture};
use futures_core::stream::BoxStream;
use tokio::sync::{Mutex, Semaphore};

use crate::{
    CertificateBundle, CertificateStore, Cursor, Entry, Expect, Listed, Page, PutError, StoreError,
    StoreEvent, Version, disk_work::disk_work,
};
use entry_name::EntryName;
pub(crate) use folder::Folder;
pub use options::DirectoryOptions;
pub(crate) use reading::{io_error, open, read};
pub(crate) use temporary::Temporary;

mod entry_name;
mod folder;
mod listing;
mod look;
mod names;
mod notification;
mod options;
mod reading;
mod replacement;
mod temporary;
mod watch;

/// A [`CertificateStore`] in a directory: `<name>.pem` holds key, leaf and chain.
///
/// - A file that is empty, or blank, asks for a certificate.
/// - A file is replaced as a whole, and what was written survives a crash: a
///   temporary file, fsync, rename, fsync of the directory.
/// - A new file, and one that was blank and open to all, gets the mode 0600; a
///   replaced one keeps its mode, owner, group and, on Linux, access list.
/// - Several processes may write: they take turns by a lock on the directory itself.
/// - A symbolic link is written through to its target inside the directory, and
///   one to another entry is an alias that is not listed.
/// - `DEFAULT.pem`, dotfiles and whatever else is no lower-case name belong to
///   somebody else and are left alone.
/// - Nothing else is ever put there, except `client.key` by
///   [`load_or_create_account_key`](crate::load_or_create_account_key).
///
/// It works within a tokio runtime whose time is enabled, and waits for the disk on
/// that runtime's blocking threads. Each watch has a thread of its own where the
/// system tells of changes, and a list of thousands of files has up to three more
/// while it lasts.
///
/// ```
/// use acme_store::{CertificateStore, CertificateStoreExt, DirectoryStore, EntryState};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let directory = tempfile::tempdir()?;
/// std::fs::write(directory.path().join("www.example.com.pem"), "")?;
///
/// let store = DirectoryStore::open(directory.path()).await?;
/// let listed = store.list_all().await?;
/// assert_eq!(listed[0].name, "www.example.com".parse()?);
/// let entry = store.get(&listed[0].name).await?.expect("it was listed");
/// assert_eq!(entry.contents, EntryState::Blank);
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct DirectoryStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: Arc<Folder>,
    options: DirectoryOptions,
    /// Threads that may wait for the disk at once.
    slots: Arc<Semaphore>,
    writer: Arc<Mutex<()>>,
}

impl DirectoryStore {
    /// How many calls wait for the disk at once, so that a disk that hangs takes
    /// no more of the runtime's threads.
    pub const MAX_CONCURRENT_CALLS: usize = 16;

    /// Opens an existing directory. Nothing is created.
    ///
    /// Temporary files that a killed process has left behind are removed.
    ///
    /// # Errors
    /// - [`StoreError::DirectoryMissing`] when it does not exist.
    /// - [`StoreError::NotADirectory`] when the path is something else.
    /// - [`StoreError::NotWritable`] when this process may not write there.
    /// - [`StoreError::Io`] and [`StoreError::TimedOut`] when the file system fails.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, DirectoryOptions::default()).await
    }

    /// Opens an existing directory with options.
    ///
    /// # Errors
    /// - As [`open`](Self::open).
    pub async fn open_with(
        path: impl AsRef<Path>,
        options: DirectoryOptions,
    ) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        let store = Self {
            shared: Arc::new(Shared {
                folder: Arc::new(Folder::new(path)),
                options,
                slots: Arc::new(Semaphore::new(Self::MAX_CONCURRENT_CALLS)),
                writer: Arc::default(),
            }),
        };
        let read_only = store.shared.options.read_only;
        store
            .blocking("open", move |folder| {
                let handle = folder.handle()?;
                if !read_only {
                    folder.check_writable()?;
                    temporary::sweep(folder, handle)?;
                }
                Ok(())
            })
            .await?;
        Ok(store)
    }

    /// The directory, as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.shared.folder.path()
    }

    /// Runs what touches the disk on a thread that may wait, for a bounded time.
    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Folder) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.blocking_behind(async {}, operation, work).await
    }

    /// As [`blocking`](Self::blocking), behind those of a queue.
    async fn blocking_behind<P: Send + 'static, T: Send + 'static>(
        &self,
        queue: impl Future<Output = P> + Send + 'static,
        operation: &'static str,
        work: impl FnOnce(&Folder) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = Arc::clone(&self.shared.folder);
        let slots = Arc::clone(&self.shared.slots);
        let path = folder.path().to_owned();
        let places = async move { (queue.await, slots.acquire_owned().await) };
        let done = disk_work(places, move || work(&folder));
        in_time(self.shared.options.call_timeout, operation, path, done).await
    }
}

/// Awaits a blocking call no longer than allowed.
pub(crate) async fn in_time<T>(
    limit: std::time::Duration,
    operation: &'static str,
    path: PathBuf,
    done: impl Future<Output = Result<Result<T, StoreError>, Box<dyn Error + Send + Sync>>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, done).await {
        Ok(Ok(result)) => result,
        Ok(Err(ended)) => Err(StoreError::Unavailable(ended)),
        Err(_) => Err(StoreError::TimedOut { operation, path }),
    }
}

impl CertificateStore for DirectoryStore {
    fn list(
        &self,
        after: Option<Cursor>,
    ) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
        Box::pin(self.blocking("list", move |folder| {
            listing::page(folder, after.as_ref()).map(|it| it.page)
        }))
    }

    fn get<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        Box::pin(async move {
            let limit = self.shared.folder.name_limit();
            let Ok(file) = EntryName::new(name, limit) else {
                // No file could have this name.
                return Ok(None);
            };
            self.blocking("read", move |folder| reading::entry(folder, &file))
                .await
        })
    }

    fn put<'a>(
        &'a self,
        name: &'a ServerName,
        bundle: &'a CertificateBundle,
        expected: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>> {
        Box::pin(async move {
            let folder = &self.shared.folder;
            if self.shared.options.read_only {
                return Err(folder.not_writable().into());
            }
            let file = EntryName::new(name, folder.name_limit())?;
            let pem = bundle.to_pem();
            let mode = self.shared.options.new_file_mode;
            // The turn is taken outside, so that only one thread at a time waits for the lock.
            let turn = Arc::clone(&self.shared.writer).lock_owned();
            let put = self.blocking_behind(turn, "replace", move |folder| {
                Ok(replacement::put(
                    folder,
                    &file,
                    pem.as_bytes(),
                    &expected,
                    mode,
                ))
            });
            put.await?
        })
    }

    fn accepts<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let folder = &self.shared.folder;
            if self.shared.options.read_only {
                return Err(folder.not_writable());
            }
            let file = EntryName::new(name, folder.name_limit())?;
            let mode = self.shared.options.new_file_mode;
            self.blocking("check", move |folder| {
                replacement::check(folder, &file, mode)
            })
            .await
        })
    }

    fn watch(&self) -> BoxStream<'static, StoreEvent> {
        watch::watch(self.clone(), self.shared.options.clone())
    }
}
