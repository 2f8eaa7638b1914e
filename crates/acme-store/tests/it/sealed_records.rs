//! What sealing does beyond what every record store does.

use std::{sync::Arc, time::Duration};

use acme_store::{
    CertificateStore, Expect, Fault, InvalidSealingKey, KeyRing, Life, MemoryRecords, Operation,
    Prefix, RecordCertificates, RecordError, RecordStore, SealedRecords, SealedRecordsError,
    SealingKey, WriteError, messages::ServerName,
};
use futures_util::FutureExt;

use crate::{
    clock::TestClock,
    pki::PKI,
    records::{all, key, put},
};

type Store = SealedRecords<MemoryRecords>;

fn engine() -> MemoryRecords {
    MemoryRecords::new(Arc::new(TestClock::default()))
}

fn new_key(id: &str) -> SealingKey {
    SealingKey::generate(id).unwrap()
}

async fn open(engine: &MemoryRecords, ring: KeyRing) -> Result<Store, SealedRecordsError> {
    SealedRecords::open(engine.clone(), "test", ring).await
}

#[tokio::test]
async fn every_changed_byte_is_seen() {
    let engine = engine();
    let store = open(&engine, KeyRing::new(new_key("k"))).await.unwrap();
    put(&store, "k", "value", Expect::Absent).await;
    let k = key("k");
    let sealed = engine.get(&k).await.unwrap().unwrap();
    let mut version = sealed.version.clone();
    for at in 0..=sealed.value.len() {
        let mut bytes = sealed.value.to_vec();
        match bytes.get_mut(at) {
            Some(byte) => *byte ^= 1,
            None => bytes.push(0),
        }
        let write = engine.put(&k, bytes.into(), version.into(), Life::Durable);
        version = write.await.unwrap();
        let got = store.get(&key("k")).await;
        let told = matches!(got, Err(RecordError::Corrupt { .. }));
        assert!(told, "byte {at}: {got:?}");
        let cut = sealed.value.slice(..at.min(sealed.value.len() - 1));
        let write = engine.put(&k, cut, version.into(), Life::Durable);
        version = write.await.unwrap();
        store.get(&key("k")).await.unwrap_err();
    }
    let write = engine.put(&k, sealed.value, version.into(), Life::Durable);
    write.await.unwrap();
    assert_eq!(store.get(&key("k")).await.unwrap().unwrap().value, "value");
}

#[tokio::test]
async fn equal_values_are_sealed_differently_and_nothing_shows() {
    let engine = engine();
    let secret = new_key("k");
    let text = secret.to_base64();
    let store = open(&engine, KeyRing::new(secret)).await.unwrap();
    let version = put(&store, "k", "hunter2", Expect::Absent).await;
    let first = engine.get(&key("k")).await.unwrap().unwrap().value;
    put(&store, "k", "hunter2", version.into()).await;
    let second = engine.get(&key("k")).await.unwrap().unwrap().value;
    let common = first.iter().zip(&second).filter(|(a, b)| a == b).count();
    assert!(
        common < first.len() / 2,
        "{common} of {} bytes",
        first.len()
    );
    let shown = format!("{store:?} {:?}", store.get(&key("k")).await);
    assert!(shown.contains("SealingKey(\"k\")"), "{shown}");
    assert!(!shown.contains(&**text) && !shown.contains("hunter2"));
}

#[test]
fn keys_and_ids_are_checked() {
    for id in ["", "a b", "\u{fc}", "a/b", &"x".repeat(65)] {
        assert_eq!(SealingKey::generate(id).err(), Some(InvalidSealingKey::Id));
    }
    let key = new_key("A.b_c-9");
    let text = key.to_base64();
    for text in [
        "",
        "====",
        &text[1..],
        &format!("{}{}", &*text, &*text),
        "hunter2",
    ] {
        let error = SealingKey::from_base64("k", text).unwrap_err();
        assert_eq!(error, InvalidSealingKey::Text);
        assert!(!error.to_string().contains("hunter2"));
    }
    SealingKey::from_base64("k", &format!(" {}\n", &*text)).unwrap();
    let twice = KeyRing::new(new_key("a")).with(new_key("a"));
    assert_eq!(twice.err(), Some(InvalidSealingKey::Twice));
}

