//! What the directory promises beyond what every store does.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
};

use acme_store::{
    CertificateBundle, CertificateStore, CertificateStoreExt, DirectoryStore, Expect, StoreError,
    messages::ServerName,
};
use futures_util::FutureExt;
use tempfile::{TempDir, tempdir};

use crate::pki::PKI;

const GOOD: &str = include_str!("../data/www.example.com.pem");

pub(crate) fn name(text: &str) -> ServerName {
    text.parse().unwrap()
}

pub(crate) fn files(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).unwrap();
    let mut files: Vec<_> = files
        .map(|it| it.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    files
}

pub(crate) async fn open(directory: &TempDir) -> DirectoryStore {
    DirectoryStore::open(directory.path()).await.unwrap()
}

// S15
#[tokio::test]
async fn what_is_no_directory_is_refused_and_nothing_created() {
    let directory = tempdir().unwrap();
    let missing = directory.path().join("missing");
    let opened = DirectoryStore::open(&missing).await;
    assert!(matches!(opened, Err(StoreError::DirectoryMissing { path }) if path == missing));
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let opened = DirectoryStore::open(&file).await;
    assert!(matches!(opened, Err(StoreError::NotADirectory { path }) if path == file));
    assert_eq!(files(directory.path()), ["file"]);
}

// S1, S8: a store behind a pointer, asked by checked names alone.
#[tokio::test]
async fn the_directory_is_a_store_like_any_other() {
    let directory = tempdir().unwrap();
    let store: Box<dyn CertificateStore> = Box::new(open(&directory).await);
    assert!(store.get(&name("www.example.com")).await.unwrap().is_none());
    assert_eq!(store.list_all().await.unwrap(), []);
}

// S10
#[tokio::test]
async fn the_directory_may_have_any_name() {
    let directory = tempdir().unwrap();
    let path = directory.path().join(OsStr::from_bytes(b"\xff\xfe certs"));
    fs::create_dir(&path).unwrap();
    let store = DirectoryStore::open(&path).await.unwrap();
    let bundle = PKI.bundle("www.example.com");
    let name = name("www.example.com");
    store.put(&name, &bundle, Expect::Absent).await.unwrap();
    assert_eq!(files(&path), ["www.example.com.pem"]);
}

#[tokio::test]
async fn shorter_replacement_leaves_no_tail() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("www.example.com.pem");
    fs::write(&path, format!("{GOOD}{}", "# tail\n".repeat(2000))).unwrap();
    let store = open(&directory).await;
    let www = name("www.example.com");
    let version = store.get(&www).await.unwrap().unwrap().version;
    let bundle = PKI.bundle("www.example.com");
    store.put(&www, &bundle, version.into()).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), bundle.to_pem().as_str());
}

// D12, S17
#[tokio::test]
async fn an_alias_is_no_entry_of_its_own() {
    let directory = tempdir().unwrap();
    let real = directory.path().join("www.example.com.pem");
    let alias = directory.path().join("example.com.pem");
    fs::write(&real, GOOD).unwrap();
    symlink("www.example.com.pem", &alias).unwrap();
    let store = open(&directory).await;
    let listed = store.list_all().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, name("www.example.com"));
    let entry = store.get(&name("example.com")).await.unwrap().unwrap();
    assert_eq!(entry.version, listed[0].version);

    let bundle = PKI.bundle("www.example.com");
    let expected = entry.version.into();
    store
        .put(&name("example.com"), &bundle, expected)
        .await
        .unwrap();
    assert!(fs::symlink_metadata(&alias).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), bundle.to_pem().as_str());
    assert_eq!(
        files(directory.path()),
        ["example.com.pem", "www.example.com.pem"]
    );
}

// D6, D7
#[tokio::test]
async fn what_a_killed_writer_left_is_swept_and_never_listed() {
    let directory = tempdir().unwrap();
    let left = format!(".{}.tmp", "0123456789abcdef".repeat(2));
    let wildcard = format!(".{}*.tmp", "0123456789abcdef".repeat(2));
    let foreign = [".vimrc.tmp", ".0123.tmp", "0123456789abcdef.tmp"];
    for file in foreign.iter().copied().chain([&*left, &*wildcard]) {
        fs::write(directory.path().join(file), "half a key").unwrap();
    }
    let listing = async || open(&directory).await.list_all().await.unwrap();

    // Somebody is writing: it may be theirs.
    let handle = fs::File::open(directory.path()).unwrap();
    handle.lock().unwrap();
    assert_eq!(listing().await, []);
    assert!(files(directory.path()).contains(&left));
    handle.unlock().unwrap();

    assert_eq!(listing().await, []);
    let mut expected = foreign.map(str::to_owned);
    expected.sort();
    assert_eq!(files(directory.path()), expected);
}

// D6, S9
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_never_sees_half_a_file() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("www.example.com.pem");
    let store = open(&directory).await;
    let www = name("www.example.com");
    let bundles = [PKI.bundle("www.example.com"), PKI.bundle("www.example.com")];
    let mut version = store.put(&www, &bundles[0], Expect::Absent).await.unwrap();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let reader = std::thread::spawn(move || {
        let mut reads = 0;
        while stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
            CertificateBundle::from_pem(&fs::read(&path).unwrap()).unwrap();
            reads += 1;
        }
        reads
    });
    for round in 1..100 {
        let bundle = &bundles[round % 2];
        version = store.put(&www, bundle, version.into()).await.unwrap();
    }
    drop(stop);
    assert!(reader.join().unwrap() > 0);
}

#[test]
fn what_is_dropped_before_it_begins_never_does() {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join("www.example.com.pem"), "").unwrap();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().max_blocking_threads(1).build();
    runtime.unwrap().block_on(async {
        let store = open(&directory).await;
        let name = name("www.example.com");
        let asked = store.get(&name).await.unwrap().unwrap();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        let bundle = PKI.bundle("www.example.com");
        let mut put = store.put(&name, &bundle, asked.version.clone().into());
        assert!((&mut put).now_or_never().is_none());
        drop(put);
        drop(go);
        assert!(busy.await.unwrap().is_err());
        assert_eq!(store.get(&name).await.unwrap().unwrap(), asked);
        // It has left nobody's turn behind.
        let version = asked.version.into();
        store.put(&name, &bundle, version).await.unwrap();
    });
}
