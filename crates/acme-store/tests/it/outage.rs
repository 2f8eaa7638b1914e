//! What keeps the directory from answering is never taken for a missing certificate.

use std::{
    fs,
    os::unix::fs::{chown, symlink},
};

use acme_store::{
    CertificateStore, CertificateStoreExt, DirectoryStore, Expect, PutError, StoreError,
};
use futures_util::FutureExt;
use tempfile::tempdir;

use crate::{
    directory::{files, name},
    other_process::{NOBODY, OtherProcess, is_root},
    pki::PKI,
};

const GOOD: &str = include_str!("../data/www.example.com.pem");

#[tokio::test]
async fn outage_is_not_absence() {
    let directory = tempdir().unwrap();
    let (path, away) = (
        directory.path().join("certs"),
        directory.path().join("away"),
    );
    fs::create_dir(&path).unwrap();
    fs::write(path.join("www.example.com.pem"), GOOD).unwrap();
    let store = DirectoryStore::open(&path).await.unwrap();
    let www = name("www.example.com");
    let bundle = PKI.bundle("www.example.com");
    fs::rename(&path, &away).unwrap();
    for missing in [
        store.list_all().await.map(drop),
        store.get(&www).await.map(drop),
        store.accepts(&www).await,
    ] {
        assert!(matches!(missing, Err(StoreError::DirectoryMissing { .. })));
    }
    let put = store.put(&www, &bundle, Expect::Absent).await;
    assert!(matches!(
        put,
        Err(PutError::Store(StoreError::DirectoryMissing { .. }))
    ));
    assert_eq!(files(directory.path()), ["away"]);

    fs::write(&path, "").unwrap();
    let listed = store.list_all().await;
    assert!(
        matches!(listed, Err(StoreError::NotADirectory { .. })),
        "{listed:?}"
    );
    let got = store.get(&www).await;
    assert!(
        matches!(got, Err(StoreError::NotADirectory { .. })),
        "{got:?}"
    );

    fs::remove_file(&path).unwrap();
    fs::rename(&away, &path).unwrap();
    assert!(store.get(&www).await.unwrap().unwrap().bundle().is_some());
}

// A disk that fails: reading this file of the kernel's is an input/output error.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_read_error_is_not_absence() {
    let directory = tempdir().unwrap();
    symlink(
        "/proc/self/mem",
        directory.path().join("www.example.com.pem"),
    )
    .unwrap();
    fs::write(directory.path().join("good.example.com.pem"), GOOD).unwrap();
    let store = DirectoryStore::open(directory.path()).await.unwrap();
    let www = name("www.example.com");
    let got = store.get(&www).await;
    let is_io = |error: &StoreError| matches!(error, StoreError::Io { source, .. } if source.raw_os_error() == Some(5));
    assert!(got.as_ref().is_err_and(is_io), "{got:?}");
    let bundle = PKI.bundle("www.example.com");
    let put = store.put(&www, &bundle, Expect::Absent).await;
    assert!(matches!(put, Err(PutError::Store(_))), "{put:?}");
    assert!(store.accepts(&www).await.is_err());
    let all = store.get_all().await.unwrap();
    assert!(all[&www].as_ref().is_err_and(is_io));
    assert!(
        all[&name("good.example.com")]
            .as_ref()
            .unwrap()
            .bundle()
            .is_some()
    );
}

// Root is let in everywhere, but not where links lead in a circle.
#[tokio::test]
async fn a_path_that_cannot_be_walked_is_not_absence() {
    let directory = tempdir().unwrap();
    let way = directory.path().join("way");
    fs::create_dir_all(way.join("certs")).unwrap();
    fs::write(way.join("certs/www.example.com.pem"), GOOD).unwrap();
    let store = DirectoryStore::open(way.join("certs")).await.unwrap();
    fs::rename(&way, directory.path().join("away")).unwrap();
    symlink("way", &way).unwrap();
    let www = name("www.example.com");
    let bundle = PKI.bundle("www.example.com");
    let put = match store.put(&www, &bundle, Expect::Absent).await {
        Err(PutError::Store(error)) => Err(error),
        other => panic!("{other:?}"),
    };
    for answer in [
        store.list_all().await.map(drop),
        store.get(&www).await.map(drop),
        store.accepts(&www).await,
        put,
    ] {
        assert!(
            matches!(&answer, Err(error @ StoreError::Io { .. }) if error.is_transient()),
            "{answer:?}"
        );
    }
}

