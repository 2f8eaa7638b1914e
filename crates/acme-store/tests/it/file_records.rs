//! What records in files do beyond what every record store does.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use acme_store::{
    Acquired, EndsBy, Expect, FileRecords, FileRecordsError, FileRecordsOptions, Key, Life, Op,
    RecordError, RecordEvent, RecordStore, WriteError,
};
use futures_util::{FutureExt, StreamExt};
use tempfile::tempdir;

use crate::{
    clock::{Impatient, TestClock},
    other_process::{OtherProcess, is_root},
    records::{all, key, prefix, put},
};

pub(crate) async fn open(path: &Path, clock: &TestClock) -> FileRecords {
    let mut options = FileRecordsOptions::default();
    options.ends_by = EndsBy::Clock;
    options.call_timeout = Duration::from_secs(10);
    let clock = Arc::new(clock.clone());
    FileRecords::open_with(path, clock, options).await.unwrap()
}

pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    let mut all = vec![path.to_owned()];
    let mut at = 0;
    while at < all.len() {
        if all[at].is_dir() {
            let inside = fs::read_dir(&all[at]).unwrap();
            all.extend(inside.map(|it| it.unwrap().path()));
        }
        at += 1;
    }
    all
}

#[tokio::test]
async fn another_process_whatever_its_umask_leaves_private_files() {
    for umask in ["000", "077", "777"] {
        let parent = tempdir().unwrap();
        let path = parent.path().join("state");
        OtherProcess::new("records once", &path, umask).run();
        let all = files(&path);
        assert!(all.len() >= 7, "{all:?}");
        for file in all {
            let mode = fs::metadata(&file).unwrap().mode() & 0o777;
            let expected = if file.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, expected, "{file:?}");
        }
        let store = open(&path, &TestClock::default()).await;
        assert_eq!(store.get(&key("A/b")).await.unwrap().unwrap().value, "1");
        assert_eq!(all_keys(&store).await, ["A/b", "c", "d"]);
    }
}

#[tokio::test]
async fn another_user_is_denied() {
    if !is_root() {
        return;
    }
    let parent = tempdir().unwrap();
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    put(&store, "k", "1", Expect::Absent).await;
    let said = OtherProcess::new("records denied", &path, "022")
        .nobody()
        .run();
    assert_eq!(said, ["denied"]);
}

async fn all_keys(store: &FileRecords) -> Vec<String> {
    let all = all(store, "", 100).await;
    all.into_iter().map(|it| it.0.to_string()).collect()
}

fn file_of(store: &FileRecords, name: &str) -> PathBuf {
    store.path().join("records").join(name)
}

#[tokio::test]
async fn damaged_records_stand_alone_and_can_be_replaced() {
    let parent = tempdir().unwrap();
    let store = open(&parent.path().join("state"), &TestClock::default()).await;
    let good = put(&store, "good", "value", Expect::Absent).await;
    let whole = fs::read(file_of(&store, "good")).unwrap();
    let long = "x".repeat(1 << 20);
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let contents: [&[u8]; 6] = [
        b"",
        b"garbage",
        long.as_bytes(),
        &whole,
        &whole[..60],
        &flipped,
    ];
    for (at, contents) in contents.into_iter().enumerate() {
        let name = format!("bad{at}");
        fs::write(file_of(&store, &name), contents).unwrap();
    }
    fs::create_dir(file_of(&store, "bad6")).unwrap();
    symlink("good", file_of(&store, "bad7")).unwrap();
    fs::write(file_of(&store, ".hidden"), "").unwrap();
    fs::write(file_of(&store, "Foreign"), "").unwrap();
    // A process that starts, and so looks at everything.
    let store = open(store.path(), &TestClock::default()).await;
    let listed = all(&store, "", 2).await;
    assert_eq!(listed.len(), 9);
    for (name, version) in listed {
        if version == good {
            assert_eq!(store.get(&name).await.unwrap().unwrap().value, "value");
            continue;
        }
        let got = store.get(&name).await;
        assert!(
            matches!(&got, Err(RecordError::Corrupt { key }) if *key == name),
            "{got:?}"
        );
        let absent = store
            .put(&name, "".into(), Expect::Absent, Life::Durable)
            .await;
        assert!(matches!(absent, Err(WriteError::Conflict)), "{name}");
        if name == key("bad6") {
            // A directory cannot be replaced; it harms nobody else.
            continue;
        }
        let replaced = store
            .put(&name, "new".into(), version.into(), Life::Durable)
            .await;
        replaced.unwrap();
        assert_eq!(store.get(&name).await.unwrap().unwrap().value, "new");
    }
    assert_eq!(fs::read(file_of(&store, "good")).unwrap(), whole);
}

