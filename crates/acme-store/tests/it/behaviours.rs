//! What every certificate store does, asked of each of ours.

use std::sync::Arc;

use acme_store::{
    CertificateStore, CertificateStoreExt, EntryState, Expect, MemoryRecords, MemoryStore,
    PutError, RecordCertificates, StoreEvent, Version, messages::ServerName,
};
use futures_util::{FutureExt, StreamExt};

use crate::pki::PKI;

const NAME: &str = "www.example.com";

fn name() -> ServerName {
    NAME.parse().unwrap()
}

/// A store with one blank entry, and nothing else.
trait Subject {
    type Kept;
    async fn with_request() -> (Arc<dyn CertificateStore>, Self::Kept);
}

struct Memory;

impl Subject for Memory {
    type Kept = ();

    async fn with_request() -> (Arc<dyn CertificateStore>, ()) {
        let store = MemoryStore::new();
        store.request(name());
        (Arc::new(store), ())
    }
}

struct Records;

impl Subject for Records {
    type Kept = ();

    async fn with_request() -> (Arc<dyn CertificateStore>, ()) {
        let clock = Arc::new(crate::clock::TestClock::default());
        let store = RecordCertificates::new(MemoryRecords::new(clock));
        store.request(&name()).await.unwrap();
        (Arc::new(store), ())
    }
}

#[cfg(unix)]
struct FilesOfRecords;

#[cfg(unix)]
impl Subject for FilesOfRecords {
    type Kept = tempfile::TempDir;

    async fn with_request() -> (Arc<dyn CertificateStore>, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let clock = crate::clock::TestClock::default();
        let records = crate::file_records::open(&directory.path().join("state"), &clock).await;
        let store = RecordCertificates::new(records);
        store.request(&name()).await.unwrap();
        (Arc::new(store), directory)
    }
}

#[cfg(unix)]
struct Directory;

#[cfg(unix)]
impl Subject for Directory {
    type Kept = tempfile::TempDir;

    async fn with_request() -> (Arc<dyn CertificateStore>, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(format!("{NAME}.pem")), "").unwrap();
        let mut options = acme_store::DirectoryOptions::default();
        options.clock = Arc::new(crate::clock::Impatient::default());
        let store = acme_store::DirectoryStore::open_with(directory.path(), options).await;
        (Arc::new(store.unwrap()), directory)
    }
}

macro_rules! each_store {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test::<super::Memory>().await;
            })*
        }

        mod records {
            $(#[tokio::test]
            async fn $test() {
                super::$test::<super::Records>().await;
            })*
        }

        #[cfg(unix)]
        mod files_of_records {
            $(#[tokio::test]
            async fn $test() {
                super::$test::<super::FilesOfRecords>().await;
            })*
        }

        #[cfg(unix)]
        mod directory {
            $(#[tokio::test]
            async fn $test() {
                super::$test::<super::Directory>().await;
            })*
        }
    };
}

each_store!(
    missing_is_none,
    blank_is_listed_and_got,
    put_is_read_back,
    put_is_conditional,
    equal_bundles_have_their_own_versions,
    racing_writers_never_both_win,
    contended_writers_lose_nothing,
    every_name_is_its_own,
    watch_begins_with_resync_and_tells_changes,
    snapshots_do_not_change,
);

// S2
async fn missing_is_none<S: Subject>() {
    let (store, _kept) = S::with_request().await;
    let long = format!(
        "{}.{}.{}.{}",
        "a".repeat(63),
        "b".repeat(63),
        "c".repeat(63),
        "d".repeat(61)
    );
    for missing in [
        "example.com",
        "*.example.com",
        "192.0.2.1",
        "2001:db8::1",
        &long,
    ] {
        assert!(
            store
                .get(&missing.parse().unwrap())
                .await
                .unwrap()
                .is_none()
        );
    }
}

// S5, V12
async fn blank_is_listed_and_got<S: Subject>() {
    let (store, _kept) = S::with_request().await;
    let listed = store.list_all().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, name());
    let entry = store.get(&name()).await.unwrap().unwrap();
    assert_eq!(entry.contents, EntryState::Blank);
    assert_eq!(entry.version, listed[0].version);
    store.accepts(&name()).await.unwrap();
}

// S6, S20
async fn put_is_read_back<S: Subject>() {
    let (store, _kept) = S::with_request().await;
    for put in [
        name(),
        "new.example.com".parse().unwrap(),
        "*.example.com".parse().unwrap(),
    ] {
        let bundle = PKI.bundle(&put.to_string());
        let before = store.get(&put).await.unwrap();
        let expected = before.map_or(Expect::Absent, |it| it.version.into());
        store.accepts(&put).await.unwrap();
        let version = store.put(&put, &bundle, expected).await.unwrap();
        let entry = store.get(&put).await.unwrap().unwrap();
        assert_eq!(entry.bundle(), Some(&bundle));
        assert_eq!(entry.version, version);
        assert_eq!(entry.bundle().unwrap().to_pem(), bundle.to_pem());
        let listed = store.list_all().await.unwrap();
        let listed = listed.iter().find(|it| it.name == put).unwrap();
        assert_eq!(listed.version, version);
    }
}

