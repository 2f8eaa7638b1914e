//! No name, wherever it comes from, reaches a file that is not its own.

use std::{fs, path::Path};

use acme_store::{
    CertificateStore, CertificateStoreExt, DirectoryStore, Expect, PutError, StoreError,
    messages::ServerName,
};
use proptest::prelude::*;
use tempfile::tempdir;

use crate::{directory::files, pki::PKI};

/// Puts under a name that a client might send; tells what is in the directory then.
async fn put(outer: &Path, name: &ServerName) -> Vec<String> {
    let certificates = outer.join("certs");
    let store = DirectoryStore::open(&certificates).await.unwrap();
    // T22: a name that a visitor asks for is never added.
    assert!(store.get(name).await.unwrap().is_none());
    let _ = store.accepts(name).await;
    assert_eq!(files(&certificates), [""; 0]);
    let put = store
        .put(name, &PKI.bundle("www.example.com"), Expect::Absent)
        .await;
    if put.is_ok() {
        assert_eq!(store.list_all().await.unwrap()[0].name, *name);
        assert!(store.get(name).await.unwrap().is_some());
    }
    // Nothing beside the directory.
    assert_eq!(files(outer), ["certs", "certs.pem"]);
    assert_eq!(fs::read(outer.join("certs.pem")).unwrap(), b"beside");
    files(&certificates)
}

fn check(text: &str) {
    let Ok(name) = text.parse::<ServerName>() else {
        return;
    };
    let outer = tempdir().unwrap();
    fs::create_dir(outer.path().join("certs")).unwrap();
    fs::write(outer.path().join("certs.pem"), "beside").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let found = runtime.block_on(put(outer.path(), &name));
    // D1: lower case, no dot at the end, nothing hidden.
    let expected = format!("{}.pem", text.trim_end_matches('.').to_ascii_lowercase());
    if name.to_string() == "default" || expected.len() > 255 {
        assert_eq!(found, [""; 0]);
    } else if matches!(name, ServerName::Dns(_)) {
        assert_eq!(found, [expected]);
    } else {
        assert_eq!(found, [format!("{name}.pem")]);
    }
}

// S18, T19; txsni serves `<directory>.pem` for the name `.`.
#[test]
fn sni_never_leaves_the_directory() {
    for text in [
        "",
        ".",
        "..",
        "/",
        "../certs",
        "..%2f",
        "a/../../b",
        "a\\b",
        "*",
        "*.",
        "*.*",
        ".hidden",
        "a..b",
        "a\0b",
        "client.key",
        "DEFAULT",
        "default",
        "con",
        "a b",
        "bücher.example",
        "WWW.Example.COM.",
        "*.Example.com",
        "192.0.2.1",
        "::1",
        "2001:DB8::1",
        "::ffff:192.0.2.1",
        "fe80::1%eth0",
        "[::1]",
        "xn--bcher-kva.example",
        "-a.example",
        "pem",
        "a.pem",
    ] {
        check(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_text_stays_inside(text in r"[ -~]{0,40}") {
        check(&text);
    }

    #[test]
    fn names_nearly_right_stay_inside(
        text in r"(\*\.)?([a-zA-Z0-9._/-]{1,12}\.){0,3}[a-zA-Z0-9./-]{1,10}",
    ) {
        check(&text);
    }
}

// S4, D1, D8, D11, T42, T44: what can be kept under a name is known before an order is spent.
#[tokio::test]
async fn accepted_names_are_put_and_refused_ones_are_not() {
    let directory = tempdir().unwrap();
    let store = DirectoryStore::open(directory.path()).await.unwrap();
    let bundle = PKI.bundle("www.example.com");
    for (text, file) in [
        ("WWW.Example.COM.", Some("www.example.com.pem")),
        ("*.Example.com", Some("*.example.com.pem")),
        ("xn--bcher-kva.example", Some("xn--bcher-kva.example.pem")),
        ("localhost", Some("localhost.pem")),
        ("con", Some("con.pem")),
        ("a.pem", Some("a.pem.pem")),
        ("192.0.2.1", Some("192.0.2.1.pem")),
        ("2001:DB8::1", Some("2001:db8::1.pem")),
        ("DEFAULT", None),
        ("default.", None),
    ] {
        let name: ServerName = text.parse().unwrap();
        let accepted = store.accepts(&name).await;
        assert_eq!(
            files(directory.path()),
            [""; 0],
            "{text}: asking leaves nothing"
        );
        let put = store.put(&name, &bundle, Expect::Absent).await;
        let Some(file) = file else {
            assert!(matches!(accepted, Err(StoreError::NameNotAllowed { name: it }) if it == name));
            assert!(matches!(
                put,
                Err(PutError::Store(StoreError::NameNotAllowed { .. }))
            ));
            continue;
        };
        accepted.unwrap();
        put.unwrap();
        assert_eq!(files(directory.path()), [file]);
        fs::remove_file(directory.path().join(file)).unwrap();
    }
}

// S19, D14
#[tokio::test]
async fn names_too_long_are_refused_before_an_order_is_spent() {
    let directory = tempdir().unwrap();
    let store = DirectoryStore::open(directory.path()).await.unwrap();
    let bundle = PKI.bundle("www.example.com");
    for length in [250, 251, 252, 253] {
        let labels = format!("{0}.{0}.{0}.", "a".repeat(63));
        let text = format!("{labels}{}", "b".repeat(length - labels.len()));
        let name: ServerName = text.parse().unwrap();
        assert_eq!(name.to_string().len(), length);
        let accepted = store.accepts(&name).await;
        let put = store.put(&name, &bundle, Expect::Absent).await;
        if length <= 251 {
            accepted.unwrap();
            put.unwrap();
        } else {
            let limit = 251;
            assert!(
                matches!(accepted, Err(StoreError::NameTooLong { limit: it, .. }) if it == limit)
            );
            assert!(matches!(
                put,
                Err(PutError::Store(StoreError::NameTooLong { .. }))
            ));
        }
    }
    assert_eq!(files(directory.path()).len(), 2);
}