#[tokio::test]
async fn the_record_of_the_keys_is_hidden() {
    let engine = engine();
    let store = open(&engine, KeyRing::new(new_key("k"))).await.unwrap();
    let [(hidden, version)] = &all(&engine, "", 10).await[..] else {
        panic!("one record")
    };
    assert_eq!(all(&store, "", 10).await, []);
    assert_eq!(store.get(hidden).await.unwrap(), None);
    let put = store
        .put(hidden, "".into(), Expect::Absent, Life::Durable)
        .await;
    assert!(matches!(
        put,
        Err(WriteError::Store(RecordError::Denied { .. }))
    ));
    let deleted = store.delete(hidden, version.clone()).await;
    assert!(matches!(
        deleted,
        Err(WriteError::Store(RecordError::Denied { .. }))
    ));
    engine.damage(hidden);
    let opened = open(&engine, KeyRing::new(new_key("k"))).await;
    assert!(matches!(
        opened,
        Err(SealedRecordsError::Records(RecordError::Corrupt { .. }))
    ));
}

#[tokio::test]
async fn nodes_that_open_at_once_all_say_their_keys() {
    let engine = engine();
    let (a, b) = (new_key("a"), new_key("b"));
    let rings = (0..8).map(|at| {
        let (primary, other) = if at % 2 == 0 { (&a, &b) } else { (&b, &a) };
        KeyRing::new(primary.clone()).with(other.clone()).unwrap()
    });
    let opened = rings.map(|ring| open(&engine, ring));
    for opened in futures_util::future::join_all(opened).await {
        opened.unwrap();
    }
    for alone in [a, b] {
        let opened = open(&engine, KeyRing::new(alone)).await;
        assert!(matches!(opened, Err(SealedRecordsError::UnknownKey { .. })));
    }
}

#[tokio::test]
async fn rekeying_goes_on_where_it_was() {
    let engine = engine();
    let (old, new) = (new_key("old"), new_key("new"));
    let before = open(&engine, KeyRing::new(old.clone())).await.unwrap();
    for at in 0..40 {
        put(&before, &format!("k{at}"), "value", Expect::Absent).await;
    }
    let short = Life::Ephemeral(Duration::from_secs(60));
    let ephemeral = key("short");
    before
        .put(&ephemeral, "".into(), Expect::Absent, short)
        .await
        .unwrap();
    let ring = KeyRing::new(new.clone()).with(old.clone()).unwrap();
    let store = open(&engine, ring).await.unwrap();
    // It is stopped after ten, and its last answer is lost.
    let fault = Fault::AppliedThenUnavailable;
    engine.faults().inject(Operation::Put, 10, fault);
    store.rekey().await.unwrap_err();
    let done = store.rekey().await.unwrap();
    assert_eq!((done.resealed, done.left), (29, 1));
    assert!(done.retired.is_empty());
    // What is left ends by itself; here, by hand.
    let version = store.get(&ephemeral).await.unwrap().unwrap().version;
    store.delete(&ephemeral, version).await.unwrap();
    let done = store.rekey().await.unwrap();
    assert_eq!(
        (done.resealed, done.left, &*done.retired),
        (0, 0, &["old".to_owned()][..])
    );
    let alone = open(&engine, KeyRing::new(new)).await.unwrap();
    assert_eq!(all(&alone, "k", 10).await.len(), 40);
    // A node that was not told still has the old key, and writes with it.
    let version = before.get(&key("k1")).await;
    assert!(
        matches!(version, Err(RecordError::Denied { .. })),
        "{version:?}"
    );
    put(&before, "late", "value", Expect::Absent).await;
    let got = alone.get(&key("late")).await;
    assert!(matches!(got, Err(RecordError::Denied { .. })), "{got:?}");
}

#[tokio::test]
async fn certificates_can_be_sealed() {
    let engine = engine();
    let sealed = open(&engine, KeyRing::new(new_key("k"))).await.unwrap();
    let store = RecordCertificates::new(sealed);
    let name: ServerName = "www.example.com".parse().unwrap();
    let bundle = PKI.bundle("www.example.com");
    store.put(&name, &bundle, Expect::Absent).await.unwrap();
    assert_eq!(
        store.get(&name).await.unwrap().unwrap().bundle(),
        Some(&bundle)
    );
    for (key, _) in engine.list(&Prefix::all(), None, 10).await.unwrap().items {
        let value = engine.get(&key).await.unwrap().unwrap().value;
        assert!(!String::from_utf8_lossy(&value).contains("BEGIN"), "{key}");
    }
}

