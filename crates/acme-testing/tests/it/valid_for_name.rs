//! Whether a certificate or a signing request is for a name: txacme's five examples, and more.

use std::panic::catch_unwind;

use acme_testing::{
    CertificateValidity, TestPki, assert_valid_for_name,
    messages::{
        CertificateSigningRequest, ServerName,
        jose::{KeyType, PrivateKey},
    },
    valid_for_name,
};

#[test]
fn certificates_and_requests_are_matched_by_name() {
    let pki = TestPki::new().unwrap();
    let check = |names: &[&str], name: &str, expected: bool| {
        let parsed: Vec<ServerName> = names.iter().map(|it| it.parse().unwrap()).collect();
        let (chain, _) = pki
            .issue_server(&parsed, CertificateValidity::FOREVER)
            .unwrap();
        assert_eq!(
            valid_for_name(&chain.as_der()[0], name),
            expected,
            "{names:?} {name}"
        );
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let csr = CertificateSigningRequest::for_names(&parsed, &key).unwrap();
        assert_eq!(
            valid_for_name(csr.as_der(), name),
            expected,
            "{names:?} {name}"
        );
    };
    check(&["example.com"], "example.com", true);
    check(&["example.com", "example.invalid"], "example.com", true);
    check(&["example.com", "example.invalid"], "example.invalid", true);
    check(&["example.com"], "example.invalid", false);
    check(&["example.com", "example.org"], "example.invalid", false);
    check(&["*.example.com"], "www.example.com", true);
    check(&["*.example.com"], "a.b.example.com", false);
    check(&["*.example.com"], "example.com", false);
    check(&["192.0.2.1", "2001:db8::1"], "2001:db8::1", true);
    check(&["192.0.2.1"], "192.0.2.2", false);
    check(&["example.com"], "not a name", false);
    assert!(!valid_for_name(b"neither", "example.com"));
}

#[test]
fn the_demand_says_what_it_got_instead() {
    let pki = TestPki::new().unwrap();
    let names = ["example.com".parse().unwrap(), "192.0.2.1".parse().unwrap()];
    let issued = pki.issue_server(&names, CertificateValidity::FOREVER);
    let (chain, key) = issued.unwrap();
    let leaf = chain.as_der()[0].to_vec();
    let csr = CertificateSigningRequest::for_names(&names, &key).unwrap();
    for der in [&leaf[..], csr.as_der()] {
        assert_valid_for_name(der, "example.com");
        let said = refusal(der, "example.invalid");
        assert_eq!(
            said,
            "not for example.invalid, but for example.com, 192.0.2.1"
        );
    }
    let said = refusal(b"neither", "example.com");
    assert!(said.starts_with("neither a certificate nor"), "{said}");
}

fn refusal(der: &[u8], name: &str) -> String {
    let panic = catch_unwind(|| assert_valid_for_name(der, name)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}
