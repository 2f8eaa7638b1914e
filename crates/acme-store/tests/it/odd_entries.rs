//! Whatever lies in the directory, the healthy entries go on.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File},
    os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener},
    path::Path,
};

use acme_store::{
    BundleError, CertificateBundle, CertificateStore, CertificateStoreExt, EntryState, StoreError,
    messages::{ServerName, jose::KeyError},
};
use tempfile::tempdir;

use crate::{
    directory::{files, name, open},
    pki::PKI,
};

const GOOD: &str = include_str!("../data/www.example.com.pem");
const OTHER_KEY: &str = include_str!("../data/other.key");
const ENCRYPTED_KEY: &str = include_str!("../data/encrypted.key");

/// What no name of ours could be called, each with a certificate that somebody may serve.
const PASSED_OVER: &[&str] = &[
    "DEFAULT.pem",
    "default.pem",
    ".pem",
    "..pem",
    ".hidden.example.com.pem",
    ".www.example.com.pem.swp",
    "#www.example.com.pem#",
    "www.example.com.pem~",
    "www.example.com.pem.bak",
    "www.example.com.pem.new",
    "www.example.com.PEM",
    "www.example.com..pem",
    "*.pem",
    "-.pem",
    "lancer.json",
    "UPPER.example.com.pem",
    "a.example.com,b.example.com.pem",
    "_.example.com.pem",
    "b\u{fc}cher.example.pem",
    "client.key",
    "under_score.pem",
    "with space.pem",
    "README",
];

/// Files by the names of entries, and what they are.
fn files_of_entries() -> Vec<(&'static str, Vec<u8>, EntryState)> {
    let good = EntryState::Bundle(CertificateBundle::from_pem(GOOD.as_bytes()).unwrap());
    let damaged = EntryState::Damaged;
    let key_length = GOOD.find("-----BEGIN CERTIFICATE").unwrap();
    let (key, certificates) = GOOD.split_at(key_length);
    let long = " ".repeat(CertificateBundle::MAX_LENGTH);
    [
        ("good", GOOD.to_owned(), good.clone()),
        ("order", format!("{certificates}{key}"), good.clone()),
        ("crlf", GOOD.replace('\n', "\r\n"), good.clone()),
        ("trailing", format!("{GOOD}# renewed by hand\n"), good),
        ("zero", String::new(), EntryState::Blank),
        ("space", " \r\n\t\n".to_owned(), EntryState::Blank),
        ("garbage", "garbage".to_owned(), damaged(BundleError::NoPem)),
        (
            "cut",
            GOOD[..600].to_owned(),
            damaged(BundleError::Malformed),
        ),
        ("key", key.to_owned(), damaged(BundleError::NoCertificate)),
        (
            "certificate",
            certificates.to_owned(),
            damaged(BundleError::NoKey),
        ),
        (
            "mismatch",
            format!("{OTHER_KEY}{certificates}"),
            damaged(BundleError::KeyMismatch),
        ),
        (
            "two-keys",
            format!("{key}{OTHER_KEY}{certificates}"),
            damaged(BundleError::SeveralKeys),
        ),
        (
            "encrypted",
            format!("{ENCRYPTED_KEY}{certificates}"),
            damaged(BundleError::Key(KeyError::Encrypted)),
        ),
        (
            "long",
            format!("{GOOD}{long}"),
            damaged(BundleError::TooLong),
        ),
        ("long-blank", long.clone(), EntryState::Blank),
        // What nobody has read to its end is not known to be a request.
        (
            "blank-first",
            format!("{long}{GOOD}"),
            damaged(BundleError::TooLong),
        ),
    ]
    .into_iter()
    .map(|(label, text, state)| (label, text.into_bytes(), state))
    .chain([(
        "binary",
        b"\0\xff\xfe".repeat(100),
        EntryState::Damaged(BundleError::NoPem),
    )])
    .collect()
}

/// Names whose entry is no file at all.
fn no_files(directory: &Path) -> (Vec<&'static str>, UnixListener) {
    let at = |label: &str| directory.join(format!("{label}.example.com.pem"));
    fs::create_dir(at("directory")).unwrap();
    fs::write(at("directory").join("inner.example.com.pem"), GOOD).unwrap();
    let socket = UnixListener::bind(at("socket")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(at("pipe"))
        .status();
    assert!(made.unwrap().success());
    for (label, target) in [
        ("to-directory", "directory.example.com.pem"),
        ("to-pipe", "pipe.example.com.pem"),
        ("to-device", "/dev/zero"),
        ("dangling", "nowhere"),
        ("loop", "loop.example.com.pem"),
    ] {
        symlink(target, at(label)).unwrap();
    }
    let labels = [
        "directory",
        "socket",
        "pipe",
        "to-directory",
        "to-pipe",
        "to-device",
        "dangling",
        "loop",
    ];
    (labels.into(), socket)
}

// S11, S12, S13, D8, T23, T39, T40, T41, T43: nothing blocks, nothing becomes an order that is none.
#[tokio::test]
async fn odd_entries_are_isolated() {
    let directory = tempdir().unwrap();
    let at = |file: &str| directory.path().join(file);
    for file in PASSED_OVER {
        fs::write(at(file), GOOD).unwrap();
    }
    let not_unicode = OsStr::from_bytes(b"\xff\xfe.example.com.pem");
    // Some file systems take no such name.
    let _ = fs::write(directory.path().join(not_unicode), GOOD);
    let mut expected: BTreeMap<ServerName, EntryState> = BTreeMap::new();
    for (label, text, state) in files_of_entries() {
        fs::write(at(&format!("{label}.example.com.pem")), text).unwrap();
        expected.insert(name(&format!("{label}.example.com")), state);
    }
    // As long as a file may be, without taking room.
    let giant = File::create(at("giant.example.com.pem")).unwrap();
    giant.set_len(1 << 40).unwrap();
    let too_long = EntryState::Damaged(BundleError::TooLong);
    expected.insert(name("giant.example.com"), too_long);
    let (no_files, _socket) = no_files(directory.path());
    let before = files(directory.path());

    let store = open(&directory).await;
    for label in &no_files {
        let taken = name(&format!("{label}.example.com"));
        let got = store.get(&taken).await;
        assert!(
            matches!(got, Err(StoreError::NotAFile { .. })),
            "{taken}: {got:?}"
        );
        let refused = store.accepts(&taken).await;
        let leaves = *label == "to-device";
        match refused {
            Err(StoreError::LinkLeavesDirectory { .. }) if leaves => {}
            Err(StoreError::NotAFile { .. }) if !leaves => {}
            other => panic!("{taken}: {other:?}"),
        }
    }
    let mut found = BTreeMap::new();
    for (name, entry) in store.get_all().await.unwrap() {
        match entry {
            Ok(entry) => drop(found.insert(name, entry.contents)),
            // Listed, so that somebody hears of it.
            Err(StoreError::NotAFile { .. }) => {
                assert!(["dangling.example.com", "loop.example.com"].contains(&&*name.to_string()));
            }
            Err(other) => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(found, expected);

    // The healthy ones go on, and nothing else has changed.
    for renewed in ["zero.example.com", "good.example.com"] {
        let version = store.get(&name(renewed)).await.unwrap().unwrap().version;
        let bundle = PKI.bundle(renewed);
        store
            .put(&name(renewed), &bundle, version.into())
            .await
            .unwrap();
    }
    assert_eq!(files(directory.path()), before);
    for file in PASSED_OVER {
        assert_eq!(fs::read_to_string(at(file)).unwrap(), GOOD, "{file}");
    }
}
