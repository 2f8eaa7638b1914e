//! `client.key`: read, never written twice, one for all.

use std::{collections::HashSet, fs, os::unix::fs::symlink, path::Path, thread};

use acme_store::{
    AccountKeyError, StoreError, load_or_create_account_key, load_or_create_account_key_of_type,
    messages::jose::{KeyError, KeyType, PrivateKey, Signer, SigningAlgorithm},
};
use tempfile::tempdir;

use crate::{directory::files, other_process::OtherProcess};

const SEC1_KEY: &str = include_str!("../data/sec1-with-parameters.key");
const RSA_KEY: &str = include_str!("../data/rsa.key");
const ENCRYPTED_KEY: &str = include_str!("../data/encrypted.key");

// S14
#[tokio::test]
async fn the_second_call_reads_what_the_first_wrote() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("client.key");
    let key = load_or_create_account_key(directory.path()).await.unwrap();
    let (text, modified) = (
        fs::read(&path).unwrap(),
        fs::metadata(&path).unwrap().modified(),
    );
    assert!(text.starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
    assert_eq!(
        PrivateKey::from_pem(&text).unwrap().thumbprint(),
        key.thumbprint()
    );
    let again = load_or_create_account_key(directory.path()).await.unwrap();
    assert_eq!(again.thumbprint(), key.thumbprint());
    assert_eq!(fs::read(&path).unwrap(), text);
    assert_eq!(
        fs::metadata(&path).unwrap().modified().unwrap(),
        modified.unwrap()
    );
    assert_eq!(files(directory.path()), ["client.key"]);
}

#[tokio::test]
async fn a_key_of_another_program_is_used_as_it_is() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("client.key");
    let expected = PrivateKey::from_pem(SEC1_KEY.as_bytes()).unwrap();
    for text in [
        SEC1_KEY.to_owned(),
        SEC1_KEY.replace('\n', "\r\n"),
        // As editors leave it.
        format!("\u{feff}{SEC1_KEY}"),
        SEC1_KEY.replace('\n', "\n  "),
    ] {
        fs::write(&path, &text).unwrap();
        let key = load_or_create_account_key(directory.path()).await.unwrap();
        assert_eq!(key.thumbprint(), expected.thumbprint());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

// D13: txacme writes RSA as PKCS#1; a build with the feature uses it, none replaces it.
#[tokio::test]
async fn an_rsa_key_is_used_where_the_build_knows_rsa() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("client.key");
    fs::write(&path, RSA_KEY).unwrap();
    let key = load_or_create_account_key(directory.path()).await;
    if SigningAlgorithm::ALL.contains(&SigningAlgorithm::Rs256) {
        assert_eq!(Signer::algorithm(&key.unwrap()), SigningAlgorithm::Rs256);
    } else {
        let refused = matches!(
            key,
            Err(AccountKeyError::Key {
                source: KeyError::Unsupported,
                ..
            })
        );
        assert!(refused, "{key:?}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), RSA_KEY);
}

// D13, T20: who shares the directory with txacme chooses what that can use.
#[tokio::test]
async fn a_new_key_is_of_the_chosen_type() {
    for key_type in KeyType::ALL {
        let directory = tempdir().unwrap();
        let path = directory.path();
        let made = load_or_create_account_key_of_type(path, *key_type).await;
        let Ok(alike) = PrivateKey::generate(*key_type) else {
            assert!(matches!(made, Err(AccountKeyError::Key { .. })), "{made:?}");
            assert_eq!(files(path), [""; 0]);
            continue;
        };
        let made = made.unwrap();
        assert_eq!(Signer::algorithm(&made), Signer::algorithm(&alike));
        let again = load_or_create_account_key(path).await.unwrap();
        assert_eq!(again.thumbprint(), made.thumbprint(), "it stays what it is");
    }
}

// rustls-acme overwrites the stored key after a read error.
#[tokio::test]
async fn read_error_is_not_absence() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("client.key");
    for (contents, defect) in [
        ("", KeyError::Missing),
        ("garbage", KeyError::Missing),
        (ENCRYPTED_KEY, KeyError::Encrypted),
        (&SEC1_KEY[..200], KeyError::Malformed),
    ] {
        fs::write(&path, contents).unwrap();
        let refused = load_or_create_account_key(directory.path()).await;
        let Err(AccountKeyError::Key {
            source,
            path: named,
        }) = refused
        else {
            panic!("{contents:?}: {refused:?}");
        };
        assert_eq!((source, &named), (defect, &path), "{contents:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), contents);
    }
    let not_a_file = async || {
        let refused = load_or_create_account_key(directory.path()).await;
        matches!(
            refused,
            Err(AccountKeyError::Store(StoreError::NotAFile { .. }))
        )
    };
    fs::remove_file(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    assert!(not_a_file().await);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(not_a_file().await);
    assert_eq!(files(directory.path()), ["client.key"]);
}

// S15
#[tokio::test]
async fn a_missing_directory_is_named_and_not_made() {
    let directory = tempdir().unwrap();
    let missing = directory.path().join("missing");
    let refused = load_or_create_account_key(&missing).await;
    assert!(matches!(
        refused,
        Err(AccountKeyError::Store(StoreError::DirectoryMissing { path })) if path == missing
    ));
    assert_eq!(files(directory.path()), [""; 0]);
}

fn thumbprint(directory: &Path) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let key = runtime.block_on(load_or_create_account_key(directory));
    key.unwrap().thumbprint().to_string()
}

#[test]
fn all_who_start_at_once_get_the_same_key() {
    for _ in 0..8 {
        let directory = tempdir().unwrap();
        let keys: HashSet<String> = thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| thumbprint(directory.path())))
                .collect();
            racers.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert_eq!(keys.len(), 1);
        assert_eq!(files(directory.path()), ["client.key"]);
    }
}

#[test]
fn processes_that_start_at_once_get_the_same_key() {
    let directory = tempdir().unwrap();
    let helpers: Vec<_> = (0..4)
        .map(|_| OtherProcess::new("account key", directory.path(), "022"))
        .collect();
    let keys: HashSet<Vec<String>> = thread::scope(|scope| {
        let racers: Vec<_> = helpers
            .into_iter()
            .map(|it| scope.spawn(|| it.run()))
            .collect();
        racers.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(keys, HashSet::from([vec![thumbprint(directory.path())]]));
    assert_eq!(files(directory.path()), ["client.key"]);
}
