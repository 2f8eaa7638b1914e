//! The one question a server asks its store: which certificate for this name?

use std::{collections::BTreeMap, fmt, sync::Arc};

use acme_messages::{ServerName, jose::BoxFuture};
use futures_core::stream::BoxStream;

use crate::{BundleError, CertificateBundle, Expect, Version};
pub use error::{PutError, StoreError};

mod error;

/// Where certificates live, and where the names to keep valid come from.
///
/// This is the extension point: a load balancer, a REST service or a database
/// becomes a store by answering these five questions.
///
/// The contract:
///
/// - **Down is never missing.** `Ok(None)` and a list without a name are positive
///   answers. Whatever keeps a store from knowing is an error.
/// - **Writes are atomic and conditional.** A reader sees the old entry or the new
///   one, and [`put`](Self::put) changes nothing unless what is there is what the
///   writer expected. A write that fails leaves the old entry as it was.
/// - **An entry stands alone.** One that is damaged never hides another.
/// - **Nothing waits for ever**: each call ends in bounded time, and a future may be
///   dropped at any point.
///
/// ```
/// use acme_store::{
///     BoxFuture, BoxStream, CertificateBundle, CertificateStore, Cursor, Entry, Expect,
///     Listed, Page, PutError, StoreError, StoreEvent, Version, messages::ServerName,
/// };
///
/// /// Names that a load balancer has, without anything to serve yet.
/// #[derive(Debug)]
/// struct LoadBalancer(Vec<ServerName>);
///
/// impl CertificateStore for LoadBalancer {
///     fn list(&self, _: Option<Cursor>) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
///         let names = self.0.iter().cloned();
///         let items = names.map(|name| Listed::new(name, Version::new(*b"0"))).collect();
///         Box::pin(async { Ok(Page::last(items)) })
///     }
///
///     fn get<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
///         let found = self.0.contains(name).then(|| Entry::blank(Version::new(*b"0")));
///         Box::pin(async { Ok(found) })
///     }
///
///     fn put<'a>(
///         &'a self,
///         name: &'a ServerName,
///         _: &'a CertificateBundle,
///         _: Expect,
///     ) -> BoxFuture<'a, Result<Version, PutError>> {
///         let refused = StoreError::NameNotAllowed { name: name.clone() };
///         Box::pin(async { Err(refused.into()) })
///     }
///
///     fn accepts<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
///         let refused = StoreError::NameNotAllowed { name: name.clone() };
///         Box::pin(async { Err(refused) })
///     }
///
///     fn watch(&self) -> BoxStream<'static, StoreEvent> {
///         Box::pin(futures_util::stream::pending())
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use acme_store::CertificateStoreExt;
/// let store: Box<dyn CertificateStore> = Box::new(LoadBalancer(vec!["example.com".parse()?]));
/// assert_eq!(store.list_all().await?.len(), 1);
/// assert!(store.get(&"example.org".parse()?).await?.is_none());
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "ICertificateStore")]
pub trait CertificateStore: fmt::Debug + Send + Sync + 'static {
    /// One page of the names, each with its version and without its contents.
    ///
    /// `None` asks for the first page, a page's [`next`](Page::next) for the one
    /// behind it; the store chooses how long pages are. A name that is there
    /// throughout comes exactly once, whatever else comes and goes. A caller
    /// that keeps the versions reads only what has changed, so that a hundred
    /// thousand names cost no more than their list.
    ///
    /// # Errors
    /// - [`StoreError`] when the store cannot know all names of the page.
    fn list(
        &self,
        after: Option<Cursor>,
    ) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>>;

    /// What is kept for exactly this name; `None` when there certainly is nothing.
    ///
    /// # Errors
    /// - [`StoreError`] when the store cannot know.
    fn get<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>>;

    /// Replaces what is kept for this name, if it still is what was expected.
    ///
    /// # Errors
    /// - [`PutError::Conflict`] when something else is there. Nothing was written.
    /// - [`PutError::Store`] when the store cannot write. If the reason
    ///   [may pass](StoreError::is_transient), the write may have happened all
    ///   the same: read again.
    #[doc(alias = "store")]
    fn put<'a>(
        &'a self,
        name: &'a ServerName,
        bundle: &'a CertificateBundle,
        expected: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>>;

    /// Whether a bundle for this name could be put now; asked before an order is spent.
    ///
    /// # Errors
    /// - [`StoreError::NameNotAllowed`], [`StoreError::NameTooLong`] and the like when not.
    /// - [`StoreError`] when the store cannot know.
    fn accepts<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Hints that something has changed.
    ///
    /// The first event is [`StoreEvent::Resync`], sent once changes are seen: who
    /// lists on each `Resync` and gets on each `Changed` misses nothing. A hint
    /// may come twice or for nothing. A store that cannot tell gives a stream
    /// that stays silent. The stream never ends.
    fn watch(&self) -> BoxStream<'static, StoreEvent>;
}

