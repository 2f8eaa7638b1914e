//! The store in memory fails as it was told to.

use std::{sync::Arc, time::Duration};

use acme_store::{
    Acquired, CommitError, Expect, Fault, Lease, LeaseError, Life, MemoryRecords, Op, Operation,
    Prefix, RecordError, RecordEvent, RecordStore, WriteError,
};
use futures_util::{FutureExt, StreamExt};

use crate::{
    clock::TestClock,
    records::{key, put},
};

const TTL: Duration = Duration::from_secs(30);

const ALL: [Operation; 9] = [
    Operation::Acquire,
    Operation::Commit,
    Operation::Delete,
    Operation::Get,
    Operation::List,
    Operation::Now,
    Operation::Put,
    Operation::Release,
    Operation::Renew,
];

/// A store with a record `k`, and a lease on `job`.
async fn prepared() -> (MemoryRecords, Lease) {
    let store = MemoryRecords::new(Arc::new(TestClock::default()));
    put(&store, "k", "1", Expect::Absent).await;
    let (job, node) = (key("job"), "a".parse().unwrap());
    match store.acquire(&job, &node, TTL).await.unwrap() {
        Acquired::Granted(lease) => (store, lease),
        Acquired::Held { owner, .. } => panic!("held by {owner}"),
    }
}

/// Does an operation that changes something, if it can.
async fn perform(
    store: &MemoryRecords,
    lease: &Lease,
    operation: Operation,
) -> Result<(), RecordError> {
    let k = key("k");
    let version = prepared_version(store).await;
    let written = |error| match error {
        WriteError::Store(error) => error,
        other => panic!("{other:?}"),
    };
    let leased = |error| match error {
        LeaseError::Store(error) => error,
        other => panic!("{other:?}"),
    };
    match operation {
        Operation::Acquire => {
            let node = "b".parse().unwrap();
            store.acquire(&key("other"), &node, TTL).await.map(drop)
        }
        Operation::Commit => {
            let op = Op::Put {
                key: key("new"),
                value: "".into(),
                expected: Expect::Absent,
                life: Life::Durable,
            };
            let committed = store.commit(lease, vec![op]).await;
            committed.map(drop).map_err(|error| match error {
                CommitError::Store(error) => error,
                other => panic!("{other:?}"),
            })
        }
        Operation::Delete => store.delete(&k, version.unwrap()).await.map_err(written),
        Operation::Get => store.get(&k).await.map(drop),
        Operation::List => store.list(&Prefix::all(), None, 1).await.map(drop),
        Operation::Now => store.now().await.map(drop),
        Operation::Put => {
            let new = key("new");
            let put = store.put(&new, "".into(), Expect::Absent, Life::Durable);
            put.await.map(drop).map_err(written)
        }
        Operation::Release => store.release(lease.clone()).await.map_err(leased),
        Operation::Renew => store.renew(lease).await.map(drop).map_err(leased),
        other => panic!("{other:?}"),
    }
}

async fn prepared_version(store: &MemoryRecords) -> Option<acme_store::Version> {
    let k = key("k");
    let listed = store.list(&Prefix::all(), None, 10).now_or_never()?.ok()?;
    listed.items.into_iter().find(|it| it.0 == k).map(|it| it.1)
}

/// Whether an operation has left its trace.
async fn is_applied(store: &MemoryRecords, lease: &Lease, operation: Operation) -> bool {
    match operation {
        Operation::Acquire => {
            let node = "c".parse().unwrap();
            let acquired = store.acquire(&key("other"), &node, TTL).await.unwrap();
            matches!(acquired, Acquired::Held { .. })
        }
        Operation::Commit | Operation::Put => store.get(&key("new")).await.unwrap().is_some(),
        Operation::Delete => store.get(&key("k")).await.unwrap().is_none(),
        Operation::Release => store.renew(lease).await.is_err(),
        _ => false,
    }
}

fn leaves_a_trace(operation: Operation) -> bool {
    !matches!(
        operation,
        Operation::Get | Operation::List | Operation::Now | Operation::Renew
    )
}

