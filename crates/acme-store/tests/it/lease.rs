//! What a record store promises of leases and of commits that they guard.
//!
//! The ids are those of the conformance checks: leases (T), guards (G).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use acme_store::{
    Acquired, Capabilities, CommitError, Expect, Key, Lease, LeaseError, Life, NodeId, Op,
    RecordStore, messages::Clock,
};

use crate::records::{key, store};

const TTL: Duration = Duration::from_secs(30);

fn node(text: &str) -> NodeId {
    text.parse().unwrap()
}

async fn acquire(store: &impl RecordStore, owner: &str) -> Acquired {
    store.acquire(&key("job"), &node(owner), TTL).await.unwrap()
}

#[track_caller]
fn granted(acquired: Acquired) -> Lease {
    match acquired {
        Acquired::Granted(lease) => lease,
        Acquired::Held { owner, .. } => panic!("held by {owner}"),
    }
}

fn op(text: &str, value: &str, expected: Expect) -> Op {
    Op::Put {
        key: key(text),
        value: value.to_owned().into(),
        expected,
        life: Life::Durable,
    }
}

async fn value(store: &impl RecordStore, name: &Key) -> Option<String> {
    let record = store.get(name).await.unwrap()?;
    Some(String::from_utf8(record.value.to_vec()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t1_only_one_has_it() {
    let (store, _) = store();
    let racers = (0..16).map(|at| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { acquire(&store, &format!("node {at}")).await })
    });
    let results = futures_util::future::join_all(racers).await;
    let won = results
        .into_iter()
        .filter(|it| matches!(it, Ok(Acquired::Granted(_))));
    assert_eq!(won.count(), 1);
}

#[tokio::test]
async fn t2_its_owner_cannot_take_it_twice() {
    let (store, clock) = store();
    let since = clock.now();
    granted(acquire(&store, "a").await);
    clock.advance(TTL / 2);
    let held = Acquired::Held {
        owner: node("a"),
        since: Some(since),
    };
    assert_eq!(acquire(&store, "a").await, held);
    assert_eq!(acquire(&store, "b").await, held);
    // Another lease is another's, and a record of the same name is no lease.
    let other = store.acquire(&key("other"), &node("b"), TTL).await.unwrap();
    granted(other);
    assert_eq!(store.get(&key("job")).await.unwrap(), None);
}

#[tokio::test]
async fn t3_t4_t5_it_lasts_while_renewed_and_then_ends() {
    let (store, clock) = store();
    let mut lease = granted(acquire(&store, "a").await);
    let first = lease.clone();
    for _ in 0..6 {
        clock.advance(TTL / 2);
        assert!(matches!(acquire(&store, "b").await, Acquired::Held { .. }));
        lease = store.renew(&lease).await.unwrap();
        assert_eq!(lease.remaining(clock.monotonic()), TTL);
    }
    assert_eq!(
        (lease.nonce(), lease.epoch()),
        (first.nonce(), first.epoch())
    );
    clock.advance(TTL - Duration::from_nanos(1));
    assert!(matches!(acquire(&store, "b").await, Acquired::Held { .. }));
    clock.advance(Duration::from_nanos(1));
    assert_eq!(lease.remaining(clock.monotonic()), Duration::ZERO);
    let mut seen = BTreeSet::from([*lease.nonce()]);
    let mut epoch = lease.epoch();
    for owner in ["b", "a", "a"] {
        let next = granted(acquire(&store, owner).await);
        assert!(next.epoch() > epoch && seen.insert(*next.nonce()));
        assert_eq!(next.owner(), &node(owner));
        epoch = next.epoch();
        store.release(next).await.unwrap();
    }
}

#[tokio::test]
async fn t6_a_former_holder_leaves_the_new_one_alone() {
    let (store, clock) = store();
    let former = granted(acquire(&store, "a").await);
    clock.advance(TTL);
    assert!(matches!(store.renew(&former).await, Err(LeaseError::Lost)));
    let new = granted(acquire(&store, "b").await);
    assert!(matches!(store.renew(&former).await, Err(LeaseError::Lost)));
    assert!(matches!(store.release(former).await, Err(LeaseError::Lost)));
    let new = store.renew(&new).await.unwrap();
    store.release(new.clone()).await.unwrap();
    assert!(matches!(store.renew(&new).await, Err(LeaseError::Lost)));
    assert!(matches!(store.release(new).await, Err(LeaseError::Lost)));
}

#[tokio::test]
async fn t8_setting_a_clock_changes_nothing() {
    let (store, clock) = store();
    let hour = Duration::from_secs(3600);
    clock.advance(hour);
    let lease = granted(acquire(&store, "a").await);
    for wall in [clock.now() + hour, clock.now() - hour] {
        clock.set_wall(wall);
        assert_eq!(lease.remaining(clock.monotonic()), TTL);
        assert!(matches!(acquire(&store, "b").await, Acquired::Held { .. }));
    }
    assert_eq!(lease.deadline(), hour + TTL);
    clock.advance(TTL);
    assert_eq!(lease.remaining(clock.monotonic()), Duration::ZERO);
    granted(acquire(&store, "b").await);

    let lease = Lease::new(key("job"), node("a"), 1, [238; 16], hour, TTL);
    let debug = format!("{lease:?}");
    assert!(debug.contains("job") && !debug.contains("238"), "{debug}");
}

// CertMagic never notices that a lease was lost: two owners write.
#[tokio::test]
async fn lost_lease_stops_writes() {
    let (store, clock) = store();
    let paused = granted(acquire(&store, "a").await);
    clock.advance(TTL);
    // G1: even before there is another holder.
    let late = store
        .commit(&paused, vec![op("cert", "a", Expect::Absent)])
        .await;
    assert!(matches!(late, Err(CommitError::Fenced)));
    let holder = granted(acquire(&store, "b").await);
    store
        .commit(&holder, vec![op("cert", "b", Expect::Absent)])
        .await
        .unwrap();
    let version = store.get(&key("cert")).await.unwrap().unwrap().version;
    for expected in [Expect::Absent, version.into()] {
        let late = store.commit(&paused, vec![op("cert", "a", expected)]).await;
        assert!(matches!(late, Err(CommitError::Fenced)));
    }
    assert_eq!(value(&store, &key("cert")).await.as_deref(), Some("b"));
    // G5: no other store knows it either.
    let (other, _) = self::store();
    let foreign = other
        .commit(&holder, vec![op("cert", "b", Expect::Absent)])
        .await;
    assert!(matches!(foreign, Err(CommitError::Fenced)));
}

#[tokio::test]
async fn g2_g3_all_is_written_or_nothing() {
    let (store, _) = store();
    let guard = granted(acquire(&store, "a").await);
    let ops = vec![op("a", "1", Expect::Absent), op("b", "1", Expect::Absent)];
    let versions = store.commit(&guard, ops).await.unwrap();
    let [Some(a), Some(b)] = &versions[..] else {
        panic!("{versions:?}")
    };

    let stale = vec![
        op("a", "2", a.clone().into()),
        op("b", "2", a.clone().into()),
    ];
    let refused = store.commit(&guard, stale).await;
    assert!(matches!(refused, Err(CommitError::Conflict { key: it }) if it == key("b")));
    let twice = vec![op("c", "1", Expect::Absent), op("c", "2", Expect::Absent)];
    let refused = store.commit(&guard, twice).await;
    assert!(matches!(refused, Err(CommitError::Conflict { key: it }) if it == key("c")));
    let large = "x".repeat(Capabilities::MAX_VALUE + 1);
    let large = vec![
        op("a", "2", a.clone().into()),
        op("c", &large, Expect::Absent),
    ];
    let refused = store.commit(&guard, large).await;
    assert!(matches!(refused, Err(CommitError::TooLarge { key: it, .. }) if it == key("c")));
    let many = (0..=Capabilities::MAX_BATCH).map(|it| op(&format!("m{it}"), "", Expect::Absent));
    let refused = store.commit(&guard, many.collect()).await;
    assert!(
        matches!(refused, Err(CommitError::TooMany { limit }) if limit == Capabilities::MAX_BATCH)
    );
    assert_eq!(value(&store, &key("a")).await.as_deref(), Some("1"));
    assert_eq!(value(&store, &key("c")).await, None);
    assert_eq!(value(&store, &key("m0")).await, None);

    let delete = Op::Delete {
        key: key("b"),
        version: b.clone(),
    };
    let ops = vec![op("a", "2", a.clone().into()), delete];
    let versions = store.commit(&guard, ops).await.unwrap();
    assert!(matches!(&versions[..], [Some(_), None]));
    assert_eq!(value(&store, &key("a")).await.as_deref(), Some("2"));
    assert_eq!(value(&store, &key("b")).await, None);
}

// Whoever has the nonce has the lease: it is in no log.
#[tokio::test]
async fn the_nonce_is_shown_by_no_debug() {
    let (store, _) = store();
    let lease = granted(acquire(&store, "a").await);
    let nonce = format!("{:?}", lease.nonce());
    let shown = format!("{store:?} {lease:?}");
    assert!(shown.contains("epoch"), "{shown}");
    assert!(!shown.contains(nonce.trim_matches(['[', ']'])), "{shown}");
}
