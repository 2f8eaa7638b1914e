//! The one question a server asks its store: which certificate for this name?

use std::{collections::BTreeMap, fmt, sync::Arc};

use acme_messages::{ServerName, jose::BoxFuture};
use futures_core::stream::BoxStream;

use crate::{CertificateBundle, Expect, Version};
pub use entry::{Cursor, Entry, EntryState, Listed, Page, StoreEvent};
pub use error::{PutError, StoreError};

mod entry;
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
/// The feature `conformance` has a suite that asks all this of any store.
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
    /// That the certificate is for the name is for the caller to see: a store keeps
    /// what it is given.
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
    /// that stays silent from its beginning. The stream never ends.
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