#[tokio::test]
async fn another_format_is_left_alone() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let clock = Arc::new(TestClock::default());
    drop(open(&path, &clock).await);
    fs::write(path.join("format"), "acme-records 2\n").unwrap();
    let refused = FileRecords::open(&path, clock.clone()).await;
    let Err(FileRecordsError::UnknownFormat { found, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(found, "acme-records 2");
    let missing = FileRecords::open(parent.path().join("a/b"), clock.clone()).await;
    assert!(matches!(missing, Err(FileRecordsError::Io { .. })));
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let no_directory = FileRecords::open(&file, clock).await;
    assert!(matches!(no_directory, Err(FileRecordsError::Io { .. })));
}

#[tokio::test]
async fn outage_is_not_absence() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    let version = put(&store, "k", "1", Expect::Absent).await;
    assert_eq!(store.get(&key("missing")).await.unwrap(), None);
    let (job, node) = (key("job"), "a".parse().unwrap());
    let ttl = Duration::from_secs(60);
    let Acquired::Granted(lease) = store.acquire(&job, &node, ttl).await.unwrap() else {
        panic!("nobody has it")
    };
    let away = parent.path().join("away");
    fs::rename(&path, &away).unwrap();
    let missing = key("missing");
    for read in [store.get(&key("k")).await, store.get(&missing).await] {
        assert!(
            matches!(read, Err(RecordError::Unavailable { .. })),
            "{read:?}"
        );
    }
    let listed = store.list(&prefix(""), None, 10).await;
    assert!(matches!(listed, Err(RecordError::Unavailable { .. })));
    let put = store
        .put(&missing, "".into(), Expect::Absent, Life::Durable)
        .await;
    assert!(matches!(
        put,
        Err(WriteError::Store(RecordError::Unavailable { .. }))
    ));
    let deleted = store.delete(&key("k"), version).await;
    assert!(matches!(deleted, Err(WriteError::Store(_))));
    let acquired = store.acquire(&job, &node, ttl).await;
    assert!(matches!(acquired, Err(RecordError::Unavailable { .. })));
    store.renew(&lease).await.unwrap_err();
    store.commit(&lease, vec![]).await.unwrap_err();
    assert!(!path.exists());
    fs::rename(&away, &path).unwrap();
    assert_eq!(store.get(&key("k")).await.unwrap().unwrap().value, "1");
    store.renew(&lease).await.unwrap();
}

#[tokio::test]
async fn a_lost_file_of_changes_is_one_resync() {
    let parent = tempdir().unwrap();
    let store = open(&parent.path().join("state"), &TestClock::default()).await;
    let mut events = store.watch(&prefix("a"));
    assert_eq!(events.next().await.unwrap().unwrap(), RecordEvent::Synced);
    fs::remove_file(store.path().join("changes")).unwrap();
    assert_eq!(events.next().await.unwrap().unwrap(), RecordEvent::Resync);
    put(&store, "b", "", Expect::Absent).await;
    let version = Some(put(&store, "a", "", Expect::Absent).await);
    let key = key("a");
    assert_eq!(
        events.next().await.unwrap().unwrap(),
        RecordEvent::Changed { key, version }
    );
}

