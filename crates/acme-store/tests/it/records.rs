//! What a record store promises of its records and its watch, asked of the one in memory.
//!
//! The ids are those of the conformance checks: keys (K), versions (V), listing (L).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use acme_store::{
    Capabilities, Expect, Guard, InvalidKey, Key, Life, MemoryRecords, Prefix, Record, RecordStore,
    Version, WatchKind, WriteError,
};

use crate::clock::TestClock;

pub(crate) fn store() -> (Arc<dyn RecordStore>, TestClock) {
    let clock = TestClock::default();
    (Arc::new(MemoryRecords::new(Arc::new(clock.clone()))), clock)
}

pub(crate) fn key(text: &str) -> Key {
    text.parse().unwrap()
}

pub(crate) fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

pub(crate) async fn put(
    store: &impl RecordStore,
    text: &str,
    value: &str,
    expected: Expect,
) -> Version {
    let value = value.to_owned().into();
    store
        .put(&key(text), value, expected, Life::Durable)
        .await
        .unwrap()
}

pub(crate) async fn all(store: &impl RecordStore, of: &str, limit: usize) -> Vec<(Key, Version)> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(&prefix(of), after, limit).await.unwrap();
        assert!(page.items.len() <= limit);
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn k1_missing_is_none() {
    let (store, _) = store();
    assert_eq!(store.get(&key("missing")).await.unwrap(), None);
    assert_eq!(all(&store, "", 10).await, []);
}

#[tokio::test]
async fn k2_values_are_exact_and_bounded() {
    let (store, _) = store();
    let limit = store.capabilities().max_value;
    assert_eq!(limit, Capabilities::MAX_VALUE);
    for (at, value) in [vec![], vec![0; limit], (0..=255).collect()]
        .into_iter()
        .enumerate()
    {
        let name = key(&format!("v{at}"));
        let value: bytes::Bytes = value.into();
        let put = store.put(&name, value.clone(), Expect::Absent, Life::Durable);
        let version = put.await.unwrap();
        let record = store.get(&name).await.unwrap();
        assert!(record == Some(Record::new(value, version)));
    }
    let large = key("large");
    let refused = store.put(
        &large,
        vec![0; limit + 1].into(),
        Expect::Absent,
        Life::Durable,
    );
    assert!(matches!(refused.await, Err(WriteError::TooLarge { limit: it }) if it == limit));
    assert_eq!(store.get(&large).await.unwrap(), None);
}

#[tokio::test]
async fn k3_keys_are_texts() {
    let (store, _) = store();
    let long = "k".repeat(Key::MAX_LENGTH);
    let keys = ["*", ":", "%", "..", " ", "ü", "a/b", "a", "A", "_", &long];
    for text in keys {
        put(&store, text, text, Expect::Absent).await;
    }
    for text in keys {
        assert_eq!(store.get(&key(text)).await.unwrap().unwrap().value, text);
    }
    assert_eq!("".parse::<Key>(), Err(InvalidKey::Empty));
    assert_eq!("a\0".parse::<Key>(), Err(InvalidKey::Nul));
    assert_eq!(format!("{long}k").parse::<Key>(), Err(InvalidKey::TooLong));
    assert_eq!("a\0".parse::<Prefix>().err(), Some(InvalidKey::Nul));
}

