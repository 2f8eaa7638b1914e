//! Which certificate a name gets.

use std::sync::Arc;

use acme_endpoint::CertificateResolver;
use acme_testing::TestPki;

use crate::world::{Site, echo, key_for, leaf, name};

fn resolver(names: &[&str]) -> CertificateResolver {
    let pki = TestPki::new().unwrap();
    let resolver = CertificateResolver::new();
    resolver.update(
        names
            .iter()
            .map(|it| (name(it), Some(key_for(&pki, &[it])))),
    );
    resolver
}

#[test]
fn exact_names_wildcards_and_nothing_else() {
    let resolver = resolver(&[
        "example.com",
        "*.example.com",
        "a.b.example.com",
        "192.0.2.1",
    ]);
    assert_eq!(resolver.len(), 4);
    for (asked, expected) in [
        ("example.com", true),
        ("example.com.", true),
        ("EXAMPLE.com", true),
        ("www.example.com", true),
        ("www.example.com.", true),
        ("a.b.example.com", true),
        // A wildcard stands for one label (RFC 9525, section 6.3).
        ("b.b.example.com", false),
        ("example.org", false),
        ("com", false),
        ("", false),
        (".", false),
        (".example.com", false),
        ("xexample.com", false),
    ] {
        assert_eq!(resolver.has(Some(asked)), expected, "{asked:?}");
    }
    assert!(!resolver.has(None));
}

#[test]
fn a_default_is_for_those_who_name_nothing_that_is_here() {
    let pki = TestPki::new().unwrap();
    let resolver = resolver(&["example.com"]);
    resolver.set_default(Some(key_for(&pki, &["fallback.example"])));
    assert!(resolver.has(None));
    assert!(resolver.has(Some("example.org")));
    assert_eq!(resolver.len(), 1);
    resolver.set_default(None);
    assert!(!resolver.has(None));
    assert!(!resolver.has(Some("example.org")));
}

#[test]
fn taking_names_out_leaves_the_others() {
    let resolver = resolver(&["example.com", "*.example.com"]);
    let clone = resolver.clone();
    clone.update([(name("*.example.com"), None), (name("never.example"), None)]);
    assert!(!resolver.has(Some("www.example.com")));
    assert!(resolver.has(Some("example.com")));
    clone.update([(name("example.com"), None)]);
    assert!(resolver.is_empty());
}

#[tokio::test]
async fn the_exact_name_wins_over_the_wildcard() {
    let (site, listener) = Site::start(&["www.example.com"], &[]).await;
    echo(listener);
    let wildcard = key_for(&site.pki, &["*.example.com"]);
    site.resolver
        .update([(name("*.example.com"), Some(Arc::clone(&wildcard)))]);
    let visitor = site.visitor();
    let exact = visitor
        .visit(site.address, "www.example.com")
        .await
        .unwrap();
    assert_ne!(leaf(&exact), wildcard.cert[0]);
    let other = visitor
        .visit(site.address, "api.example.com")
        .await
        .unwrap();
    assert_eq!(leaf(&other), wildcard.cert[0]);
}

#[test]
fn a_thousand_changes_race_with_look_ups() {
    // CertMagic: replacing a certificate deadlocked with handshakes.
    let pki = TestPki::new().unwrap();
    let resolver = resolver(&["example.com"]);
    let keys = [
        key_for(&pki, &["example.com"]),
        key_for(&pki, &["example.com"]),
    ];
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (resolver, keys) = (&resolver, &keys);
            scope.spawn(move || {
                for round in 0..1_000 {
                    if thread == 0 {
                        let key = keys[round % 2].clone();
                        resolver.update([(name("example.com"), Some(key))]);
                    }
                    assert!(resolver.has(Some("example.com")));
                }
            });
        }
    });
}