// What cannot be opened is damaged if its id is nobody's, and is another's if it may be.
#[tokio::test]
async fn whose_key_it_is_that_the_ring_has_not() {
    let engine = engine();
    let store = open(&engine, KeyRing::new(new_key("k"))).await.unwrap();
    put(&store, "k", "value", Expect::Absent).await;
    let k = key("k");
    let sealed = engine.get(&k).await.unwrap().unwrap();
    let mut other = sealed.value.to_vec();
    let id = other.windows(2).position(|it| it == [1, b'k']).unwrap() + 1;
    other[id] = b'x';
    let write = engine.put(&k, other.into(), sealed.version.into(), Life::Durable);
    write.await.unwrap();
    let is_corrupt = |got: &Result<_, _>| matches!(got, Err(RecordError::Corrupt { .. }));
    assert!(is_corrupt(&store.get(&k).await));
    // To know that, the record of the keys is read: who cannot read it does not guess.
    engine
        .faults()
        .inject(Operation::Get, 1, Fault::Unavailable);
    let got = store.get(&k).await;
    assert!(
        matches!(got, Err(RecordError::Unavailable { .. })),
        "{got:?}"
    );
    let [(hidden, _)] = &all(&engine, "acme-sealed/", 10).await[..] else {
        panic!("one record")
    };
    engine.damage(hidden);
    let got = store.get(&k).await;
    assert!(matches!(got, Err(RecordError::Denied { .. })), "{got:?}");
}

// A retired key that is made to seal again is needed again.
#[tokio::test]
async fn a_key_may_come_back() {
    let engine = engine();
    let (a, b) = (new_key("a"), new_key("b"));
    let ring = |first: &SealingKey, other: &SealingKey| {
        KeyRing::new(first.clone()).with(other.clone()).unwrap()
    };
    open(&engine, KeyRing::new(a.clone())).await.unwrap();
    for _ in 0..100 {
        for (first, other) in [(&b, &a), (&a, &b)] {
            let store = open(&engine, ring(first, other)).await.unwrap();
            assert_eq!(store.rekey().await.unwrap().retired, [other.id()]);
            open(&engine, KeyRing::new(first.clone())).await.unwrap();
        }
    }
    for at in 0..100 {
        let next = new_key(&format!("n{at}"));
        let store = open(&engine, ring(&next, &a)).await.unwrap();
        assert_eq!(store.rekey().await.unwrap().retired, ["a"]);
        let store = open(&engine, ring(&a, &next)).await.unwrap();
        assert_eq!(store.rekey().await.unwrap().retired, [next.id()]);
    }
    let kept = all(&engine, "", 10).await;
    let kept = engine.get(&kept[0].0).await.unwrap().unwrap();
    assert!(kept.value.len() < 2000, "it grows for ever");
}

// Others write with the key of before, however often everything is sealed anew.
#[tokio::test]
async fn no_key_is_retired_that_others_still_seal_with() {
    let engine = engine();
    let (old, new) = (new_key("old"), new_key("new"));
    let before = KeyRing::new(old.clone()).with(new.clone()).unwrap();
    let other = open(&engine, before).await.unwrap();
    let store = open(&engine, KeyRing::new(new).with(old).unwrap())
        .await
        .unwrap();
    engine.faults().inject(Operation::List, 0, Fault::Stall);
    let mut rekey = Box::pin(store.rekey());
    let mut at = 0;
    let done = loop {
        match (&mut rekey).now_or_never() {
            Some(done) => break done.unwrap(),
            None => {
                put(&other, &format!("k{at}"), "0", Expect::Absent).await;
                engine.faults().inject(Operation::List, 0, Fault::Stall);
                engine.faults().resume();
                at += 1;
            }
        }
    };
    engine.faults().clear();
    assert!(at > 1 && done.resealed == at, "{done:?}");
    assert_eq!(done.retired, Vec::<String>::new());
    let retired = store.rekey().await.unwrap().retired;
    assert_eq!(retired, ["old"]);
}
