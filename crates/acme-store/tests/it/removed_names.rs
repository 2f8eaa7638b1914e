//! Names that are removed, and asked for again, while a writer is at work on them.

use std::sync::Arc;

use acme_store::{
    CertificateBundle, CertificateStore, Expect, Fault, MemoryRecords, Operation, PutError,
    RecordCertificates, RecordStore, Version, messages::ServerName,
};
use futures_util::{FutureExt, future::BoxFuture};

use crate::{clock::TestClock, pki::PKI};

const NAME: &str = "www.example.com";

/// What others do to a name between a writer's look at it and its move: each leaves the
/// name as absent as the writer saw it.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    /// It is asked for, and forgotten.
    Requested,
    /// Somebody else puts it, and forgets it.
    Put,
}

/// When what the writer had written is swept.
#[derive(Clone, Copy, Debug)]
enum Swept {
    Before,
    AsSoonAsNamed,
    Afterwards,
}

/// Each future goes on when it is polled, and no further than its next stall.
fn go_on<T>(future: &mut BoxFuture<'_, T>) -> Option<T> {
    future.now_or_never()
}

#[tokio::test]
async fn what_a_name_is_moved_to_is_swept_by_nobody() {
    for meanwhile in [Meanwhile::Requested, Meanwhile::Put] {
        for swept in [Swept::Before, Swept::AsSoonAsNamed, Swept::Afterwards] {
            race(meanwhile, swept).await;
        }
    }
}

async fn race(meanwhile: Meanwhile, swept: Swept) {
    let context = format!("{meanwhile:?}, {swept:?}");
    let store = RecordCertificates::new(MemoryRecords::new(Arc::new(TestClock::default())));
    let name: ServerName = NAME.parse().unwrap();
    let [slow, other, next] = std::array::from_fn(|_| PKI.bundle(NAME));
    let faults = store.records().faults();

    // It has written its generation, and stops before it moves the name.
    faults.inject(Operation::Put, 1, Fault::Stall);
    let mut writer = store.put(&name, &slow, Expect::Absent);
    assert!(go_on(&mut writer).is_none(), "{context}");

    // Others have listed what was written, and stop before they sweep it.
    let mut sweeper: BoxFuture<'_, Result<(), PutError>> = match meanwhile {
        Meanwhile::Requested => {
            store.request(&name).await.unwrap();
            let version = version(&store, &name).await;
            faults.inject(Operation::Delete, 1, Fault::Stall);
            Box::pin(store.remove(&name, version))
        }
        Meanwhile::Put => {
            faults.inject(Operation::Delete, 0, Fault::Stall);
            let put = store.put(&name, &other, Expect::Absent);
            Box::pin(put.map(|done| done.map(drop)))
        }
    };
    assert!(go_on(&mut sweeper).is_none(), "{context}");
    if matches!(meanwhile, Meanwhile::Put) {
        // A third forgets the name, and is killed before it sweeps anything.
        let version = version(&store, &name).await;
        let pointer = "v1/certs/www.example.com".parse().unwrap();
        store.records().delete(&pointer, version).await.unwrap();
    }

    faults.resume();
    match swept {
        Swept::Before => {
            go_on(&mut sweeper).expect(&context).unwrap();
            go_on(&mut writer).expect(&context).unwrap();
        }
        Swept::AsSoonAsNamed => {
            faults.inject(Operation::Put, 1, Fault::Stall);
            let put = go_on(&mut writer);
            go_on(&mut sweeper).expect(&context).unwrap();
            faults.resume();
            put.or_else(|| go_on(&mut writer)).expect(&context).unwrap();
            faults.clear();
        }
        Swept::Afterwards => {
            go_on(&mut writer).expect(&context).unwrap();
            go_on(&mut sweeper).expect(&context).unwrap();
        }
    }
    assert_eq!(bundle(&store, &name).await, Some(slow.clone()), "{context}");

    // Nothing of it is in anybody's way.
    let version = version(&store, &name).await;
    store.put(&name, &next, version.into()).await.unwrap();
    assert_eq!(bundle(&store, &name).await, Some(next), "{context}");
}

async fn version(store: &RecordCertificates<MemoryRecords>, name: &ServerName) -> Version {
    store.get(name).await.unwrap().unwrap().version
}

async fn bundle(
    store: &RecordCertificates<MemoryRecords>,
    name: &ServerName,
) -> Option<CertificateBundle> {
    let entry = store.get(name).await.unwrap().unwrap();
    entry.bundle().cloned()
}

// A new name takes a step more than a known one.
#[tokio::test]
async fn a_new_name_is_absent_or_whole_wherever_its_writer_is_killed() {
    for fault in [
        Fault::Unavailable,
        Fault::AppliedThenUnavailable,
        Fault::Stall,
        Fault::AppliedThenStall,
    ] {
        let (mut steps, mut met) = (0, true);
        while met {
            let store = RecordCertificates::new(MemoryRecords::new(Arc::new(TestClock::default())));
            let name: ServerName = NAME.parse().unwrap();
            let [new, next] = std::array::from_fn(|_| PKI.bundle(NAME));
            store.records().faults().inject_any(steps, fault);
            let done = store.put(&name, &new, Expect::Absent).now_or_never();
            met = !store.records().faults().is_pending();
            store.records().faults().clear();

            let context = format!("{fault:?} at step {steps}");
            let entry = store.get(&name).await.unwrap();
            let there = entry.as_ref().map(|it| it.bundle().expect(&context));
            assert!([None, Some(&new)].contains(&there), "{context}");
            if matches!(done, Some(Ok(_))) {
                assert_eq!(there, Some(&new), "{context}");
            }
            let expected = entry.map_or(Expect::Absent, |it| it.version.into());
            store.put(&name, &next, expected).await.unwrap();
            assert_eq!(bundle(&store, &name).await, Some(next), "{context}");
            steps += 1;
        }
        assert!(steps > 4, "{fault:?}");
    }
}