/// What callers of any [`CertificateStore`] want and implementers need not write.
pub trait CertificateStoreExt: CertificateStore {
    /// All names with their versions, page after page.
    ///
    /// # Errors
    /// - [`StoreError`] when a page cannot be had; half a list is none.
    fn list_all(&self) -> BoxFuture<'_, Result<Vec<Listed>, StoreError>> {
        Box::pin(async move {
            let mut all = Vec::new();
            let mut after = None;
            loop {
                let page = self.list(after).await?;
                all.extend(page.items);
                after = page.next;
                if after.is_none() {
                    return Ok(all);
                }
            }
        })
    }

    /// All names with what is kept for them: for a few, not for a hundred thousand.
    ///
    /// An entry that cannot be read has its own error.
    ///
    /// # Errors
    /// - [`StoreError`] when the names cannot be listed.
    #[doc(alias = "as_dict")]
    #[expect(
        clippy::type_complexity,
        reason = "the outer result is the list's, the inner each entry's"
    )]
    fn get_all(
        &self,
    ) -> BoxFuture<'_, Result<BTreeMap<ServerName, Result<Entry, StoreError>>, StoreError>> {
        Box::pin(async move {
            let mut all = BTreeMap::new();
            for Listed { name, .. } in self.list_all().await? {
                if let Some(entry) = self.get(&name).await.transpose() {
                    all.insert(name, entry);
                }
            }
            Ok(all)
        })
    }
}

impl<T: CertificateStore + ?Sized> CertificateStoreExt for T {}

macro_rules! forward_certificate_store {
    ($($pointer:ty),*) => {$(
        impl<T: CertificateStore + ?Sized> CertificateStore for $pointer {
            fn list(
                &self,
                after: Option<Cursor>,
            ) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
                (**self).list(after)
            }

            fn get<'a>(
                &'a self,
                name: &'a ServerName,
            ) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
                (**self).get(name)
            }

            fn put<'a>(
                &'a self,
                name: &'a ServerName,
                bundle: &'a CertificateBundle,
                expected: Expect,
            ) -> BoxFuture<'a, Result<Version, PutError>> {
                (**self).put(name, bundle, expected)
            }

            fn accepts<'a>(
                &'a self,
                name: &'a ServerName,
            ) -> BoxFuture<'a, Result<(), StoreError>> {
                (**self).accepts(name)
            }

            fn watch(&self) -> BoxStream<'static, StoreEvent> {
                (**self).watch()
            }
        }
    )*};
}

forward_certificate_store!(Arc<T>, Box<T>);

/// A part of a listing, and where the next part begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The listed.
    pub items: Vec<T>,
    /// What to ask for the next page with; `None` on the last.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// A page with nothing behind it.
    #[must_use]
    pub const fn last(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// Where the next page of a store's names begins; only that store can read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(Box<[u8]>);

impl Cursor {
    /// Takes the bytes that a store finds its place with.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for the store that made them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A name that a store has something for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The name.
    pub name: ServerName,
    /// The version that [`CertificateStore::get`] gives, if nothing changes meanwhile.
    pub version: Version,
}

impl Listed {
    /// A name at a version.
    #[must_use]
    pub const fn new(name: ServerName, version: Version) -> Self {
        Self { name, version }
    }
}

/// What a store keeps for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// What it is.
    pub contents: EntryState,
    /// What a [`put`](CertificateStore::put) that replaces it must expect.
    pub version: Version,
}

impl Entry {
    /// An entry in the given state.
    #[must_use]
    pub const fn new(contents: EntryState, version: Version) -> Self {
        Self { contents, version }
    }

    /// A request for a certificate.
    #[must_use]
    pub const fn blank(version: Version) -> Self {
        Self::new(EntryState::Blank, version)
    }

    /// The bundle, if there is one.
    #[must_use]
    pub const fn bundle(&self) -> Option<&CertificateBundle> {
        match &self.contents {
            EntryState::Bundle(bundle) => Some(bundle),
            EntryState::Blank | EntryState::Damaged(_) => None,
        }
    }
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// Nothing: a request to issue.
    Blank,
    /// A key and its certificate.
    Bundle(CertificateBundle),
    /// Something that makes no bundle, which a person should look at.
    ///
    /// It may be the only copy of a key that another program can read, so it is
    /// no request to issue.
    Damaged(BundleError),
}

/// A hint from [`CertificateStore::watch`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreEvent {
    /// The entry of this name may have changed, come or gone.
    Changed(ServerName),
    /// Anything may have changed: list again.
    Resync,
}
