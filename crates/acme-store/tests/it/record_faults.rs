//! Records in files, where others have been at the directory and its disk.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
    process::Command,
    time::Duration,
};

use acme_store::{
    Acquired, Expect, FileRecords, Life, RecordError, RecordEvent, RecordStore, WriteError,
};
use futures_util::{FutureExt, StreamExt};
use tempfile::tempdir;

use crate::{
    clock::TestClock,
    file_records::{files, open},
    other_process::{NOBODY, OtherProcess, is_root},
    records::{all, key, prefix, put},
};

async fn names(store: &FileRecords) -> Vec<String> {
    let all = all(store, "", 100).await;
    all.into_iter().map(|it| it.0.to_string()).collect()
}

#[tokio::test]
async fn no_more_of_a_file_of_changes_is_read_than_writers_write() {
    let parent = tempdir().unwrap();
    let store = open(&parent.path().join("state"), &TestClock::default()).await;
    put(&store, "a", "", Expect::Absent).await;
    let mut events = store.watch(&prefix(""));
    assert_eq!(events.next().await.unwrap().unwrap(), RecordEvent::Synced);
    let changes = fs::File::options()
        .write(true)
        .open(store.path().join("changes"))
        .unwrap();
    changes.set_len(16 << 20).unwrap();
    // It holds no line that is a key: who has read it all has nothing to tell.
    let told = tokio::time::timeout(Duration::from_secs(5), events.next()).await;
    assert_eq!(told.unwrap().unwrap().unwrap(), RecordEvent::Resync);
    assert_eq!(names(&store).await, ["a"]);
    put(&store, "b", "", Expect::Absent).await;
    assert_eq!(names(&store).await, ["a", "b"]);
}

#[tokio::test]
async fn what_is_no_file_of_changes_gives_way_to_one() {
    let parent = tempdir().unwrap();
    let store = open(&parent.path().join("state"), &TestClock::default()).await;
    put(&store, "a", "", Expect::Absent).await;
    let changes = store.path().join("changes");
    let elsewhere = parent.path().join("elsewhere");
    fs::rename(&changes, &elsewhere).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    symlink(&elsewhere, &changes).unwrap();
    put(&store, "b", "", Expect::Absent).await;
    assert_eq!(fs::read(&elsewhere).unwrap(), before);
    assert_eq!(names(&store).await, ["a", "b"]);

    fs::remove_file(&changes).unwrap();
    let made = Command::new("mkfifo").arg(&changes).status().unwrap();
    assert!(made.success());
    put(&store, "c", "", Expect::Absent).await;
    assert_eq!(names(&store).await, ["a", "b", "c"]);
}

// The file of changes is the one that grows: where it may not, the records are changed
// all the same, and everybody looks at all of them.
#[tokio::test]
async fn no_room_for_the_changes_keeps_nobody_from_changing() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    put(&store, "a", "", Expect::Absent).await;
    assert_eq!(names(&store).await, ["a"]);
    let changes = path.join("changes");
    let mut text = fs::read(&changes).unwrap();
    text.resize(300 << 10, b'\n');
    fs::write(&changes, text).unwrap();
    assert_eq!(names(&store).await, ["a"]);
    OtherProcess::with_shell("records once", &path, "trap '' XFSZ; ulimit -f 100").run();
    assert_eq!(names(&store).await, ["A/b", "a", "c", "d"]);
}

#[tokio::test]
async fn what_others_have_left_of_a_write_is_in_nobodys_way() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    let elsewhere = parent.path().join("elsewhere");
    fs::write(&elsewhere, "theirs").unwrap();
    symlink(&elsewhere, path.join("temporary")).unwrap();
    put(&store, "a", "", Expect::Absent).await;
    // A second name of a file that is not ours is not written through.
    fs::hard_link(&elsewhere, path.join("temporary")).unwrap();
    put(&store, "b", "", Expect::Absent).await;
    assert_eq!(fs::read(&elsewhere).unwrap(), b"theirs");
    assert_eq!(names(&store).await, ["a", "b"]);
}