#[tokio::test]
async fn k4_prefixes_are_bytes_and_no_patterns() {
    let (store, _) = store();
    for text in [
        "certs", "certs/a", "certs/b", "certsX", "cert_/a", "z%", "zz",
    ] {
        put(&store, text, "", Expect::Absent).await;
    }
    let names = async |of| {
        let all = all(&store, of, 2).await;
        all.into_iter()
            .map(|it| it.0.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("certs/").await, ["certs/a", "certs/b"]);
    assert_eq!(names("cert_").await, ["cert_/a"]);
    assert_eq!(names("z%").await, ["z%"]);
    assert_eq!(names("").await.len(), 7);
    assert_eq!(names("nothing").await, [""; 0]);
}

#[tokio::test]
async fn v1_of_many_racers_one_creates() {
    let (store, _) = store();
    let racers = (0..16).map(|_| {
        let store = Arc::clone(&store);
        let put = async move {
            store
                .put(&key("k"), "".into(), Expect::Absent, Life::Durable)
                .await
        };
        tokio::spawn(put)
    });
    let results = futures_util::future::join_all(racers).await;
    assert_eq!(
        results
            .iter()
            .filter(|it| it.as_ref().unwrap().is_ok())
            .count(),
        1
    );
}

#[tokio::test]
async fn v2_to_v5_versions_guard_each_write_and_never_return() {
    let (store, _) = store();
    let name = key("k");
    let first = put(&store, "k", "1", Expect::Absent).await;
    let second = put(&store, "k", "1", first.clone().into()).await;
    assert_ne!(first, second);
    let stale = store
        .put(&name, "2".into(), first.clone().into(), Life::Durable)
        .await;
    assert!(matches!(stale, Err(WriteError::Conflict)));
    let stale = store.delete(&name, first.clone()).await;
    assert!(matches!(stale, Err(WriteError::Conflict)));
    assert_eq!(
        store.get(&name).await.unwrap(),
        Some(Record::new("1".into(), second.clone()))
    );
    store.delete(&name, second.clone()).await.unwrap();
    assert_eq!(store.get(&name).await.unwrap(), None);
    assert!(matches!(
        store.delete(&name, second.clone()).await,
        Err(WriteError::Conflict)
    ));
    let third = put(&store, "k", "1", Expect::Absent).await;
    assert!(third != first && third != second);
    let stale = store
        .put(&name, "2".into(), second.into(), Life::Durable)
        .await;
    assert!(matches!(stale, Err(WriteError::Conflict)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v6_contended_increments_lose_nothing() {
    let (store, _) = store();
    put(&store, "n", "0", Expect::Absent).await;
    let nodes = (0..8).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut done = 0;
            while done < 25 {
                let record = store.get(&key("n")).await.unwrap().unwrap();
                let number: u32 = std::str::from_utf8(&record.value).unwrap().parse().unwrap();
                let next = (number + 1).to_string().into();
                match store
                    .put(&key("n"), next, record.version.into(), Life::Durable)
                    .await
                {
                    Ok(_) => done += 1,
                    Err(WriteError::Conflict) => tokio::task::yield_now().await,
                    Err(other) => panic!("{other:?}"),
                }
            }
        })
    });
    for node in futures_util::future::join_all(nodes).await {
        node.unwrap();
    }
    assert_eq!(store.get(&key("n")).await.unwrap().unwrap().value, "200");
}

#[tokio::test]
async fn l1_l3_listing_is_ordered_complete_and_current() {
    let (store, _) = store();
    for at in 0..500 {
        put(
            &store,
            &format!("k/{}", at * 7919 % 500),
            "",
            Expect::Absent,
        )
        .await;
    }
    for limit in [1, 7, 499, 500, 1000] {
        let listed = all(&store, "k/", limit).await;
        assert_eq!(listed.len(), 500);
        assert!(listed.is_sorted_by(|a, b| a.0.as_str().as_bytes() < b.0.as_str().as_bytes()));
    }
    let (name, version) = all(&store, "k/", 7).await.swap_remove(250);
    put(&store, name.as_str(), "", version.into()).await;
}

#[tokio::test]
async fn l2_what_is_not_touched_is_listed_once() {
    let (store, _) = store();
    for at in 0..100 {
        put(&store, &format!("k{at:03}"), "", Expect::Absent).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    for round in 0.. {
        let page = store.list(&Prefix::all(), after, 7).await.unwrap();
        seen.extend(page.items.into_iter().map(|it| it.0));
        // The odd ones go, and others come, on both sides of the place.
        for gone in [
            format!("k{:03}", round * 2 + 1),
            format!("k{:03}", 99 - round * 2),
        ] {
            if let Some(record) = store.get(&key(&gone)).await.unwrap() {
                store.delete(&key(&gone), record.version).await.unwrap();
            }
        }
        put(
            &store,
            &format!("k{:03}x{round}", round * 5),
            "",
            Expect::Absent,
        )
        .await;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len());
    for even in (0..100).step_by(2) {
        assert!(distinct.contains(&key(&format!("k{even:03}"))));
    }
}

#[tokio::test]
async fn a_store_says_what_it_can_do_and_hides_values() {
    let (store, clock) = store();
    let capabilities = store.capabilities();
    assert_eq!(
        (capabilities.watch, capabilities.guard),
        (WatchKind::Native, Guard::Atomic)
    );
    assert_eq!(
        Capabilities::new(WatchKind::Native, Guard::RecordCas).max_batch,
        1
    );
    clock.advance(Duration::from_secs(5));
    let now = store.now().await.unwrap().unwrap();
    assert_eq!(now.as_second(), 5);
    put(&store, "k", "secret", Expect::Absent).await;
    let record = store.get(&key("k")).await.unwrap();
    assert!(!format!("{record:?} {store:?}").contains("secret"));
}
