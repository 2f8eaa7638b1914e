//! The small certificate authority: shape of its leaves, and OpenSSL's opinion.

use std::{process::Command, time::Duration};

use acme_testing::{
    CertificateValidity, PkiError, TestPki,
    messages::{
        CertificateChain, ServerName, Timestamp,
        jose::{KeyType, PrivateKey},
    },
};
use der::Decode;
use x509_cert::{
    Certificate,
    ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName},
};

fn names(names: &[&str]) -> Vec<ServerName> {
    names.iter().map(|it| it.parse().unwrap()).collect()
}

#[test]
fn a_leaf_looks_as_lets_encrypts_do_today() {
    let pki = TestPki::new().unwrap();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let now: Timestamp = "2026-11-23T12:00:00.5Z".parse().unwrap();
    let validity = CertificateValidity::starting(now, Duration::from_secs(90 * 86_400));
    let spki = key.public_jwk().to_spki_der().unwrap();
    let names = names(&["example.com", "*.example.com", "192.0.2.1"]);
    let chain = pki.issue(&spki, &names, validity).unwrap();

    chain.check_links().unwrap();
    chain.check_key(key.public_jwk()).unwrap();
    assert_eq!(chain.leaf().names, names);
    assert_eq!(
        chain.leaf().not_before,
        "2026-11-23T11:00:00Z".parse().unwrap()
    );
    assert_eq!(
        chain.leaf().not_after,
        "2027-02-21T10:59:59Z".parse().unwrap()
    );
    assert!(chain.leaf().certificate_id().is_some());
    assert_eq!(chain.as_der()[1], *pki.intermediate());

    let certificate = Certificate::from_der(&chain.as_der()[0]).unwrap();
    let tbs = certificate.tbs_certificate();
    assert!(tbs.subject().is_empty());
    assert_eq!(tbs.extensions().unwrap().len(), 5);
    let (critical, _) = tbs.get_extension::<SubjectAltName>().unwrap().unwrap();
    assert!(critical);
    let (_, usage) = tbs.get_extension::<ExtendedKeyUsage>().unwrap().unwrap();
    assert_eq!(usage.0, [const_oid::db::rfc5280::ID_KP_SERVER_AUTH]);
    let (critical, usage) = tbs.get_extension::<KeyUsage>().unwrap().unwrap();
    assert!(critical && usage.0 == KeyUsages::DigitalSignature);
    let (critical, constraints) = tbs.get_extension::<BasicConstraints>().unwrap().unwrap();
    assert!(critical && !constraints.ca);
}

#[test]
fn a_lifetime_is_exact_however_short() {
    let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let check = |lifetime: u64, begin: &str, end: &str| {
        let validity = CertificateValidity::starting(now, Duration::from_secs(lifetime));
        assert_eq!(validity.not_before, begin.parse().unwrap(), "{lifetime}");
        assert_eq!(validity.not_after, end.parse().unwrap(), "{lifetime}");
    };
    check(1, "2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z");
    check(20, "2026-11-23T11:59:58Z", "2026-11-23T12:00:17Z");
    check(160 * 3600, "2026-11-23T11:00:00Z", "2026-11-30T02:59:59Z");
}

#[test]
fn serials_and_authorities_differ() {
    let (first, second) = (TestPki::new().unwrap(), TestPki::new().unwrap());
    assert_ne!(first.root_pem(), second.root_pem());
    let serial = || {
        let names = names(&["example.com"]);
        let (chain, _) = first
            .issue_server(&names, CertificateValidity::FOREVER)
            .unwrap();
        chain.leaf().serial.clone()
    };
    assert_ne!(serial(), serial());
}

#[test]
fn what_cannot_be_issued_is_refused() {
    let pki = TestPki::new().unwrap();
    let forever = CertificateValidity::FOREVER;
    let issue = |spki: &[u8], names: &[ServerName], validity| {
        pki.issue(spki, names, validity).map(drop).unwrap_err()
    };
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let spki = key.public_jwk().to_spki_der().unwrap();
    assert!(matches!(issue(&spki, &[], forever), PkiError::NoNames));
    let names = names(&["example.com"]);
    assert!(matches!(
        issue(b"no key", &names, forever),
        PkiError::BadPublicKey
    ));
    let before = CertificateValidity::between(
        "1950-01-01T00:00:00Z".parse().unwrap(),
        "2050-01-01T00:00:00Z".parse().unwrap(),
    );
    assert!(matches!(issue(&spki, &names, before), PkiError::BadTime));
}

#[test]
fn openssl_verifies_a_chain() {
    let pki = TestPki::new().unwrap();
    let validity = CertificateValidity::starting(Timestamp::now(), Duration::from_secs(86_400));
    let names = names(&["www.example.com", "2001:db8::1"]);
    let (chain, _) = pki.issue_server(&names, validity).unwrap();
    if openssl_verify(&pki.root_pem(), &chain, "www.example.com").is_none() {
        println!("skipped: there is no openssl on the path");
    }
}

/// Lets OpenSSL verify a chain; `None` when it is not there.
pub(crate) fn openssl_verify(root: &str, chain: &CertificateChain, name: &str) -> Option<()> {
    Command::new("openssl").arg("version").output().ok()?;
    let directory = tempfile::tempdir().unwrap();
    let path = |file: &str| directory.path().join(file);
    std::fs::write(path("root.pem"), root).unwrap();
    std::fs::write(path("chain.pem"), chain.to_pem()).unwrap();
    let output = Command::new("openssl")
        .args([
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_hostname",
            name,
        ])
        .arg("-CAfile")
        .arg(path("root.pem"))
        .arg("-untrusted")
        .arg(path("chain.pem"))
        .arg(path("chain.pem"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    Some(())
}