fn give_to_nobody(parent: &Path) {
    fs::set_permissions(parent, fs::Permissions::from_mode(0o755)).unwrap();
    let state = parent.join("state");
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
    chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
}

// An administrator looks after a service's records, and does not lock it out.
#[tokio::test]
async fn what_root_writes_belongs_to_whose_directory_it_is() {
    if !is_root() {
        return;
    }
    let parent = tempdir().unwrap();
    give_to_nobody(parent.path());
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    put(&store, "k", "1", Expect::Absent).await;
    fs::remove_file(path.join("lock")).unwrap();
    let node = "root".parse().unwrap();
    let ttl = Duration::from_secs(60);
    let acquired = store.acquire(&key("job of root"), &node, ttl).await;
    assert!(matches!(acquired, Ok(Acquired::Granted(_))), "{acquired:?}");
    for file in files(&path) {
        let metadata = fs::metadata(&file).unwrap();
        assert_eq!(
            (metadata.uid(), metadata.gid()),
            (NOBODY, NOBODY),
            "{file:?}"
        );
    }
    OtherProcess::new("records once", &path, "022")
        .nobody()
        .run();
    assert_eq!(names(&store).await, ["A/b", "c", "d", "k"]);
}

#[tokio::test]
async fn what_root_was_killed_in_is_in_nobodys_way() {
    if !is_root() {
        return;
    }
    let parent = tempdir().unwrap();
    give_to_nobody(parent.path());
    let path = parent.path().join("state");
    fs::write(path.join("temporary"), "half").unwrap();
    fs::set_permissions(path.join("temporary"), fs::Permissions::from_mode(0o600)).unwrap();
    OtherProcess::new("records once", &path, "022")
        .nobody()
        .run();
}

#[tokio::test]
async fn reading_a_record_waits_for_no_list() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let clock = TestClock::default();
    put(&open(&path, &clock).await, "k", "1", Expect::Absent).await;
    let store = open(&path, &clock).await;
    // A writer that was stopped in the middle of its turn.
    let other = fs::File::open(path.join("lock")).unwrap();
    other.lock().unwrap();
    let all = prefix("");
    let mut waiting = Vec::new();
    for _ in 0..FileRecords::MAX_CONCURRENT_CALLS {
        let mut list = store.list(&all, None, 10);
        assert!((&mut list).now_or_never().is_none());
        let watch = store.watch(&all).into_future();
        let mut both = Box::pin(futures_util::future::join(list, watch));
        assert!((&mut both).now_or_never().is_none());
        waiting.push(both);
    }
    let k = key("k");
    let read = store.get(&k).await;
    assert_eq!(read.unwrap().unwrap().value, "1");
    other.unlock().unwrap();
    for both in waiting {
        let (listed, (event, _)) = both.await;
        assert_eq!(listed.unwrap().items.len(), 1);
        assert_eq!(event.unwrap().unwrap(), RecordEvent::Synced);
    }
}

#[tokio::test]
async fn a_damaged_record_with_a_long_key_is_listed_too() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    let long = "long/".repeat(100);
    let file = || {
        let mut all = fs::read_dir(path.join("records")).unwrap();
        all.next().unwrap().unwrap().path()
    };
    let mut version = put(&store, &long, "1", Expect::Absent).await;
    let whole = fs::read(file()).unwrap();
    let mut flipped = whole.clone();
    flipped[0] ^= 1;
    let mut of_another_version = whole.clone();
    of_another_version[12] = b'2';
    let cut = whole[..whole.len() - 20].to_vec();
    for damaged in [flipped, of_another_version, cut] {
        put(&store, &long, "2", version.into()).await;
        fs::write(file(), damaged).unwrap();
        let store = open(&path, &TestClock::default()).await;
        let got = store.get(&key(&long)).await;
        assert!(matches!(got, Err(RecordError::Corrupt { .. })), "{got:?}");
        let listed = all(&store, "long/", 10).await;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].0, key(&long));
        version = put(&store, &long, "3", listed[0].1.clone().into()).await;
        assert_eq!(store.get(&key(&long)).await.unwrap().unwrap().value, "3");
    }
}

