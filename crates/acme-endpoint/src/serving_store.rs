//! A store whose certificates are served by the time they are stored.

use std::sync::Arc;

use acme_messages::ServerName;
use acme_store::{
    BoxFuture, BoxStream, CertificateBundle, CertificateStore, Cursor, Entry, Expect, Listed, Page,
    PutError, StoreError, StoreEvent, Version,
};

use crate::serving::Serving;

/// Passes everything on, and shows handshakes what was put before the writer hears of it.
///
/// Whoever is told that a certificate was issued can rely on being served it.
/// What cannot be served is not put: the certificate before it may be valid.
#[derive(Debug)]
pub(crate) struct ServingStore {
    pub(crate) store: Arc<dyn CertificateStore>,
    pub(crate) serving: Serving,
}

impl CertificateStore for ServingStore {
    fn list(
        &self,
        after: Option<Cursor>,
    ) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
        self.store.list(after)
    }

    fn get<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        self.store.get(name)
    }

    fn put<'a>(
        &'a self,
        name: &'a ServerName,
        bundle: &'a CertificateBundle,
        expected: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>> {
        Box::pin(async move {
            let key = self
                .serving
                .load(bundle)
                .map_err(|error| StoreError::Unavailable(error.into()))?;
            let version = self.store.put(name, bundle, expected).await?;
            self.serving.put(name, version.clone(), key);
            Ok(version)
        })
    }

    fn accepts<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.accepts(name)
    }

    fn watch(&self) -> BoxStream<'static, StoreEvent> {
        self.store.watch()
    }
}
