//! From the store to the snapshot that handshakes read: parsed here, off their path.

use std::{collections::HashMap, sync::Arc};

use acme_messages::ServerName;
use acme_service::ServiceEvent;
use acme_store::{
    BoxStream, CertificateBundle, CertificateStore, CertificateStoreExt, EntryState, StoreError,
    StoreEvent, Version,
};
use futures_util::StreamExt;
use rustls::{crypto::CryptoProvider, sign::CertifiedKey};
use tokio::sync::broadcast;

use crate::{CertificateResolver, resolver::certified_key};

/// How many certificates are parsed before others get the thread.
const BATCH: usize = 64;

/// Keeps a resolver's snapshot like a store.
///
/// What cannot be read or used leaves what is served as it is; only a name that
/// is certainly gone is taken out.
#[derive(Debug)]
pub(crate) struct Sync {
    store: Arc<dyn CertificateStore>,
    serving: Serving,
    known: HashMap<ServerName, Version>,
}

/// Where certificates are served from, and what parses them.
#[derive(Clone, Debug)]
pub(crate) struct Serving {
    pub(crate) resolver: CertificateResolver,
    pub(crate) provider: Arc<CryptoProvider>,
}

type Change = (ServerName, Option<Arc<CertifiedKey>>);

impl Serving {
    fn parse(&self, name: &ServerName, bundle: &CertificateBundle) -> Option<Arc<CertifiedKey>> {
        match certified_key(bundle, &self.provider) {
            Ok(key) => Some(Arc::new(key)),
            Err(error) => {
                tracing::warn!(%name, %error, "a certificate cannot be served");
                None
            }
        }
    }

    /// Serves a certificate from the next handshake on.
    pub(crate) fn serve(&self, name: &ServerName, bundle: &CertificateBundle) {
        if let Some(key) = self.parse(name, bundle) {
            self.resolver.update([(name.clone(), Some(key))]);
        }
    }
}

impl Sync {
    pub(crate) fn new(store: Arc<dyn CertificateStore>, serving: Serving) -> Self {
        Self {
            store,
            serving,
            known: HashMap::new(),
        }
    }

    /// Follows the store until the service, whose events these are, ends.
    pub(crate) async fn run(mut self, mut events: broadcast::Receiver<ServiceEvent>) {
        let mut hints = self.store.watch();
        loop {
            tokio::select! {
                hint = next_hint(&mut hints) => match hint {
                    StoreEvent::Changed(name) => self.reload(&name).await,
                    _ => self.reload_all().await,
                },
                event = events.recv() => {
                    if matches!(event, Err(broadcast::error::RecvError::Closed)) {
                        return;
                    }
                }
            }
        }
    }

    /// Reads every entry that has changed, and swaps the snapshot once.
    pub(crate) async fn reload_all(&mut self) {
        let listed = match self.store.list_all().await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(%error, "the store cannot be listed; what was served is served on");
                return;
            }
        };
        let mut gone = std::mem::take(&mut self.known);
        let mut changes = Vec::new();
        for (at, entry) in listed.into_iter().enumerate() {
            if at % BATCH == BATCH - 1 {
                tokio::task::yield_now().await;
            }
            if gone.remove(&entry.name) == Some(entry.version.clone()) {
                self.known.insert(entry.name, entry.version);
            } else {
                let name = entry.name;
                let read = self.read(&name).await;
                self.note(name, read, &mut changes);
            }
        }
        changes.extend(gone.into_keys().map(|name| (name, None)));
        if !changes.is_empty() {
            self.serving.resolver.update(changes);
        }
    }

    async fn reload(&mut self, name: &ServerName) {
        let mut changes = Vec::new();
        let read = self.read(name).await;
        self.note(name.clone(), read, &mut changes);
        if !changes.is_empty() {
            self.serving.resolver.update(changes);
        }
    }

    async fn read(
        &self,
        name: &ServerName,
    ) -> Result<Option<(Version, Option<CertificateBundle>)>, StoreError> {
        let entry = self.store.get(name).await?;
        Ok(entry.map(|entry| match entry.contents {
            EntryState::Bundle(bundle) => (entry.version, Some(bundle)),
            EntryState::Blank | EntryState::Damaged(_) => (entry.version, None),
        }))
    }

    fn note(
        &mut self,
        name: ServerName,
        read: Result<Option<(Version, Option<CertificateBundle>)>, StoreError>,
        changes: &mut Vec<Change>,
    ) {
        match read {
            Ok(Some((version, bundle))) => {
                if let Some(bundle) = bundle
                    && let Some(key) = self.serving.parse(&name, &bundle)
                {
                    changes.push((name.clone(), Some(key)));
                }
                self.known.insert(name, version);
            }
            Ok(None) => {
                self.known.remove(&name);
                changes.push((name, None));
            }
            Err(error) => {
                tracing::warn!(%name, %error, "an entry cannot be read; what was served is served on");
            }
        }
    }
}

async fn next_hint(hints: &mut BoxStream<'static, StoreEvent>) -> StoreEvent {
    match hints.next().await {
        Some(hint) => hint,
        None => std::future::pending().await,
    }
}
