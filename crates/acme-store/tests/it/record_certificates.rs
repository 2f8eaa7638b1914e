//! Certificates in records: generations, and what a failure at each step leaves.

use std::sync::Arc;

use acme_store::{
    BundleError, CertificateBundle, CertificateStore, CertificateStoreExt, EntryState, Expect,
    Fault, Key, Life, MemoryRecords, Metadata, Prefix, PutError, RecordCertificates, RecordError,
    RecordStore, RollbackError, StoreError, messages::ServerName,
};
use futures_util::FutureExt;

use crate::{clock::TestClock, pki::PKI, records::all};

type Store = RecordCertificates<MemoryRecords>;

const NAME: &str = "www.example.com";

fn name() -> ServerName {
    NAME.parse().unwrap()
}

fn store() -> Store {
    RecordCertificates::new(MemoryRecords::new(Arc::new(TestClock::default())))
}

async fn put(store: &Store, bundle: &CertificateBundle) -> Result<(), PutError> {
    let entry = store.get(&name()).await?;
    let expected = entry.map_or(Expect::Absent, |it| it.version.into());
    store.put(&name(), bundle, expected).await.map(drop)
}

/// The bundles of all generations, the current one first; each can be loaded.
async fn bundles(store: &Store) -> Vec<CertificateBundle> {
    let generations = store.generations(&name()).await.unwrap();
    let bundles = generations.iter().map(|it| it.bundle().unwrap().clone());
    bundles.collect()
}

/// How many values are there, whoever has left them.
async fn values(store: &Store) -> usize {
    all(store.records(), "v1/generations/", 100).await.len()
}

#[tokio::test]
async fn the_last_generations_stay_and_older_ones_go() {
    let store = store();
    let made: Vec<_> = (0..5).map(|_| PKI.bundle(NAME)).collect();
    for (at, bundle) in made.iter().enumerate() {
        put(&store, bundle).await.unwrap();
        let kept = (at + 1).min(1 + Store::KEPT_GENERATIONS);
        let expected: Vec<_> = made[..=at].iter().rev().take(kept).cloned().collect();
        assert_eq!(bundles(&store).await, expected);
        assert_eq!(values(&store).await, kept);
    }
    // Each rollback goes one further, and all of them come full circle.
    for expected in [3, 2, 4, 3] {
        let version = store.rollback(&name()).await.unwrap();
        let entry = store.get(&name()).await.unwrap().unwrap();
        assert_eq!(entry.bundle(), Some(&made[expected]));
        assert_eq!(entry.version, version);
    }
    let version = store.get(&name()).await.unwrap().unwrap().version;
    let stale = store
        .remove(&name(), acme_store::Version::new(*b"stale"))
        .await;
    assert!(matches!(stale, Err(PutError::Conflict)));
    store.remove(&name(), version).await.unwrap();
    assert!(store.get(&name()).await.unwrap().is_none());
    assert_eq!(all(store.records(), "", 100).await, []);
    let nothing = store.rollback(&name()).await;
    assert!(matches!(nothing, Err(RollbackError::NoGeneration)));
}

#[tokio::test]
async fn metadata_stays_with_its_generation() {
    let store = store();
    let (old, new) = (PKI.bundle(NAME), PKI.bundle(NAME));
    let mut metadata = Metadata::default();
    metadata
        .set("order", "https://ca.example/order/1: a")
        .unwrap();
    metadata.set("profile", "").unwrap();
    let version = store
        .put_with(&name(), &old, &metadata, Expect::Absent)
        .await
        .unwrap();
    store.put(&name(), &new, version.into()).await.unwrap();
    let generations = store.generations(&name()).await.unwrap();
    assert_eq!(generations[0].metadata(), Some(&Metadata::default()));
    assert_eq!(generations[1].metadata(), Some(&metadata));
    assert!(!format!("{generations:?}").contains("PRIVATE"));
    for (name, value) in [
        ("", ""),
        ("a b", ""),
        ("a", "\n"),
        ("a", &*"x".repeat(2049)),
    ] {
        metadata.set(name, value).unwrap_err();
    }
    for at in 0..40 {
        let set = metadata.set(&format!("m{at}"), "").is_ok();
        assert_eq!(set, at < 30);
    }
}