#[test]
fn a_directory_that_may_not_be_entered_is_not_absence() {
    if !is_root() {
        println!("skipped: only root can be somebody else");
        return;
    }
    let directory = tempdir().unwrap();
    let path = directory.path();
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    fs::write(path.join("www.example.com.pem"), GOOD).unwrap();
    let said = OtherProcess::new("be shut out", path, "022").nobody().run();
    let expected = [
        [
            "list: denied",
            "get: denied",
            "accepts: denied",
            "put: denied",
        ],
        [
            "list: denied",
            "get: denied",
            "accepts: not writable",
            "put: denied",
        ],
    ];
    assert_eq!(said, expected.concat());
    assert_eq!(files(path), ["www.example.com.pem"]);
}

// What could not begin does not begin later, and takes nobody's turn.
#[cfg(all(target_os = "linux", feature = "conformance"))]
#[test]
fn a_system_without_threads_is_an_outage_that_ends() {
    let directory = tempdir().unwrap();
    let path = directory.path();
    fs::write(path.join("www.example.com.pem"), "").unwrap();
    let mut other = OtherProcess::new("run out of threads", path, "022");
    // The runtime tells of each panic, which goes no further.
    other.command().env("RUST_BACKTRACE", "0");
    if is_root() {
        // Root has no limit.
        chown(path, Some(54_322), Some(54_322)).unwrap();
        chown(path.join("www.example.com.pem"), Some(54_322), None).unwrap();
        other = other.user(54_322);
    }
    assert_eq!(other.run(), ["none", "not put", "put"]);
}

/// Has no thread for more calls than there may be at once, and then has some.
#[cfg(all(target_os = "linux", feature = "conformance"))]
pub(crate) fn run_out_of_threads(path: &std::path::Path) {
    use acme_store::EntryState;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use crate::other_process::say;

    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().build().unwrap()
    };
    let before = getrlimit(Resource::Nproc);
    let limit = |current| {
        let maximum = before.maximum;
        setrlimit(Resource::Nproc, Rlimit { current, maximum }).unwrap();
    };
    let name = name("www.example.com");
    let (store, asked) = runtime().block_on(async {
        let store = DirectoryStore::open(path).await.unwrap();
        let asked = store.get(&name).await.unwrap().unwrap();
        (store, asked.version)
    });
    let bundle = PKI.bundle("www.example.com");
    // Another runtime has no thread yet.
    runtime().block_on(async {
        limit(Some(1));
        for _ in 0..2 * DirectoryStore::MAX_CONCURRENT_CALLS {
            let put = store.put(&name, &bundle, asked.clone().into()).await;
            let listed = store.list_all().await;
            assert!(matches!(
                put,
                Err(PutError::Store(StoreError::Unavailable(_)))
            ));
            assert!(matches!(listed, Err(StoreError::Unavailable(_))));
        }
        let key = acme_store::load_or_create_account_key(path).await;
        assert!(matches!(
            key,
            Err(acme_store::AccountKeyError::Store(StoreError::Unavailable(
                _
            )))
        ));
        say("none");

        limit(before.current);
        let entry = store.get(&name).await.unwrap().unwrap();
        assert_eq!(entry.contents, EntryState::Blank);
        assert_eq!(files(path), ["www.example.com.pem"]);
        assert_eq!(entry.version, asked);
        say("not put");
        store
            .put(&name, &bundle, entry.version.into())
            .await
            .unwrap();
        say("put");
    });
}

// Whoever selects among futures keeps some that are not polled any more.
#[tokio::test]
async fn a_put_that_is_not_polled_keeps_nobody_waiting() {
    let directory = tempdir().unwrap();
    let store = DirectoryStore::open(directory.path()).await.unwrap();
    let bundle = PKI.bundle("www.example.com");
    let (first, second) = (name("first.example.com"), name("second.example.com"));
    let other = fs::File::open(directory.path()).unwrap();
    other.lock().unwrap();
    let mut kept = [0; 3].map(|_| store.put(&first, &bundle, Expect::Absent));
    for put in &mut kept {
        assert!(put.now_or_never().is_none());
    }
    other.unlock().unwrap();
    store.put(&second, &bundle, Expect::Absent).await.unwrap();
    let mut stored = 0;
    for put in kept {
        stored += usize::from(put.await.is_ok());
    }
    assert_eq!(stored, 1);
}
