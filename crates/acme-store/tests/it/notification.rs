//! The directory's watch is told of changes by the system, the moment they happen.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use acme_store::{
    BoxStream, CertificateStore, DirectoryOptions, DirectoryStore, Expect, StoreEvent,
    messages::Clock,
};
use futures_util::StreamExt;
use rustix::{fs::inotify, io::Errno};
use tempfile::tempdir;

use crate::{
    clock::{Frozen, Impatient},
    directory::name,
    other_process::{OtherProcess, is_root, say},
    pki::PKI,
};

async fn open(path: &Path, clock: impl Clock) -> DirectoryStore {
    let mut options = DirectoryOptions::default();
    options.clock = Arc::new(clock);
    DirectoryStore::open_with(path, options).await.unwrap()
}

/// What another process, a shell, does in a directory.
fn shell(directory: &Path, script: &str) {
    let mut sh = Command::new("sh");
    let ended = sh.args(["-ec", script]).current_dir(directory).status();
    assert!(ended.unwrap().success(), "{script}");
}

/// The next hint; that there is none ends the test, and not the person who waits for it.
async fn next(events: &mut BoxStream<'static, StoreEvent>) -> StoreEvent {
    let next = tokio::time::timeout(Duration::from_secs(60), events.next());
    next.await.expect("a hint").expect("the watch never ends")
}

/// The next hints up to one for this entry; none is for anything else than the named ones.
async fn told(events: &mut BoxStream<'static, StoreEvent>, expected: &str, others: &[&str]) {
    loop {
        match next(events).await {
            StoreEvent::Changed(it) if it == name(expected) => return,
            StoreEvent::Changed(it) if others.contains(&&*it.to_string()) => {}
            event => panic!("{event:?} instead of {expected}"),
        }
    }
}

// The clock stands still: nothing is found by looking.
#[tokio::test]
async fn what_other_processes_do_is_told() {
    let directory = tempdir().unwrap();
    let path = directory.path();
    fs::write(path.join("there.example.com.pem"), "").unwrap();
    let store = open(path, Frozen).await;
    let mut events = store.watch();
    assert_eq!(next(&mut events).await, StoreEvent::Resync);

    // Each thing is told of, and the last one of it proves that what went before was nobody's business.
    for (script, changed) in [
        (
            "echo x > .0.tmp; mv .0.tmp a.example.com.pem",
            "a.example.com",
        ),
        ("echo longer >> a.example.com.pem", "a.example.com"),
        ("touch -d 2001-02-03 a.example.com.pem", "a.example.com"),
        ("mv a.example.com.pem b.example.com.pem", "b.example.com"),
        ("rm b.example.com.pem", "b.example.com"),
        ("rm there.example.com.pem", "there.example.com"),
        ("touch '*.example.com.pem'", "*.example.com"),
        ("touch 2001:db8::1.pem", "2001:db8::1"),
        ("ln -s nowhere link.example.com.pem", "link.example.com"),
        ("rm link.example.com.pem", "link.example.com"),
        (
            "echo > client.key; echo > DEFAULT.pem; echo > x.tmp; mkdir dir.example.com.pem;
             ln -s c.example.com.pem alias.example.com.pem; touch c.example.com.pem",
            "c.example.com",
        ),
    ] {
        shell(path, script);
        // Who renames or writes is told of more than once; an alias leads nowhere at first.
        let others = [
            "a.example.com",
            "b.example.com",
            "*.example.com",
            "2001:db8::1",
            "there.example.com",
            "link.example.com",
            "alias.example.com",
        ];
        told(&mut events, changed, &others).await;
    }

    // Our own writes are changes too.
    let bundle = PKI.bundle("d.example.com");
    store
        .put(&name("d.example.com"), &bundle, Expect::Absent)
        .await
        .unwrap();
    told(
        &mut events,
        "d.example.com",
        &["c.example.com", "alias.example.com"],
    )
    .await;
}

// What changes once the first hint is there is told of, without a gap.
#[tokio::test]
async fn hints_come_once_the_watch_is_live() {
    let directory = tempdir().unwrap();
    let store = open(directory.path(), Frozen).await;
    let mut before: Vec<String> = Vec::new();
    for round in 0..50 {
        let mut events = store.watch();
        assert_eq!(next(&mut events).await, StoreEvent::Resync);
        let label = format!("n{round}.example.com");
        fs::write(directory.path().join(format!("{label}.pem")), "").unwrap();
        // A child that another test forks just now closes the file of the last round later.
        let others: Vec<_> = before.iter().map(String::as_str).collect();
        told(&mut events, &label, &others).await;
        before.push(label);
    }
}

