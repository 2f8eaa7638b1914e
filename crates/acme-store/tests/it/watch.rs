//! The directory's watch sees what people do with its files, by looking again and again.

use std::{collections::HashSet, fs, sync::Arc};

use acme_store::{CertificateStore, DirectoryOptions, DirectoryStore, StoreEvent};
use futures_util::StreamExt;
use tempfile::tempdir;

use crate::{clock::Impatient, directory::name};

#[tokio::test]
async fn edits_by_hand_are_seen_by_looking() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("certs");
    let file = path.join("a.example.com.pem");
    fs::create_dir(&path).unwrap();
    let clock = Impatient::default();
    let mut options = DirectoryOptions::default();
    options.clock = Arc::new(clock.clone());
    options.notifications = false;
    let store = DirectoryStore::open_with(&path, options).await.unwrap();
    let mut events = store.watch();
    let mut next = async || events.next().await.unwrap();
    assert_eq!(next().await, StoreEvent::Resync);
    assert_eq!(clock.sleeps(), []);
    let changed = StoreEvent::Changed(name("a.example.com"));

    fs::write(&file, "").unwrap();
    assert_eq!(next().await, changed);
    fs::write(&file, "garbage").unwrap();
    assert_eq!(next().await, changed);
    fs::write(path.join("b.tmp"), "").unwrap();
    fs::write(path.join("README"), "").unwrap();
    fs::write(path.join("z.example.com.pem"), "").unwrap();
    assert_eq!(next().await, StoreEvent::Changed(name("z.example.com")));
    fs::remove_file(&file).unwrap();
    assert_eq!(next().await, changed);

    // Gone and back: anything may have happened.
    let away = directory.path().join("away");
    fs::rename(&path, &away).unwrap();
    let mut waiting = Box::pin(next());
    tokio::select! {
        biased;
        event = &mut waiting => panic!("{event:?}"),
        () = until(|| clock.sleeps().len() > 8) => {}
    }
    fs::rename(&away, &path).unwrap();
    assert_eq!(waiting.await, StoreEvent::Resync);
    let sleeps = clock.sleeps();
    assert!(
        sleeps
            .iter()
            .all(|it| *it >= DirectoryOptions::DEFAULT_POLL_INTERVAL)
    );
}

async fn until(met: impl Fn() -> bool) {
    while !met() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn very_many_changes_are_one_resync() {
    for notifications in [false, true] {
        let directory = tempdir().unwrap();
        let mut options = DirectoryOptions::default();
        options.clock = Arc::new(Impatient::default());
        options.notifications = notifications;
        let store = DirectoryStore::open_with(directory.path(), options)
            .await
            .unwrap();
        let mut events = store.watch();
        assert_eq!(events.next().await, Some(StoreEvent::Resync));
        // Nobody asks meanwhile.
        for at in 0..1500 {
            fs::write(directory.path().join(format!("n{at}.example.com.pem")), "").unwrap();
        }
        // What the system tells of in time may come by name, but then all of it.
        let mut told = HashSet::new();
        loop {
            match events.next().await {
                Some(StoreEvent::Changed(name)) => drop(told.insert(name)),
                other => {
                    assert_eq!(other, Some(StoreEvent::Resync));
                    break;
                }
            }
            if notifications && told.len() == 1500 {
                break;
            }
        }
    }
}