#[tokio::test]
async fn each_operation_fails_in_each_way_when_it_was_told_to() {
    for operation in ALL {
        for (fault, applied) in [
            (Fault::Unavailable, false),
            (Fault::Denied, false),
            (Fault::AppliedThenUnavailable, leaves_a_trace(operation)),
        ] {
            let (store, lease) = prepared().await;
            if operation != Operation::List {
                store.faults().inject(operation, 0, fault);
            } else {
                // The test itself lists once before.
                store.faults().inject(operation, 1, fault);
            }
            let error = perform(&store, &lease, operation).await.unwrap_err();
            assert_eq!(
                error.is_maybe_applied(),
                fault == Fault::AppliedThenUnavailable
            );
            assert_eq!(
                error.is_transient(),
                fault != Fault::Denied,
                "{operation:?}"
            );
            assert!(!store.faults().is_pending());
            let seen = is_applied(&store, &lease, operation).await;
            assert_eq!(seen, applied, "{operation:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn stalled_operations_wait_until_they_are_let_go() {
    for operation in ALL {
        for (fault, applied) in [
            (Fault::Stall, false),
            (Fault::AppliedThenStall, leaves_a_trace(operation)),
        ] {
            let (store, lease) = prepared().await;
            let after = usize::from(operation == Operation::List);
            store.faults().inject(operation, after, fault);
            let mut stalled = Box::pin(perform(&store, &lease, operation));
            assert!((&mut stalled).now_or_never().is_none(), "{operation:?}");
            store.faults().wait_for_stalled(1).await;
            store.faults().resume();
            stalled.await.unwrap();

            // Dropped before it was let go: as if it had never begun, or done.
            let (store, lease) = prepared().await;
            store.faults().inject(operation, after, fault);
            assert!(perform(&store, &lease, operation).now_or_never().is_none());
            let seen = is_applied(&store, &lease, operation).await;
            assert_eq!(seen, applied, "{operation:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn the_plan_counts_and_can_be_changed_while_the_store_works() {
    let (store, _) = prepared().await;
    let faults = store.faults().clone();
    let get = async || store.get(&key("k")).await;
    faults.inject(Operation::Get, 2, Fault::Unavailable);
    faults.inject_any(1, Fault::Denied);
    get().await.unwrap();
    assert!(matches!(get().await, Err(RecordError::Denied { .. })));
    assert!(matches!(get().await, Err(RecordError::Unavailable { .. })));
    get().await.unwrap();
    assert_eq!(faults.count(Operation::Get), 4);
    assert_eq!(faults.count(Operation::Put), 1);
    faults.set_outage(true);
    for _ in 0..3 {
        get().await.unwrap_err();
    }
    faults.inject(Operation::Get, 0, Fault::Unavailable);
    faults.clear();
    get().await.unwrap();
}

#[tokio::test]
async fn a_cut_watch_is_told_to_list_again() {
    let (store, _) = prepared().await;
    let mut events = store.watch(&Prefix::all());
    assert_eq!(store.watchers(), 1);
    assert_eq!(events.next().await.unwrap().unwrap(), RecordEvent::Synced);
    store.set_watches_cut(true);
    put(&store, "unseen", "", Expect::Absent).await;
    assert!(events.next().now_or_never().is_none());
    store.set_watches_cut(false);
    store.set_watches_cut(false);
    assert_eq!(events.next().await.unwrap().unwrap(), RecordEvent::Resync);
    assert!(events.next().now_or_never().is_none());
    put(&store, "seen", "", Expect::Absent).await;
    let seen = events.next().await.unwrap().unwrap();
    assert!(matches!(seen, RecordEvent::Changed { key: it, .. } if it == key("seen")));
    drop(events);
    assert_eq!(store.watchers(), 0);
}

#[tokio::test]
async fn a_damaged_record_can_be_replaced() {
    let (store, _) = prepared().await;
    store.damage(&key("missing"));
    store.damage(&key("k"));
    let damaged = store.get(&key("k")).await;
    assert!(matches!(damaged, Err(RecordError::Corrupt { key: it }) if it == key("k")));
    let version = prepared_version(&store).await.unwrap();
    put(&store, "k", "2", version.into()).await;
    assert_eq!(store.get(&key("k")).await.unwrap().unwrap().value, "2");
}

// It is listed no more: there is no version to replace it by.
#[tokio::test]
async fn a_damaged_record_that_has_ended_is_gone() {
    let clock = TestClock::default();
    let store = MemoryRecords::new(Arc::new(clock.clone()));
    let life = Life::Ephemeral(Duration::from_secs(60));
    let k = key("k");
    let put = store.put(&k, "1".into(), Expect::Absent, life).await;
    put.unwrap();
    store.damage(&k);
    store.get(&k).await.unwrap_err();
    clock.advance(Duration::from_secs(60));
    assert_eq!(store.get(&k).await.unwrap(), None);
}