#[tokio::test]
async fn trouble_is_told_once_and_is_followed_by_resync() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    let mut events = store.watch(&prefix(""));
    assert_eq!(events.next().await.unwrap().unwrap(), RecordEvent::Synced);
    let away = parent.path().join("away");
    fs::rename(&path, &away).unwrap();
    events.next().await.unwrap().unwrap_err();
    let mut next = events.next();
    assert!((&mut next).now_or_never().is_none());
    fs::rename(&away, &path).unwrap();
    assert_eq!(next.await.unwrap().unwrap(), RecordEvent::Resync);
}

#[tokio::test]
async fn many_changes_begin_a_new_file_of_changes() {
    let parent = tempdir().unwrap();
    let store = open(&parent.path().join("state"), &TestClock::default()).await;
    put(&store, "a", "", Expect::Absent).await;
    all(&store, "", 10).await;
    // As long as it may be: the next writer begins another.
    let changes = store.path().join("changes");
    let mut text = fs::read(&changes).unwrap();
    text.resize(1 << 20, b'\n');
    fs::write(&changes, text).unwrap();
    put(&store, "b", "", Expect::Absent).await;
    assert!(fs::metadata(&changes).unwrap().len() < 100);
    assert_eq!(all_keys(&store).await, ["a", "b"]);
}

#[tokio::test]
async fn a_line_cut_short_loses_no_change() {
    let parent = tempdir().unwrap();
    let store = open(&parent.path().join("state"), &TestClock::default()).await;
    put(&store, "a", "", Expect::Absent).await;
    all(&store, "", 10).await;
    let mut text = fs::read(store.path().join("changes")).unwrap();
    text.extend_from_slice(b"v1+cer");
    fs::write(store.path().join("changes"), text).unwrap();
    let version = put(&store, "b", "", Expect::Absent).await;
    let listed = all(&store, "", 10).await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1], (key("b"), version));
}

#[tokio::test]
async fn what_has_ended_is_removed_by_and_by() {
    let parent = tempdir().unwrap();
    let clock = TestClock::default();
    let store = open(&parent.path().join("state"), &clock).await;
    let life = Life::Ephemeral(Duration::from_secs(60));
    for at in 0..63 {
        let key = key(&format!("e{at}"));
        store
            .put(&key, "".into(), Expect::Absent, life)
            .await
            .unwrap();
    }
    put(&store, "durable", "", Expect::Absent).await;
    clock.advance(Duration::from_secs(60));
    store
        .put(&key("last"), "".into(), Expect::Absent, life)
        .await
        .unwrap();
    let left = fs::read_dir(store.path().join("records")).unwrap().count();
    assert_eq!(left, 2);
    assert_eq!(all_keys(&store).await, ["durable", "last"]);
}

#[tokio::test]
async fn a_damaged_journal_is_put_aside_and_stops_nobody() {
    let parent = tempdir().unwrap();
    let store = open(&parent.path().join("state"), &TestClock::default()).await;
    put(&store, "a", "1", Expect::Absent).await;
    fs::write(store.path().join("journal"), "acme-journal 1 garbage\n\n").unwrap();
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, "1");
    put(&store, "b", "1", Expect::Absent).await;
    assert!(!store.path().join("journal").exists());
    assert!(store.path().join("journal.damaged").exists());
}

#[tokio::test]
async fn long_keys_and_values_are_listed_and_committed() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    let ttl = Duration::from_secs(60);
    let acquired = store
        .acquire(&key(&"\u{fc}".repeat(256)), &"a".parse().unwrap(), ttl)
        .await;
    let Acquired::Granted(lease) = acquired.unwrap() else {
        panic!("nobody has it")
    };
    let capabilities = store.capabilities();
    let keys: Vec<Key> = (0..capabilities.max_batch)
        .map(|it| key(&format!("{it}{}", "\u{fc}".repeat(255))))
        .collect();
    let put = |key: &Key| Op::Put {
        key: key.clone(),
        value: vec![7; capabilities.max_value].into(),
        expected: Expect::Absent,
        life: Life::Durable,
    };
    store
        .commit(&lease, keys.iter().map(put).collect())
        .await
        .unwrap();
    let again = open(&path, &TestClock::default()).await;
    let listed = all(&again, "", 3).await;
    assert_eq!(
        listed.iter().map(|it| &it.0).collect::<Vec<_>>(),
        keys.iter().collect::<Vec<_>>()
    );
    for key in &keys {
        assert_eq!(
            again.get(key).await.unwrap().unwrap().value.len(),
            capabilities.max_value
        );
    }
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
}