// D12: of a link's target nobody tells.
#[tokio::test]
async fn what_a_link_leads_to_is_looked_at() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("certs");
    fs::create_dir(&path).unwrap();
    let target = directory.path().join("target");
    fs::write(&target, "").unwrap();
    symlink("../target", path.join("www.example.com.pem")).unwrap();
    let store = open(&path, Impatient::default()).await;
    let mut events = store.watch();
    assert_eq!(next(&mut events).await, StoreEvent::Resync);
    fs::write(&target, "changed").unwrap();
    told(&mut events, "www.example.com", &[]).await;
}

#[tokio::test]
async fn a_replaced_directory_is_a_resync() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("certs");
    let outer = directory.path();
    fs::create_dir(&path).unwrap();
    let store = open(&path, Impatient::default()).await;
    let mut events = store.watch();
    assert_eq!(next(&mut events).await, StoreEvent::Resync);
    for script in [
        "mv certs old; mkdir certs",
        "mkdir new; touch new/a.example.com.pem; mv certs older; mv new certs",
        "rm -r certs; mkdir certs",
        "mv certs v1; mkdir v2; ln -s v1 certs",
        // Only the path is another one: of that nobody tells.
        "ln -s v2 new-link; mv -T new-link certs",
    ] {
        shell(outer, script);
        // The files of the old one may be seen to go first.
        while next(&mut events).await != StoreEvent::Resync {}
        // The new one is watched.
        shell(outer, "touch certs/b.example.com.pem");
        told(&mut events, "b.example.com", &[]).await;
        shell(outer, "rm certs/b.example.com.pem");
        told(&mut events, "b.example.com", &[]).await;
        // Hints may come twice.
        while futures_util::FutureExt::now_or_never(events.next()).is_some() {}
    }
}

// Where the system has no watch left for us, looking goes on.
#[test]
fn without_a_watch_left_changes_are_looked_for() {
    if !is_root() {
        println!("skipped: only root can use up what somebody else may have");
        return;
    }
    let directory = tempdir().unwrap();
    let path: PathBuf = directory.path().into();
    std::os::unix::fs::chown(&path, Some(54_321), Some(54_321)).unwrap();
    let said = OtherProcess::new("watch without a watch left", &path, "022")
        .user(54_321)
        .run();
    assert_eq!(
        said,
        [
            "none left",
            "Resync",
            "Changed a.example.com",
            "Changed a.example.com"
        ]
    );
}

// Nothing goes on when nobody listens any more.
#[test]
fn a_watch_that_is_dropped_ends() {
    let directory = tempdir().unwrap();
    let said = OtherProcess::new("watch and go", directory.path(), "022").run();
    assert_eq!(said, ["watching", "gone"]);
}

/// Says whether there is a thread that listens to the system, before and after.
pub(crate) async fn watch_and_go(path: &Path) {
    let store = DirectoryStore::open(path).await.unwrap();
    let mut events = store.watch();
    assert_eq!(next(&mut events).await, StoreEvent::Resync);
    let watching = || {
        let threads = fs::read_dir("/proc/self/task").unwrap();
        threads.map(Result::unwrap).any(|it| {
            let name = fs::read_to_string(it.path().join("comm"));
            name.is_ok_and(|it| it.starts_with("acme-store-watc"))
        })
    };
    // It takes its name when it runs.
    while !watching() {
        tokio::task::yield_now().await;
    }
    say("watching");
    drop(events);
    while watching() {
        tokio::task::yield_now().await;
    }
    say("gone");
}

/// Uses up all that this user may have of the system's watches, and watches then.
pub(crate) async fn watch_without_a_watch_left(path: &Path) {
    let mut taken = Vec::new();
    let refused = loop {
        match inotify::init(inotify::CreateFlags::CLOEXEC) {
            Ok(one) => taken.push(one),
            Err(errno) => break errno,
        }
    };
    assert_eq!(refused, Errno::MFILE);
    // It is not for want of open files.
    fs::read_dir(path).unwrap();
    say("none left");
    let mut options = DirectoryOptions::default();
    options.clock = Arc::new(Impatient::default());
    let store = DirectoryStore::open_with(path, options).await.unwrap();
    let mut events = store.watch();
    let file = path.join("a.example.com.pem");
    for change in 0..3 {
        match next(&mut events).await {
            StoreEvent::Changed(name) => say(&format!("Changed {name}")),
            event => say(&format!("{event:?}")),
        }
        if change == 0 {
            fs::write(&file, "").unwrap();
        } else {
            let _ = fs::remove_file(&file);
        }
    }
}