// A newer version has changed the format while this one was at work.
#[tokio::test]
async fn a_format_that_changes_meanwhile_is_left_alone() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    put(&store, "a", "1", Expect::Absent).await;
    fs::write(path.join("format"), "acme-records 2\n").unwrap();
    let journal = path.join("journal");
    fs::write(&journal, "acme-journal 2 of a kind that we do not know\n\n").unwrap();
    let late = store
        .put(&key("b"), "".into(), Expect::Absent, Life::Durable)
        .await;
    let denied = matches!(late, Err(WriteError::Store(RecordError::Denied { .. })));
    assert!(denied, "{late:?}");
    let node = "a".parse().unwrap();
    let ttl = Duration::from_secs(60);
    let acquired = store.acquire(&key("job"), &node, ttl).await;
    assert!(matches!(acquired, Err(RecordError::Denied { .. })));
    assert!(journal.exists() && !path.join("records/b").exists());
}

// Both have the same name for their changes, and as many bytes of them.
#[tokio::test]
async fn a_directory_restored_from_a_copy_is_looked_at_anew() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let clock = TestClock::default();
    let store = open(&path, &clock).await;
    put(&store, "a", "1", Expect::Absent).await;
    let copy = |from: &Path, to: &Path| {
        let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
        assert!(copied.unwrap().success());
    };
    let backup = parent.path().join("backup");
    copy(&path, &backup);
    put(&store, "x", "1", Expect::Absent).await;
    let mut events = store.watch(&prefix(""));
    assert_eq!(events.next().await.unwrap().unwrap(), RecordEvent::Synced);
    assert_eq!(names(&store).await, ["a", "x"]);

    fs::rename(&path, parent.path().join("away")).unwrap();
    copy(&backup, &path);
    put(&open(&path, &clock).await, "y", "1", Expect::Absent).await;
    assert_eq!(names(&store).await, ["a", "y"]);
    let told = tokio::time::timeout(Duration::from_secs(5), events.next()).await;
    assert_eq!(told.unwrap().unwrap().unwrap(), RecordEvent::Resync);
}

// A file that somebody has copied in, and that only they may read, stands alone.
#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_no_other_from_being_listed() {
    if !is_root() {
        return;
    }
    let parent = tempdir().unwrap();
    give_to_nobody(parent.path());
    let path = parent.path().join("state");
    let store = open(&path, &TestClock::default()).await;
    put(&store, "k", "1", Expect::Absent).await;
    put(&store, "unreadable", "1", Expect::Absent).await;
    chown(path.join("records/unreadable"), Some(0), Some(0)).unwrap();
    let said = OtherProcess::new("records unreadable", &path, "022")
        .nobody()
        .run();
    assert_eq!(said, ["k", "unreadable"]);
    assert_eq!(
        store.get(&key("unreadable")).await.unwrap().unwrap().value,
        "2"
    );
}

// Whoever selects among futures keeps some that are not polled any more.
#[tokio::test]
async fn who_is_not_polled_keeps_nobody_waiting() {
    let parent = tempdir().unwrap();
    let path = parent.path().join("state");
    let clock = TestClock::default();
    let store = open(&path, &clock).await;
    put(&store, "k", "1", Expect::Absent).await;
    // News, so that a look takes its turn.
    put(&open(&path, &clock).await, "l", "1", Expect::Absent).await;

    let other = fs::File::open(path.join("lock")).unwrap();
    other.lock().unwrap();
    let all = prefix("");
    let mut looks = [0; 3].map(|_| store.list(&all, None, 9));
    let (k, value) = (key("k"), "2");
    let mut writes = [0; 3].map(|_| store.put(&k, value.into(), Expect::Absent, Life::Durable));
    for look in &mut looks {
        assert!(look.now_or_never().is_none());
    }
    for write in &mut writes {
        assert!(write.now_or_never().is_none());
    }
    other.unlock().unwrap();
    assert_eq!(names(&store).await, ["k", "l"]);
    put(&store, "m", "1", Expect::Absent).await;
    for look in looks {
        assert!(look.await.is_ok());
    }
    for write in writes {
        assert!(matches!(write.await, Err(WriteError::Conflict)));
    }
}
