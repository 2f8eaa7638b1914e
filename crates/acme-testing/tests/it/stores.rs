//! Certificate stores that fail, hang and panic, and what of theirs is done.

use acme_testing::{
    CertificateValidity, FailingStore, FaultyStore, HangingStore, Mishap, StoreOperation, TestPki,
    messages::ServerName,
    store::{
        CertificateBundle, CertificateStore, EntryState, Expect, MemoryStore, PutError, StoreError,
        StoreEvent,
    },
};
use futures_util::{FutureExt, StreamExt};
use tokio::task::JoinHandle;

fn name() -> ServerName {
    "example.com".parse().unwrap()
}

fn bundle() -> CertificateBundle {
    let pki = TestPki::new().unwrap();
    let issued = pki.issue_server(&[name()], CertificateValidity::FOREVER);
    let (chain, key) = issued.unwrap();
    CertificateBundle::new(key, chain).unwrap()
}

/// A store with one blank entry behind one without faults.
fn stores() -> (MemoryStore, FaultyStore) {
    let memory = MemoryStore::new();
    memory.request(name());
    (memory.clone(), FaultyStore::over(memory))
}

async fn call(store: &dyn CertificateStore, operation: StoreOperation) -> Result<(), StoreError> {
    let unpacked = |error| match error {
        PutError::Store(error) => error,
        conflict => panic!("{conflict}"),
    };
    match operation {
        StoreOperation::Accepts => store.accepts(&name()).await,
        StoreOperation::Get => store.get(&name()).await.map(drop),
        StoreOperation::List => store.list(None).await.map(drop),
        StoreOperation::Put => {
            let other = "other.example".parse().unwrap();
            let put = store.put(&other, &bundle(), Expect::Absent).await;
            put.map(drop).map_err(unpacked)
        }
        other => panic!("{other:?} is not called so"),
    }
}

const CALLS: [StoreOperation; 4] = [
    StoreOperation::Accepts,
    StoreOperation::Get,
    StoreOperation::List,
    StoreOperation::Put,
];

fn start(store: &FaultyStore, operation: StoreOperation) -> JoinHandle<Result<(), StoreError>> {
    let store = store.clone();
    tokio::spawn(async move { call(&store, operation).await })
}

#[tokio::test]
async fn each_operation_goes_wrong_as_told_and_then_right_again() {
    for operation in CALLS {
        let (_, store) = stores();
        for mishap in [Mishap::Fail, Mishap::FailAfterwards] {
            store.set(operation, Some(mishap));
            for other in CALLS.into_iter().filter(|it| *it != operation) {
                if other != StoreOperation::Put {
                    call(&store, other).await.unwrap();
                }
            }
        }
        store.set(operation, Some(Mishap::Fail));
        let error = call(&store, operation).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{operation:?}");
        store.set(operation, Some(Mishap::Panic));
        assert!(start(&store, operation).await.unwrap_err().is_panic());
        store.set(operation, None);
        call(&store, operation).await.unwrap();
        assert!(store.count(operation) >= 3);
    }
}

#[tokio::test]
async fn a_lost_answer_is_to_a_put_that_happened() {
    for (mishap, written) in [(Mishap::Fail, false), (Mishap::FailAfterwards, true)] {
        let (memory, store) = stores();
        let version = memory.get(&name()).await.unwrap().unwrap().version;
        store.spoil_next(StoreOperation::Put, mishap);
        let put = store.put(&name(), &bundle(), version.into()).await;
        assert!(matches!(put, Err(PutError::Store(_))));
        let entry = store.get(&name()).await.unwrap().unwrap();
        assert_eq!(entry.bundle().is_some(), written);
    }
    let (_, store) = stores();
    let conflict = store.put(&name(), &bundle(), Expect::Absent).await;
    assert!(matches!(conflict, Err(PutError::Conflict)));
}

#[tokio::test]
async fn calls_hang_until_the_next_word() {
    for operation in CALLS {
        let (_, store) = stores();
        store.set_all(Some(Mishap::Hang));
        let (first, second) = (start(&store, operation), start(&store, operation));
        store.wait_for_hanging(2).await;
        second.abort();
        assert!(second.await.unwrap_err().is_cancelled());
        assert_eq!(store.hanging(), 1);
        store.set_all(None);
        first.await.unwrap().unwrap();
        assert_eq!((store.hanging(), store.count(operation)), (0, 2));

        store.set(operation, Some(Mishap::Hang));
        let failing = start(&store, operation);
        store.wait_for_hanging(1).await;
        store.set(operation, Some(Mishap::Fail));
        failing.await.unwrap().unwrap_err();
    }
}

#[tokio::test]
async fn a_single_call_is_spoiled_in_its_turn() {
    let (_, store) = stores();
    store.spoil_next(StoreOperation::Get, Mishap::Fail);
    store.spoil_next(StoreOperation::Get, Mishap::Hang);
    store.get(&name()).await.unwrap_err();
    assert!(store.get(&name()).now_or_never().is_none());
    store.get(&name()).await.unwrap();
    assert_eq!(store.count(StoreOperation::Get), 3);
}

#[tokio::test]
async fn names_are_damaged_and_refused_as_told() {
    let (_, store) = stores();
    store.set_damaged(name(), true);
    let entry = store.get(&name()).await.unwrap().unwrap();
    assert!(matches!(entry.contents, EntryState::Damaged(_)));
    store.set_damaged(name(), false);
    let entry = store.get(&name()).await.unwrap().unwrap();
    assert_eq!(entry.contents, EntryState::Blank);

    store.set_refused(name(), true);
    let refused = store.accepts(&name()).await.unwrap_err();
    assert!(matches!(refused, StoreError::NameNotAllowed { .. }));
    let version: Expect = entry.version.into();
    let put = store.put(&name(), &bundle(), version.clone()).await;
    assert!(matches!(
        put,
        Err(PutError::Store(StoreError::NameNotAllowed { .. }))
    ));
    store.set_refused(name(), false);
    store.accepts(&name()).await.unwrap();
    store.put(&name(), &bundle(), version).await.unwrap();
}

#[tokio::test]
async fn a_watch_goes_wrong_as_told() {
    let (memory, store) = stores();
    let mut events = store.watch();
    assert_eq!(events.next().await, Some(StoreEvent::Resync));
    memory.request("other.example".parse().unwrap());
    assert!(matches!(events.next().await, Some(StoreEvent::Changed(_))));
    store.spoil_next(StoreOperation::Watch, Mishap::Fail);
    assert_eq!(store.watch().next().await, None);
    store.set(StoreOperation::Watch, Some(Mishap::Hang));
    assert!(store.watch().next().now_or_never().is_none());
    assert_eq!(store.count(StoreOperation::Watch), 3);
}

#[tokio::test]
async fn hopeless_stores_are_so_with_every_call() {
    for operation in CALLS {
        assert!(call(&HangingStore, operation).now_or_never().is_none());
        let error = call(&FailingStore, operation).await.unwrap_err();
        assert!(error.is_transient(), "{operation:?}");
    }
    let stores: [&dyn CertificateStore; 2] = [&HangingStore, &FailingStore];
    for store in stores {
        assert!(store.watch().next().now_or_never().is_none());
    }
}