// S7
async fn put_is_conditional<S: Subject>() {
    let (store, _kept) = S::with_request().await;
    let (old, new) = (PKI.bundle(NAME), PKI.bundle(NAME));
    let blank = store.get(&name()).await.unwrap().unwrap().version;
    let put = async |bundle, expected| store.put(&name(), bundle, expected).await;
    assert!(matches!(
        put(&old, Expect::Absent).await,
        Err(PutError::Conflict)
    ));
    let foreign = Version::new(*b"never given");
    assert!(matches!(
        put(&old, foreign.clone().into()).await,
        Err(PutError::Conflict)
    ));
    let version = put(&old, blank.clone().into()).await.unwrap();
    assert!(matches!(
        put(&new, blank.into()).await,
        Err(PutError::Conflict)
    ));
    let entry = store.get(&name()).await.unwrap().unwrap();
    assert_eq!((entry.bundle(), &entry.version), (Some(&old), &version));
    put(&new, version.into()).await.unwrap();
    assert_eq!(
        store.get(&name()).await.unwrap().unwrap().bundle(),
        Some(&new)
    );

    let other = "absent.example.com".parse().unwrap();
    let refused = store.put(&other, &old, foreign.into()).await;
    assert!(matches!(refused, Err(PutError::Conflict)));
    assert!(store.get(&other).await.unwrap().is_none());
}

async fn equal_bundles_have_their_own_versions<S: Subject>() {
    let (store, _kept) = S::with_request().await;
    let bundle = PKI.bundle(NAME);
    let mut seen = vec![store.get(&name()).await.unwrap().unwrap().version];
    for _ in 0..10 {
        let expected = seen.last().unwrap().clone().into();
        let version = store.put(&name(), &bundle, expected).await.unwrap();
        assert!(!seen.contains(&version));
        seen.push(version);
    }
}

async fn racing_writers_never_both_win<S: Subject>() {
    let (store, _kept) = S::with_request().await;
    let bundle = PKI.bundle(NAME);
    let other: ServerName = "race.example.com".parse().unwrap();
    let blank = store.get(&name()).await.unwrap().unwrap().version;
    for (name, expected) in [(other, Expect::Absent), (name(), blank.into())] {
        let racers = (0..16).map(|_| {
            let (store, bundle) = (Arc::clone(&store), bundle.clone());
            let (name, expected) = (name.clone(), expected.clone());
            tokio::spawn(async move { store.put(&name, &bundle, expected).await })
        });
        let mut won = 0;
        for racer in futures_util::future::join_all(racers).await {
            match racer.unwrap() {
                Ok(_) => won += 1,
                Err(PutError::Conflict) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(won, 1);
    }
}

async fn contended_writers_lose_nothing<S: Subject>() {
    let (store, _kept) = S::with_request().await;
    let bundle = PKI.bundle(NAME);
    let writers = (0..4).map(|_| {
        let (store, bundle) = (Arc::clone(&store), bundle.clone());
        tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < 10 {
                let entry = store.get(&name()).await.unwrap().unwrap();
                match store.put(&name(), &bundle, entry.version.into()).await {
                    Ok(version) => seen.push(version),
                    Err(PutError::Conflict) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            seen
        })
    });
    let mut all = Vec::new();
    for writer in futures_util::future::join_all(writers).await {
        all.extend(writer.unwrap());
    }
    let distinct: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (40, 40));
}

async fn every_name_is_its_own<S: Subject>() {
    let (store, _kept) = S::with_request().await;
    let names = [
        "a.example.com",
        "aa.example.com",
        "*.a.example.com",
        "192.0.2.1",
        "2001:db8::1",
    ];
    let mut bundles = Vec::new();
    for name in names {
        let bundle = PKI.bundle("www.example.com");
        let name: ServerName = name.parse().unwrap();
        store.put(&name, &bundle, Expect::Absent).await.unwrap();
        bundles.push((name, bundle));
    }
    let all = store.get_all().await.unwrap();
    assert_eq!(all.len(), names.len() + 1);
    for (name, bundle) in bundles {
        assert_eq!(all[&name].as_ref().unwrap().bundle(), Some(&bundle));
    }
}

async fn watch_begins_with_resync_and_tells_changes<S: Subject>() {
    let (store, _kept) = S::with_request().await;
    let mut events = store.watch();
    assert_eq!(events.next().await, Some(StoreEvent::Resync));
    let other: ServerName = "new.example.com".parse().unwrap();
    let version = store.get(&name()).await.unwrap().unwrap().version;
    let bundle = PKI.bundle(NAME);
    store.put(&name(), &bundle, version.into()).await.unwrap();
    store.put(&other, &bundle, Expect::Absent).await.unwrap();
    let mut missing = vec![name(), other];
    while !missing.is_empty() {
        match events.next().await.unwrap() {
            StoreEvent::Changed(name) => missing.retain(|it| *it != name),
            event => panic!("{event:?}"),
        }
    }
    assert_eq!(events.next().now_or_never(), None);
}

// T45
async fn snapshots_do_not_change<S: Subject>() {
    let (store, _kept) = S::with_request().await;
    let before = store.get_all().await.unwrap();
    let version = store.get(&name()).await.unwrap().unwrap().version;
    store
        .put(&name(), &PKI.bundle(NAME), version.into())
        .await
        .unwrap();
    assert_eq!(
        before[&name()].as_ref().unwrap().contents,
        EntryState::Blank
    );
}
