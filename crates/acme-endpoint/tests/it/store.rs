//! From the store to the handshake: what changes there is served, what fails there is not noticed.

use std::{sync::Arc, time::Duration};

use acme_endpoint::{AutoTlsEndpoint, EndpointHandle};
use acme_messages::{ServerName, Timestamp};
use acme_store::{CertificateBundle, CertificateStore, DirectoryStore, Expect, MemoryStore};
use acme_testing::{FailingCa, FaultyStore, ManualClock, Mishap, StoreOperation, TestPki};

use crate::{
    hello::{hello_naming, send},
    world::{Visitor, bundle, echo, key_for, leaf, leaf_of, loopback, name, provider, soon},
};

const NAME: &str = "www.example.com";

const GRACE: Duration = Duration::from_secs(1);

/// An endpoint on a store, with a CA that is never there.
struct Shop {
    pki: TestPki,
    /// What is stored, behind the store that the endpoint sees.
    memory: MemoryStore,
    store: FaultyStore,
    clock: ManualClock,
}

impl Shop {
    async fn new() -> Self {
        let memory = MemoryStore::new();
        let shop = Self {
            pki: TestPki::new().unwrap(),
            store: FaultyStore::over(memory.clone()),
            memory,
            clock: ManualClock::new(Timestamp::now()),
        };
        shop.renew().await;
        shop
    }

    /// One whose store cannot tell what has changed.
    async fn silent() -> Self {
        let shop = Self::new().await;
        shop.store.set(StoreOperation::Watch, Some(Mishap::Hang));
        shop
    }

    /// What becomes of each look into the store.
    fn set_reads(&self, mishap: Option<Mishap>) {
        for operation in [StoreOperation::List, StoreOperation::Get] {
            self.store.set(operation, mishap);
        }
    }

    /// Puts a bundle in the place of whatever is there.
    async fn replace(&self, name: &ServerName, bundle: &CertificateBundle) {
        let expected = match self.memory.get(name).await.unwrap() {
            Some(entry) => Expect::Version(entry.version),
            None => Expect::Absent,
        };
        self.memory.put(name, bundle, expected).await.unwrap();
    }

    async fn open(&self) -> EndpointHandle {
        let (listener, handle) = soon(
            AutoTlsEndpoint::builder(
                Arc::new(self.store.clone()),
                Arc::new(FailingCa::unreachable()),
            )
            .crypto_provider(provider())
            .clock(Arc::new(self.clock.clone()))
            .start(loopback().await),
        )
        .await
        .unwrap();
        echo(listener);
        handle
    }

    fn visitor(&self) -> Visitor {
        Visitor::trusting(self.pki.root_pem())
    }

    /// Renews behind the endpoint's back, as another process does.
    async fn renew(&self) -> rustls::pki_types::CertificateDer<'static> {
        let new = bundle(&self.pki, &[NAME]);
        self.replace(&name(NAME), &new).await;
        leaf_of(&new)
    }
}