#[tokio::test]
async fn a_dropped_writer_that_waits_for_its_turn_does_not_write() {
    let parent = tempdir().unwrap();
    let store = open(&parent.path().join("state"), &TestClock::default()).await;
    let other = fs::File::options()
        .write(true)
        .open(store.path().join("lock"))
        .unwrap();
    other.lock().unwrap();
    let key = key("late");
    let mut put = store.put(&key, "".into(), Expect::Absent, Life::Durable);
    assert!((&mut put).now_or_never().is_none());
    drop(put);
    other.unlock().unwrap();
    // Its thread takes the turn before us, or sees that nobody waits.
    for _ in 0..20 {
        assert_eq!(store.get(&key).await.unwrap(), None);
        self::put(&store, "other", "", Expect::Absent).await;
        let version = store
            .get(&self::key("other"))
            .await
            .unwrap()
            .unwrap()
            .version;
        store.delete(&self::key("other"), version).await.unwrap();
    }
}

#[tokio::test]
async fn a_watch_that_begins_in_an_outage_waits_between_two_looks() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let clock = Impatient::default();
    let store = FileRecords::open(&path, Arc::new(clock.clone()))
        .await
        .unwrap();
    let away = parent.path().join("away");
    fs::rename(&path, &away).unwrap();
    let mut events = store.watch(&prefix(""));
    events.next().await.unwrap().unwrap_err();
    let waited = async {
        while clock.sleeps().len() < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        event = events.next() => panic!("told twice: {event:?}"),
        () = waited => {}
    }
    fs::rename(&away, &path).unwrap();
    assert_eq!(events.next().await.unwrap().unwrap(), RecordEvent::Synced);
}

#[tokio::test]
async fn records_whose_directory_is_gone_are_not_absent() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    let version = put(&store, "a", "1", Expect::Absent).await;
    let (records, away) = (path.join("records"), path.join("away"));
    fs::rename(&records, &away).unwrap();
    let a = key("a");
    store.get(&a).await.unwrap_err();
    let put = store.put(&a, "2".into(), Expect::Absent, Life::Durable);
    put.await.unwrap_err();
    fs::rename(&away, &records).unwrap();
    assert_eq!(
        store.get(&key("a")).await.unwrap().unwrap().version,
        version
    );
}
// Whatever cleans up may remove an empty file: the next turn makes it anew, and who has
// waited for the old one does not write beside who has the new one.
#[tokio::test]
async fn a_lock_that_was_removed_is_made_anew() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    let lock = path.join("lock");
    fs::remove_file(&lock).unwrap();
    put(&store, "a", "1", Expect::Absent).await;

    let mut options = FileRecordsOptions::default();
    options.call_timeout = Duration::from_millis(100);
    let clock = Arc::new(TestClock::default());
    let store = FileRecords::open_with(&path, clock, options).await.unwrap();
    let old = fs::File::open(&lock).unwrap();
    old.lock().unwrap();
    let b = key("b");
    let mut late = store.put(&b, "1".into(), Expect::Absent, Life::Durable);
    assert!((&mut late).now_or_never().is_none());
    let new = fs::File::create(path.join("new")).unwrap();
    new.lock().unwrap();
    fs::rename(path.join("new"), &lock).unwrap();
    drop(old);
    late.await.unwrap_err();
    drop(new);
    put(&store, "b", "1", Expect::Absent).await;
}
