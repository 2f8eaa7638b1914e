//! Orders that outlive the process that placed them.

use std::sync::{Arc, Mutex};

use acme_client::{
    CertificateRequest, ErrorKind, JournalEntry, JournalError, OrderJournal,
    messages::{
        OrderStatus,
        jose::{BoxFuture, KeyType, Signer},
    },
};
use acme_testing::{Fault, Operation as Asked};

use crate::{
    transport::Meddle,
    world::{World, builder, names, within},
};

/// Keeps entries, and what the CA had been asked by then.
#[derive(Debug, Default)]
struct InMemory {
    entries: Mutex<Vec<JournalEntry>>,
    broken: bool,
}

impl OrderJournal for InMemory {
    fn record<'a>(&'a self, entry: &'a JournalEntry) -> BoxFuture<'a, Result<(), JournalError>> {
        self.entries.lock().unwrap().push(entry.clone());
        let broken = self.broken;
        Box::pin(async move {
            match broken {
                true => Err(JournalError::new("the disk is full")),
                false => Ok(()),
            }
        })
    }
}

impl InMemory {
    fn last(&self) -> JournalEntry {
        self.entries.lock().unwrap().last().unwrap().clone()
    }
}

fn request(world: &World, journal: &Arc<InMemory>) -> CertificateRequest {
    CertificateRequest::generate(&names(&["a.example"]), KeyType::EcdsaP256)
        .unwrap()
        .responder(world.responder.clone())
        .journal(journal.clone())
}

/// The request that a new process makes of what it finds.
fn again(world: &World, journal: &Arc<InMemory>) -> CertificateRequest {
    let entry = journal.last();
    CertificateRequest::with_key(&names(&["a.example"]), entry.key.unwrap())
        .unwrap()
        .responder(world.responder.clone())
        .journal(journal.clone())
        .resuming(entry.order_url)
}

// Nothing that costs happens before the order and its key are written down.
#[tokio::test]
async fn the_order_and_its_key_are_written_down_first() {
    let world = World::new().await;
    let account = world.account().await;
    let journal = Arc::new(InMemory {
        broken: true,
        ..InMemory::default()
    });
    let request = request(&world, &journal);
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Journal);
    assert_eq!(world.asked(), [Asked::NewOrder]);
    let entry = journal.last();
    assert_eq!(entry.account_url, account.url());
    assert_eq!(entry.directory_url, world.ca.directory_url());
    assert_eq!(Some(entry.order_url.as_str()), error.url());
    let key = entry.key.as_ref().unwrap();
    assert_eq!(entry.csr.public_key(), key.public_jwk());
    // No part of the key is shown.
    let secret = key.to_pkcs8_pem().unwrap();
    let shown = format!("{entry:?} {request:?}");
    for line in secret.lines().filter(|it| !it.starts_with('-')) {
        assert!(!shown.contains(line), "{shown}");
    }
}

// Killed at each request of an order: the next process finishes it, and no second one is placed.
#[tokio::test]
async fn crash_after_finalize_recovers_the_certificate() {
    let parts = [
        "authorization",
        "challenge",
        "/order/",
        "finalize",
        "certificate",
    ];
    for part in parts {
        for meddle in [true, false] {
            let world = World::with(builder().processing_polls(2)).await;
            let account = world.account().await;
            let journal = Arc::new(InMemory::default());
            let first = request(&world, &journal);
            let key = first.key().unwrap().clone();
            // From this request on nothing is heard any more; it may have arrived.
            let mut dead = false;
            world.transport.rule(move |request| {
                let hit = request.uri().path().contains(part);
                let was_dead = dead;
                dead |= hit;
                match (was_dead, hit) {
                    (false, true) if meddle => Meddle::DeliverAndHang,
                    (false, false) => Meddle::Pass,
                    _ => Meddle::Hang,
                }
            });
            let obtain = {
                let account = account.clone();
                tokio::spawn(async move { account.obtain(&first).await })
            };
            let transport = world.transport.clone();
            let hit = || transport.seen().iter().any(|it| it.url.contains(part));
            crate::world::until(hit).await;
            if meddle {
                let delivered = || transport.delivered();
                crate::world::until(delivered).await;
            }
            obtain.abort();
            let _ = obtain.await;
            world.transport.rule(|_| Meddle::Pass);

            let issued = within(account.obtain(&again(&world, &journal)))
                .await
                .unwrap();
            issued.chain.check_key(key.public_jwk()).unwrap();
            assert_eq!(issued.key.unwrap().public_jwk(), key.public_jwk());
            assert_eq!(world.ca.orders().len(), 1, "{part} {meddle}");
            assert_eq!(world.ca.issued().len(), 1, "{part} {meddle}");
            assert_eq!(issued.order_url, journal.last().order_url);
            crate::world::until(|| world.responder.under_way() == 0).await;
        }
    }
}

// An order that is of no use any more is not the end: a new one is placed.
#[tokio::test]
async fn an_order_of_no_use_is_replaced() {
    let world = World::new().await;
    let account = world.account().await;
    let journal = Arc::new(InMemory::default());

    // Invalid: nobody answered.
    let mute = CertificateRequest::generate(&names(&["a.example"]), KeyType::EcdsaP256)
        .unwrap()
        .responder(Arc::new(acme_testing::NullResponder::new(
            crate::world::http_01(),
        )))
        .journal(journal.clone());
    within(account.obtain(&mute)).await.unwrap_err();
    let failed = journal.last().order_url;
    assert_eq!(
        account.order(failed.as_str()).await.unwrap().state().status,
        OrderStatus::Invalid
    );
    let again = again(&world, &journal);
    assert!(account.resume(&failed, &again).await.unwrap().is_none());
    let issued = within(account.obtain(&again)).await.unwrap();
    assert_ne!(issued.order_url, failed);

    // Gone, somebody else's, for other names, for another key.
    let fresh = request(&world, &journal);
    let gone = format!("{failed}x");
    assert!(account.resume(&gone, &fresh).await.unwrap().is_none());
    let issued = within(account.obtain(&fresh.clone().resuming(gone))).await;
    let other_key = issued.unwrap().order_url;
    let strangers = request(&world, &journal);
    assert!(
        account
            .resume(&other_key, &strangers)
            .await
            .unwrap()
            .is_none()
    );
    let b = world.request(&["b.example"]);
    assert!(account.resume(&other_key, &b).await.unwrap().is_none());
    assert!(account.resume(&other_key, &fresh).await.unwrap().is_some());
}

// A CA in trouble is not taken for one that has forgotten.
#[tokio::test]
async fn an_outage_does_not_place_a_second_order() {
    let world = World::new().await;
    let account = world.account().await;
    let journal = Arc::new(InMemory::default());
    within(account.obtain(&request(&world, &journal)))
        .await
        .unwrap();
    for fault in [
        Fault::Html(503),
        Fault::DropRequest,
        Fault::RateLimited(None),
    ] {
        world.ca.inject(fault.on(Asked::Order));
        let error = within(account.obtain(&again(&world, &journal))).await;
        assert!(error.unwrap_err().is_transient());
        world.ca.clear_faults();
    }
    assert_eq!(world.ca.orders().len(), 1);
}
