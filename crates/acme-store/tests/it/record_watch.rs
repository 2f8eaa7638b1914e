//! What a record store promises of its watch (W), and of records that end (F).

use std::time::Duration;

use acme_store::{Expect, Life, MemoryRecords, Prefix, RecordEvent, RecordStore, WriteError};
use futures_util::{FutureExt, StreamExt};

use crate::records::{all, key, prefix, put, store};

#[tokio::test]
async fn w1_to_w4_v7_the_watch_tells_what_is_under_its_prefix() {
    let (store, _) = store();
    let mut events = store.watch(&prefix("a/"));
    // Live from the call on, not from the first poll.
    let version = put(&store, "a/1", "", Expect::Absent).await;
    put(&store, "b/1", "", Expect::Absent).await;
    let refused = store
        .put(&key("a/1"), "".into(), Expect::Absent, Life::Durable)
        .await;
    refused.unwrap_err();
    store.delete(&key("a/1"), version.clone()).await.unwrap();
    let changed = |version| RecordEvent::Changed {
        key: key("a/1"),
        version,
    };
    for expected in [RecordEvent::Synced, changed(Some(version)), changed(None)] {
        assert_eq!(events.next().await.unwrap().unwrap(), expected);
    }
    assert!(events.next().now_or_never().is_none());
    drop(store);
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn w6_a_slow_watcher_is_told_to_list_again() {
    let (store, _) = store();
    let mut events = store.watch(&Prefix::all());
    for at in 0..20_000 {
        put(&store, &format!("k{at}"), "", Expect::Absent).await;
    }
    let mut heard = Vec::new();
    while let Some(Some(event)) = events.next().now_or_never() {
        heard.push(event.unwrap());
    }
    assert_eq!(heard[..2], [RecordEvent::Synced, RecordEvent::Resync]);
    assert!(heard.len() <= MemoryRecords::WATCH_BACKLOG + 2);
}

#[tokio::test]
async fn f6_ephemeral_records_end_and_durable_ones_do_not() {
    let (store, clock) = store();
    let life = Life::Ephemeral(Duration::from_secs(60));
    let version = store
        .put(&key("short"), "".into(), Expect::Absent, life)
        .await
        .unwrap();
    put(&store, "long", "", Expect::Absent).await;
    clock.advance(Duration::from_secs(59));
    assert!(store.get(&key("short")).await.unwrap().is_some());
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.get(&key("short")).await.unwrap(), None);
    assert_eq!(all(&store, "", 10).await.len(), 1);
    let late = store
        .put(&key("short"), "".into(), version.clone().into(), life)
        .await;
    assert!(matches!(late, Err(WriteError::Conflict)));
    let again = store
        .put(&key("short"), "".into(), Expect::Absent, life)
        .await
        .unwrap();
    assert_ne!(again, version);
    clock.advance(Duration::from_secs(1_000_000_000));
    assert_eq!(all(&store, "", 10).await[0].0, key("long"));
}

#[tokio::test]
async fn what_has_ended_makes_room() {
    let (store, clock) = store();
    let life = Life::Ephemeral(Duration::from_secs(60));
    for round in 0..20 {
        for at in 0..1000 {
            let key = key(&format!("{round}/{at}"));
            store
                .put(&key, "".into(), Expect::Absent, life)
                .await
                .unwrap();
        }
        clock.advance(Duration::from_secs(60));
    }
    // Nobody lists what has ended, and a few rounds of it are there at most.
    let debug = format!("{store:?}");
    let kept = debug.matches("Kept {").count();
    assert!(kept < 4_000, "{kept}");
    assert_eq!(all(&store, "", 100).await, []);
}
