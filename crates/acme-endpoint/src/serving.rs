//! What is served from a store, and at which versions.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use acme_messages::ServerName;
use acme_store::{CertificateBundle, Listed, Version};
use rustls::{crypto::CryptoProvider, sign::CertifiedKey};

use crate::{CertificateResolver, resolver::certified_key};

/// Where certificates are served from, and what parses them. Clones share it.
///
/// Two write here: who looks at the store, and who puts into it. A look takes
/// time, so that what it has read of a name may be older than what was put
/// meanwhile; such names are read again.
#[derive(Clone, Debug)]
pub(crate) struct Serving {
    resolver: CertificateResolver,
    provider: Arc<CryptoProvider>,
    state: Arc<Mutex<State>>,
}

/// Never locked by a handshake, nor across an `await`.
#[derive(Debug, Default)]
struct State {
    /// The names of the store, each at the version that was last seen.
    known: HashMap<ServerName, Version>,
    /// What was put since the look under way began.
    put: HashSet<ServerName>,
}

/// What a look has read of a name.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) name: ServerName,
    /// `None` when there certainly is nothing.
    pub(crate) version: Option<Version>,
    /// `None` when there is nothing that can be served.
    pub(crate) key: Option<Arc<CertifiedKey>>,
}

impl Serving {
    pub(crate) fn new(resolver: CertificateResolver, provider: Arc<CryptoProvider>) -> Self {
        Self {
            resolver,
            provider,
            state: Arc::default(),
        }
    }

    /// Parses a bundle for handshakes.
    pub(crate) fn load(
        &self,
        bundle: &CertificateBundle,
    ) -> Result<Arc<CertifiedKey>, rustls::Error> {
        certified_key(bundle, &self.provider).map(Arc::new)
    }

    /// Serves what was just put from the next handshake on.
    pub(crate) fn put(&self, name: &ServerName, version: Version, key: Arc<CertifiedKey>) {
        let mut state = self.lock();
        state.known.insert(name.clone(), version);
        state.put.insert(name.clone());
        self.resolver.update([(name.clone(), Some(key))]);
    }

    /// Begins a look at the store; there is one at a time.
    pub(crate) fn begin_look(&self) {
        self.lock().put.clear();
    }

    /// Takes names out that a whole list does not have, and gives those to read.
    pub(crate) fn compare(&self, listed: Vec<Listed>) -> Vec<ServerName> {
        let mut state = self.lock();
        let names: HashSet<_> = listed.iter().map(|it| &it.name).collect();
        let gone = |name: &&ServerName| !names.contains(name) && !state.put.contains(*name);
        let gone: Vec<_> = state.known.keys().filter(gone).cloned().collect();
        for name in &gone {
            state.known.remove(name);
        }
        if !gone.is_empty() {
            self.resolver
                .update(gone.into_iter().map(|name| (name, None)));
        }
        listed
            .into_iter()
            .filter(|it| state.known.get(&it.name) != Some(&it.version))
            .map(|it| it.name)
            .collect()
    }

    /// Serves what was read, in one swap; gives the names to read again.
    ///
    /// A name without anything to serve keeps what it has, unless it is gone.
    pub(crate) fn apply(&self, seen: Vec<Seen>) -> Vec<ServerName> {
        let mut state = self.lock();
        let (mut again, mut changes) = (Vec::new(), Vec::new());
        for Seen { name, version, key } in seen {
            if state.put.contains(&name) {
                again.push(name);
                continue;
            }
            match version {
                Some(version) => {
                    state.known.insert(name.clone(), version);
                    changes.extend(key.map(|key| (name, Some(key))));
                }
                // A name that never came from the store is the application's own.
                None => changes.extend(state.known.remove(&name).map(|_| (name, None))),
            }
        }
        if !changes.is_empty() {
            self.resolver.update(changes);
        }
        again
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Versions that are half noted lead to one more read.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