/// What is tried with every fault at every step.
#[derive(Clone, Copy, Debug)]
enum Attempt {
    Put,
    Rollback,
    Request,
    Remove,
}

async fn attempt(store: &Store, attempt: Attempt, new: &CertificateBundle) -> bool {
    match attempt {
        Attempt::Put => put(store, new).await.is_ok(),
        Attempt::Rollback => store.rollback(&name()).await.is_ok(),
        Attempt::Request => store
            .request(&"new.example.com".parse().unwrap())
            .await
            .is_ok(),
        Attempt::Remove => {
            let Ok(Some(entry)) = store.get(&name()).await else {
                return false;
            };
            store.remove(&name(), entry.version).await.is_ok()
        }
    }
}

// CertMagic deletes the key of the still valid certificate when a write fails.
#[tokio::test]
async fn kill_at_any_point_leaves_a_loadable_pair() {
    let [older, old, new, next] = std::array::from_fn(|_| PKI.bundle(NAME));
    for tried in [
        Attempt::Put,
        Attempt::Rollback,
        Attempt::Request,
        Attempt::Remove,
    ] {
        for fault in [
            Fault::Unavailable,
            Fault::AppliedThenUnavailable,
            Fault::Denied,
            // Its future is dropped: the process was killed before the step, or after it.
            Fault::Stall,
            Fault::AppliedThenStall,
        ] {
            let mut steps = 0;
            loop {
                let store = store();
                put(&store, &older).await.unwrap();
                put(&store, &old).await.unwrap();
                store.records().faults().inject_any(steps, fault);
                let done = attempt(&store, tried, &new).now_or_never();
                let met = !store.records().faults().is_pending();
                store.records().faults().clear();

                let context = format!("{tried:?}, {fault:?} at step {steps}");
                let there = store.get(&name()).await.unwrap();
                let there = there.as_ref().map(|it| it.bundle().expect(&context));
                let allowed = match tried {
                    Attempt::Put => [Some(&old), Some(&new)],
                    Attempt::Rollback => [Some(&old), Some(&older)],
                    Attempt::Request => [Some(&old); 2],
                    Attempt::Remove => [Some(&old), None],
                };
                assert!(allowed.contains(&there), "{context}");
                if done == Some(true) && !matches!(tried, Attempt::Request) {
                    assert_eq!(there, allowed[1], "{context}");
                }
                if there.is_some() {
                    assert!(bundles(&store).await.len() >= 2, "{context}");
                }
                // Whoever comes next succeeds, and cleans up.
                put(&store, &next).await.unwrap();
                assert_eq!(bundles(&store).await[0], next, "{context}");
                let kept = store.generations(&name()).await.unwrap().len();
                assert_eq!(values(&store).await, kept, "{context}");
                if !met {
                    break;
                }
                steps += 1;
            }
            assert!(steps >= 1, "{tried:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_writer_that_comes_late_loses_and_leaves_nothing() {
    let store = store();
    let [old, new, late] = std::array::from_fn(|_| PKI.bundle(NAME));
    put(&store, &old).await.unwrap();
    let seen = store.get(&name()).await.unwrap().unwrap().version;
    // It has written its generation, and stops before it moves the name.
    let faults = store.records().faults();
    faults.inject(acme_store::Operation::Put, 1, Fault::Stall);
    let (slow, at) = (store.clone(), name());
    let slow = tokio::spawn(async move { slow.put(&at, &late, seen.into()).await });
    faults.wait_for_stalled(1).await;
    // The other cleans up, for nobody can finish what was begun before.
    put(&store, &new).await.unwrap();
    assert_eq!(values(&store).await, 2);
    faults.resume();
    assert!(matches!(slow.await.unwrap(), Err(PutError::Conflict)));
    assert_eq!(bundles(&store).await, [new, old]);
    assert_eq!(values(&store).await, 2);
}

fn key_of(listed: &[(Key, acme_store::Version)], at: usize) -> Key {
    listed[at].0.clone()
}

#[tokio::test]
async fn damage_is_told_and_can_be_undone() {
    let store = store();
    let [old, new] = std::array::from_fn(|_| PKI.bundle(NAME));
    put(&store, &old).await.unwrap();
    let before = all(store.records(), "v1/generations/", 10).await;
    put(&store, &new).await.unwrap();
    let after = all(store.records(), "v1/generations/", 10).await;
    let at = after.iter().position(|it| it.0 != before[0].0).unwrap();
    store.records().damage(&key_of(&after, at));
    let entry = store.get(&name()).await.unwrap().unwrap();
    assert_eq!(entry.contents, EntryState::Damaged(BundleError::Malformed));
    store.rollback(&name()).await.unwrap();
    assert_eq!(
        store.get(&name()).await.unwrap().unwrap().bundle(),
        Some(&old)
    );

    // The damaged one is no way back; another generation is put over it.
    let nothing = store.rollback(&name()).await;
    assert!(matches!(nothing, Err(RollbackError::NoGeneration)));

    // The name's own record: the generations stay.
    store
        .records()
        .damage(&"v1/certs/www.example.com".parse().unwrap());
    let entry = store.get(&name()).await.unwrap().unwrap();
    assert_eq!(entry.contents, EntryState::Damaged(BundleError::Malformed));
    assert_eq!(store.list_all().await.unwrap()[0].version, entry.version);
    store
        .put(&name(), &new, entry.version.into())
        .await
        .unwrap();
    let generations = store.generations(&name()).await.unwrap();
    assert!(generations.iter().any(|it| it.bundle() == Ok(&old)));

    // Foreign contents.
    let records = store.records();
    for (key, value) in [
        ("v1/certs/foreign.example.com", "foreign"),
        (
            "v1/certs/lost.example.com",
            "acme-certificate-pointer 1\ncurrent 00000000000000000000000000000001\n",
        ),
        ("v1/certs/No Name", ""),
    ] {
        let key = key.parse().unwrap();
        records
            .put(&key, value.into(), Expect::Absent, Life::Durable)
            .await
            .unwrap();
    }
    for (name, error) in [
        ("foreign.example.com", BundleError::Malformed),
        ("lost.example.com", BundleError::NoPem),
    ] {
        let entry = store.get(&name.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(entry.contents, EntryState::Damaged(error));
    }
    assert_eq!(store.list_all().await.unwrap().len(), 3);
}

#[tokio::test]
async fn outage_is_not_absence() {
    let store = store();
    put(&store, &PKI.bundle(NAME)).await.unwrap();
    store.records().faults().set_outage(true);
    let missing: ServerName = "missing.example.com".parse().unwrap();
    for name in [&name(), &missing] {
        let got = store.get(name).await;
        let down = matches!(
            &got,
            Err(StoreError::Records(RecordError::Unavailable { .. }))
        );
        assert!(down && got.unwrap_err().is_transient());
    }
    store.list_all().await.unwrap_err();
    store.accepts(&missing).await.unwrap_err();
    store.generations(&name()).await.unwrap_err();
    store.request(&missing).await.unwrap_err();
    let put = store.put(&missing, &PKI.bundle(NAME), Expect::Absent).await;
    assert!(matches!(put, Err(PutError::Store(error)) if error.is_transient()));
    store.records().faults().set_outage(false);
    assert!(
        store
            .get(&name())
            .await
            .unwrap()
            .unwrap()
            .bundle()
            .is_some()
    );
    assert!(store.get(&missing).await.unwrap().is_none());
}

#[tokio::test]
async fn what_else_is_remembered_is_no_certificate() {
    let store = store();
    let records = store.records();
    for key in [
        "v1/jobs/www.example.com",
        "v1/certsX/www.example.com",
        "v1/certs",
    ] {
        let key = key.parse().unwrap();
        records
            .put(&key, "".into(), Expect::Absent, Life::Durable)
            .await
            .unwrap();
    }
    assert!(store.list_all().await.unwrap().is_empty());
    for at in 0..1500 {
        store
            .request(&format!("n{at}.example.com").parse().unwrap())
            .await
            .unwrap();
    }
    let names = store.list_all().await.unwrap();
    assert_eq!(names.len(), 1500);
    let listed = records.list(&Prefix::all(), None, 10).await.unwrap();
    assert_eq!(listed.items.len(), 10);
}