/// Lets everything else go on until something holds.
async fn until(mut holds: impl FnMut() -> bool) {
    soon(async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn served(
    shop: &Shop,
    handle: &EndpointHandle,
) -> rustls::pki_types::CertificateDer<'static> {
    let stream = shop.visitor().visit(handle.local_addr(), NAME).await;
    leaf(&stream.unwrap())
}

async fn until_served(
    shop: &Shop,
    handle: &EndpointHandle,
    expected: &rustls::pki_types::CertificateDer<'static>,
) {
    soon(async { while served(shop, handle).await != *expected {} }).await;
}

#[tokio::test]
async fn what_is_stored_is_served_without_the_ca() {
    let shop = Shop::new().await;
    let handle = shop.open().await;
    assert_eq!(handle.resolver().len(), 1);
    served(&shop, &handle).await;
    assert!(handle.service().initial_check().await.unwrap().is_ok());
    handle.shutdown(GRACE).await;
}

#[tokio::test]
async fn what_another_process_renews_is_served() {
    // E12
    let shop = Shop::new().await;
    let handle = shop.open().await;
    let mut old = shop
        .visitor()
        .visit(handle.local_addr(), NAME)
        .await
        .unwrap();
    let new = shop.renew().await;
    until_served(&shop, &handle, &new).await;
    crate::world::ping(&mut old).await.unwrap();
}

#[tokio::test]
async fn a_store_that_cannot_tell_is_looked_through() {
    let shop = Shop::silent().await;
    let handle = shop.open().await;
    handle.service().initial_check().await.unwrap();
    let mut events = handle.service().subscribe().unwrap();
    let new = shop.renew().await;
    assert_ne!(served(&shop, &handle).await, new);
    shop.clock.wait_for_sleepers(1).await;
    shop.clock
        .advance(acme_endpoint::service::DEFAULT_CHECK_INTERVAL);
    soon(events.recv()).await.unwrap();
    until_served(&shop, &handle, &new).await;
}

#[tokio::test]
async fn a_store_that_is_down_at_the_start_is_read_once_it_is_back() {
    for shop in [Shop::new().await, Shop::silent().await] {
        shop.set_reads(Some(Mishap::Fail));
        let handle = shop.open().await;
        assert!(handle.resolver().is_empty());
        // The endpoint's own first look has failed as well.
        until(|| shop.store.count(StoreOperation::List) >= 2).await;
        shop.set_reads(None);
        soon(async {
            while handle.resolver().is_empty() {
                shop.clock.advance(Duration::from_secs(60));
                tokio::task::yield_now().await;
            }
        })
        .await;
        served(&shop, &handle).await;
        handle.shutdown(GRACE).await;
    }
}

#[tokio::test]
async fn an_entry_that_could_not_be_read_is_read_later() {
    let shop = Shop::new().await;
    let handle = shop.open().await;
    handle.service().initial_check().await.unwrap();
    let old = served(&shop, &handle).await;
    shop.set_reads(Some(Mishap::Hang));
    let new = shop.renew().await;
    // The endpoint and the service have heard of it, and cannot read it.
    soon(shop.store.wait_for_hanging(2)).await;
    shop.set_reads(Some(Mishap::Fail));
    assert_eq!(served(&shop, &handle).await, old);
    shop.set_reads(None);
    soon(async {
        while served(&shop, &handle).await != new {
            shop.clock.advance(Duration::from_secs(1));
        }
    })
    .await;
}

#[tokio::test]
async fn slow_store_never_blocks_handshake() {
    // CertMagic read its store under the lock of its look-ups: 6 s.
    let shop = Shop::new().await;
    let handle = shop.open().await;
    handle.service().initial_check().await.unwrap();
    let old = served(&shop, &handle).await;
    shop.set_reads(Some(Mishap::Hang));
    let new = shop.renew().await;
    soon(shop.store.wait_for_hanging(2)).await;
    for _ in 0..20 {
        assert_eq!(served(&shop, &handle).await, old);
    }
    shop.set_reads(None);
    until_served(&shop, &handle, &new).await;
}

#[tokio::test]
async fn replace_while_serving_does_not_deadlock() {
    // CertMagic deadlocked itself, then every handshake.
    let shop = Shop::new().await;
    let handle = shop.open().await;
    let mut last = None;
    for round in 0..50 {
        last = Some(shop.renew().await);
        let key = key_for(&shop.pki, &["static.example"]);
        let change = (round % 2 == 0).then_some(key);
        handle.resolver().update([(name("static.example"), change)]);
        served(&shop, &handle).await;
    }
    until_served(&shop, &handle, &last.unwrap()).await;
}

#[tokio::test]
async fn a_damaged_entry_keeps_the_old_certificate() {
    let shop = Shop::new().await;
    let handle = shop.open().await;
    let old = served(&shop, &handle).await;
    shop.store.set_damaged(name(NAME), true);
    shop.renew().await;
    // What is read later is read after it.
    let other = bundle(&shop.pki, &["other.example.com"]);
    shop.replace(&name("other.example.com"), &other).await;
    until(|| handle.resolver().has(Some("other.example.com"))).await;
    assert_eq!(served(&shop, &handle).await, old);
}

#[tokio::test]
async fn a_name_goes_only_when_it_is_certainly_gone() {
    let shop = Shop::new().await;
    let handle = shop.open().await;
    let fixed = key_for(&shop.pki, &["static.example"]);
    handle
        .resolver()
        .update([(name("static.example"), Some(fixed))]);
    shop.set_reads(Some(Mishap::Hang));
    shop.memory.remove(&name(NAME));
    soon(shop.store.wait_for_hanging(2)).await;
    shop.set_reads(Some(Mishap::Fail));
    served(&shop, &handle).await;
    shop.set_reads(None);
    soon(async {
        while handle.resolver().has(Some(NAME)) {
            shop.clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    })
    .await;
    // What the application put there itself is the application's.
    assert!(handle.resolver().has(Some("static.example")));
}

#[tokio::test]
async fn a_hint_takes_nothing_of_the_application_s_out() {
    let shop = Shop::new().await;
    let handle = shop.open().await;
    handle.service().initial_check().await.unwrap();
    let fixed = key_for(&shop.pki, &["static.example"]);
    handle
        .resolver()
        .update([(name("static.example"), Some(fixed))]);
    // A hint for a name that the store does not have by the time it is read.
    shop.memory.request(name("static.example"));
    shop.memory.remove(&name("static.example"));
    let other = bundle(&shop.pki, &["other.example.com"]);
    shop.replace(&name("other.example.com"), &other).await;
    until(|| handle.resolver().has(Some("other.example.com"))).await;
    assert!(handle.resolver().has(Some("static.example")));
}

#[tokio::test]
async fn sni_never_leaves_the_directory() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs");
    std::fs::create_dir(&certs).unwrap();
    let pki = TestPki::new().unwrap();
    std::fs::write(
        folder.path().join("secret.pem"),
        bundle(&pki, &["secret.test"]).to_pem(),
    )
    .unwrap();
    std::fs::write(
        certs.join(format!("{NAME}.pem")),
        bundle(&pki, &[NAME]).to_pem(),
    )
    .unwrap();
    let store = DirectoryStore::open(&certs).await.unwrap();
    let (listener, handle) =
        AutoTlsEndpoint::builder(Arc::new(store.clone()), Arc::new(FailingCa::unreachable()))
            .crypto_provider(provider())
            .start(loopback().await)
            .await
            .unwrap();
    echo(listener);
    let visitor = Visitor::trusting(pki.root_pem());
    for strange in [
        "../secret",
        "..",
        "/etc/hostname",
        "x/../../secret",
        "www.example.com/../../secret",
        "*.example.com",
        "www.example.com\0",
        r"..\secret",
        "secret.pem",
        "WWW.example.com.pem",
        "client.key",
    ] {
        let answer = send(
            handle.local_addr(),
            &hello_naming(&visitor, strange.as_bytes()),
        )
        .await;
        assert_eq!(answer.first(), Some(&0x15), "{strange}: {answer:?}");
    }
    visitor.visit(handle.local_addr(), NAME).await.unwrap();
    assert!(store.get(&name(NAME)).await.unwrap().is_some());
    handle.shutdown(GRACE).await;
}
