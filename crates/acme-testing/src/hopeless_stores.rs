//! Stores that always fail, and stores that never answer.

use std::future::{pending, ready};

use acme_messages::{ServerName, jose::BoxFuture};
use acme_store::{
    BoxStream, CertificateBundle, CertificateStore, Cursor, Entry, Expect, Listed, Page, PutError,
    StoreError, StoreEvent, Version,
};
use futures_util::stream;

use crate::InjectedFault;

/// Never answers any call, and sees nothing change.
///
/// ```
/// use acme_testing::{HangingStore, store::CertificateStore};
/// use futures_util::FutureExt;
///
/// assert!(HangingStore.list(None).now_or_never().is_none());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HangingStore;

impl CertificateStore for HangingStore {
    fn list(&self, _: Option<Cursor>) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
        Box::pin(pending())
    }

    fn get<'a>(&'a self, _: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        Box::pin(pending())
    }

    fn put<'a>(
        &'a self,
        _: &'a ServerName,
        _: &'a CertificateBundle,
        _: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>> {
        Box::pin(pending())
    }

    fn accepts<'a>(&'a self, _: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(pending())
    }

    fn watch(&self) -> BoxStream<'static, StoreEvent> {
        Box::pin(stream::pending())
    }
}

/// Fails every call as a store does that cannot be reached, and sees nothing change.
///
/// ```
/// use acme_testing::{FailingStore, store::CertificateStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let error = FailingStore.get(&"example.com".parse()?).await.unwrap_err();
/// assert!(error.is_transient());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct FailingStore;

impl FailingStore {
    fn unavailable() -> StoreError {
        StoreError::Unavailable(InjectedFault.into())
    }
}

impl CertificateStore for FailingStore {
    fn list(&self, _: Option<Cursor>) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
        Box::pin(ready(Err(Self::unavailable())))
    }

    fn get<'a>(&'a self, _: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        Box::pin(ready(Err(Self::unavailable())))
    }

    fn put<'a>(
        &'a self,
        _: &'a ServerName,
        _: &'a CertificateBundle,
        _: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>> {
        Box::pin(ready(Err(Self::unavailable().into())))
    }

    fn accepts<'a>(&'a self, _: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(ready(Err(Self::unavailable())))
    }

    fn watch(&self) -> BoxStream<'static, StoreEvent> {
        Box::pin(stream::pending())
    }
}
