//! Looks and puts at once, and a provider that refuses.

use acme_client::SystemClock;
use acme_store::{
    CertificateBundle, Cursor, Expect, Listed, MemoryStore, Page, PutError, StoreError, Version,
};
use acme_testing::{CertificateValidity, TestPki};
use rustls::{
    crypto::{CryptoProvider, KeyProvider, ring},
    pki_types::PrivateKeyDer,
    sign::SigningKey,
};
use tokio::sync::watch;

use super::*;
use crate::{CertificateResolver, serving_store::ServingStore};

/// Reads first and answers later, as a network may.
#[derive(Clone, Debug)]
struct Slow {
    inner: MemoryStore,
    held: Arc<watch::Sender<bool>>,
    reading: Arc<watch::Sender<usize>>,
}

impl Slow {
    async fn answer(&self) {
        self.reading.send_modify(|count| *count += 1);
        let mut held = self.held.subscribe();
        held.wait_for(|held| !held).await.unwrap();
    }
}

impl CertificateStore for Slow {
    fn list(
        &self,
        after: Option<Cursor>,
    ) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
        Box::pin(async move {
            let page = self.inner.list(after).await;
            self.answer().await;
            page
        })
    }

    fn get<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        Box::pin(async move {
            let entry = self.inner.get(name).await;
            self.answer().await;
            entry
        })
    }

    fn put<'a>(
        &'a self,
        name: &'a ServerName,
        bundle: &'a CertificateBundle,
        expected: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>> {
        self.inner.put(name, bundle, expected)
    }

    fn accepts<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.accepts(name)
    }

    fn watch(&self) -> BoxStream<'static, StoreEvent> {
        self.inner.watch()
    }
}

struct World {
    pki: TestPki,
    store: Slow,
    serving: Serving,
    resolver: CertificateResolver,
    sync: Arc<Sync>,
    writer: ServingStore,
}

fn world(provider: CryptoProvider) -> World {
    let store = Slow {
        inner: MemoryStore::new(),
        held: Arc::new(watch::Sender::new(false)),
        reading: Arc::new(watch::Sender::new(0)),
    };
    let resolver = CertificateResolver::new();
    let serving = Serving::new(resolver.clone(), Arc::new(provider));
    let sync = Sync {
        store: Arc::new(store.clone()),
        serving: serving.clone(),
        clock: Arc::new(SystemClock),
    };
    World {
        pki: TestPki::new().unwrap(),
        writer: ServingStore {
            store: Arc::new(store.clone()),
            serving: serving.clone(),
        },
        store,
        serving,
        resolver,
        sync: Arc::new(sync),
    }
}

impl World {
    fn bundle(&self) -> CertificateBundle {
        let names = [name()];
        let (chain, key) = self
            .pki
            .issue_server(&names, CertificateValidity::FOREVER)
            .unwrap();
        CertificateBundle::new(key, chain).unwrap()
    }

    /// Lets reads stop after they have read; waits for the first that does.
    async fn hold_during(&self, look: impl Future<Output = ()> + Send + 'static) -> Held {
        self.store.reading.send_replace(0);
        self.store.held.send_replace(true);
        let look = tokio::spawn(look);
        let mut reading = self.store.reading.subscribe();
        reading.wait_for(|count| *count > 0).await.unwrap();
        Held(look)
    }

    async fn release(&self, held: Held) {
        self.store.held.send_replace(false);
        held.0.await.unwrap();
    }

    fn serves(&self, bundle: &CertificateBundle) -> bool {
        let expected = &bundle.chain().as_der()[0];
        let shown = self.resolver.get(Some("www.example.com"));
        shown.is_some_and(|key| key.cert[0] == *expected)
    }
}

struct Held(tokio::task::JoinHandle<()>);

fn name() -> ServerName {
    "www.example.com".parse().unwrap()
}

#[tokio::test]
async fn a_slow_read_does_not_undo_a_put() {
    let world = world(ring::default_provider());
    let (old, new) = (world.bundle(), world.bundle());
    let version = world
        .writer
        .put(&name(), &old, Expect::Absent)
        .await
        .unwrap();
    let sync = world.sync.clone();
    let held = world
        .hold_during(async move {
            sync.look_at(vec![name()]).await;
        })
        .await;
    world
        .writer
        .put(&name(), &new, version.into())
        .await
        .unwrap();
    assert!(world.serves(&new));
    world.release(held).await;
    assert!(world.serves(&new));
}

#[tokio::test]
async fn a_slow_list_does_not_undo_a_put() {
    let world = world(ring::default_provider());
    let sync = world.sync.clone();
    let held = world
        .hold_during(async move {
            sync.look_at_all().await;
        })
        .await;
    let new = world.bundle();
    world
        .writer
        .put(&name(), &new, Expect::Absent)
        .await
        .unwrap();
    world.release(held).await;
    assert!(world.serves(&new));
}

#[tokio::test]
async fn what_another_wrote_after_a_put_is_read_again() {
    let world = world(ring::default_provider());
    let (ours, theirs) = (world.bundle(), world.bundle());
    let sync = world.sync.clone();
    let held = world
        .hold_during(async move {
            sync.look_at(vec![name()]).await;
        })
        .await;
    let version = world
        .writer
        .put(&name(), &ours, Expect::Absent)
        .await
        .unwrap();
    let inner = &world.store.inner;
    inner.put(&name(), &theirs, version.into()).await.unwrap();
    world.release(held).await;
    assert!(world.serves(&theirs));
}

#[tokio::test]
async fn what_is_gone_is_taken_out() {
    let world = world(ring::default_provider());
    let bundle = world.bundle();
    world
        .writer
        .put(&name(), &bundle, Expect::Absent)
        .await
        .unwrap();
    assert_eq!(world.sync.look_at_all().await, Look::Complete);
    assert!(world.serves(&bundle));
    world.store.inner.remove(&name());
    assert_eq!(world.sync.look_at_all().await, Look::Complete);
    assert!(world.resolver.is_empty());
}

/// Can do everything but load a key.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("not this kind of key".to_owned()))
    }
}

#[tokio::test]
async fn what_cannot_be_served_replaces_nothing() {
    let world = world(CryptoProvider {
        key_provider: &NoKeys,
        ..ring::default_provider()
    });
    let (old, new) = (world.bundle(), world.bundle());
    let inner = &world.store.inner;
    let version = inner.put(&name(), &old, Expect::Absent).await.unwrap();
    let error = world.writer.put(&name(), &new, version.into()).await;
    assert!(matches!(error, Err(PutError::Store(_))), "{error:?}");
    let kept = inner.get(&name()).await.unwrap().unwrap();
    assert_eq!(kept.bundle(), Some(&old));
    assert!(world.serving.load(&old).is_err());
    assert!(world.resolver.is_empty());
}
