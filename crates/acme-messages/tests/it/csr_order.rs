//! Signing requests and what they are for: the common name (rows M13, T24), and the order
//! (RFC 8555, sections 7.4 and 11.1).

use acme_messages::{
    CertificateSigningRequest as Csr, CommonName, CsrMismatch, CsrOptions, Identifier, ServerName,
    jose::{KeyType, PrivateKey},
};
use proptest::prelude::*;
use serde_json::json;

fn names(texts: &[&str]) -> Vec<ServerName> {
    texts.iter().map(|it| it.parse().unwrap()).collect()
}

fn identifiers(texts: &[&str]) -> Vec<Identifier> {
    names(texts).iter().map(Identifier::from).collect()
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::EcdsaP256).unwrap()
}

fn built(texts: &[&str], common_name: CommonName) -> Csr {
    let mut options = CsrOptions::default();
    options.common_name = common_name;
    Csr::with_options(&names(texts), &key(), &options).unwrap()
}

#[test]
fn common_names() {
    let check = |texts: &[&str], rule: CommonName, expected: Option<&str>| {
        let csr = built(texts, rule);
        let common: Vec<_> = expected.into_iter().collect();
        assert_eq!(csr.common_names(), common, "{texts:?} {rule:?}");
        // What is read is what was built, and the names are the same whatever the rule.
        assert_eq!(Csr::from_der(csr.as_der()).unwrap(), csr);
        assert_eq!(csr.names(), names(texts));
    };
    use CommonName::{FirstName, FirstNameOrDummy, Omit};
    let dummy = Some("san.too.long.invalid");
    let of_64 = format!("{}.{}", "a".repeat(32), "b".repeat(31));
    let of_65 = format!("{}.{}", "a".repeat(32), "b".repeat(32));
    assert_eq!((of_64.len(), of_65.len()), (64, 65));

    // Rows M13 and T24: none by default, and the other two as options.
    assert_eq!(CommonName::default(), Omit);
    check(&["a.example"], Omit, None);
    check(&[&of_65], Omit, None);
    check(&["b.example", "a.example"], FirstName, Some("b.example"));
    check(
        &["b.example", "a.example"],
        FirstNameOrDummy,
        Some("b.example"),
    );
    check(&["*.b.example"], FirstName, Some("*.b.example"));
    // Row M13: 64 characters are kept, 65 are too many; only the first name counts.
    check(&[&of_64], FirstName, Some(&of_64));
    check(&[&of_64], FirstNameOrDummy, Some(&of_64));
    check(&[&of_65], FirstName, None);
    check(&[&of_65], FirstNameOrDummy, dummy);
    check(&[&of_65, "a.example"], FirstNameOrDummy, dummy);
    check(&["a.example", &of_65], FirstNameOrDummy, Some("a.example"));
    check(&[&"aaaa.".repeat(16)], FirstNameOrDummy, dummy);
    // RFC 8738, section 3: an address stands among the alternative names alone.
    check(&["192.0.2.1", "a.example"], FirstName, None);
    check(&["2001:db8::1", "a.example"], FirstNameOrDummy, None);
}

#[test]
fn against_an_order() {
    let check = |csr: &Csr, order: &[&str], expected: Result<(), CsrMismatch>| {
        assert_eq!(
            csr.check_against(&identifiers(order)),
            expected,
            "{order:?}"
        );
    };
    let extra = |text: &str| Err(CsrMismatch::Extra(text.parse().unwrap()));
    let missing = |text: &str| Err(CsrMismatch::Missing(identifiers(&[text])[0].clone()));
    let common = |text: &str| Err(CsrMismatch::CommonName(text.to_owned()));

    let csr = built(&["a.example", "*.a.example", "192.0.2.1"], CommonName::Omit);
    check(&csr, &["a.example", "*.a.example", "192.0.2.1"], Ok(()));
    check(
        &csr,
        &["192.0.2.1", "A.example.", "*.A.example", "a.example"],
        Ok(()),
    );
    check(&csr, &["a.example", "192.0.2.1"], extra("*.a.example"));
    check(&csr, &[], extra("a.example"));
    check(
        &csr,
        &["a.example", "*.a.example", "192.0.2.1", "b.a.example"],
        missing("b.a.example"),
    );
    check(
        &csr,
        &["a.example", "*.a.example", "192.0.2.2"],
        missing("192.0.2.2"),
    );
    // A name of another type is not a name, whatever its value.
    let other = json!([{"type": "permanent-identifier", "value": "a.example"}]);
    let other: Vec<Identifier> = serde_json::from_value(other).unwrap();
    let error = csr.check_against(&other).unwrap_err();
    assert_eq!(error, CsrMismatch::Missing(other[0].clone()));
    assert_eq!(
        error.to_string(),
        "the signing request does not ask for \"a.example\", which the order is for"
    );

    // A common name counts if it is an alternative name too, in whatever case.
    let order = [
        "a.example.com",
        "*.b.example.com",
        "192.0.2.1",
        "2001:db8::1",
    ];
    let received = Csr::from_der(include_bytes!("pki/names.csr")).unwrap();
    check(&received, &order, Ok(()));
    check(
        &built(&["a.example"], CommonName::FirstName),
        &["a.example"],
        Ok(()),
    );
    let alone = Csr::from_der(include_bytes!("pki/no-san.csr")).unwrap();
    check(&alone, &["a.example.com"], missing("a.example.com"));
    check(&alone, &[], common("a.example.com"));
    // Row T24: the dummy is a name that the order is not for.
    let long = format!("{}.{}", "a".repeat(32), "b".repeat(32));
    let csr = built(&[&long], CommonName::FirstNameOrDummy);
    check(&csr, &[&long], common("san.too.long.invalid"));
}

#[test]
fn against_the_accounts_key() {
    // RFC 8555, section 11.1.
    let account = key();
    let csr = Csr::for_names(&names(&["a.example"]), &account).unwrap();
    assert_eq!(
        csr.check_key_differs(&csr.public_key().clone()),
        Err(CsrMismatch::AccountKey)
    );
    let other = built(&["a.example"], CommonName::Omit);
    assert_eq!(csr.check_key_differs(other.public_key()), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_was_asked_for_is_what_was_ordered(
        asked in prop::collection::btree_set("[a-d]", 1..4),
        ordered in prop::collection::btree_set("[a-d]", 1..4),
    ) {
        let texts: Vec<&str> = asked.iter().map(String::as_str).collect();
        let csr = built(&texts, CommonName::FirstNameOrDummy);
        let order: Vec<&str> = ordered.iter().rev().map(String::as_str).collect();
        prop_assert_eq!(csr.check_against(&identifiers(&order)).is_ok(), asked == ordered);
    }
}
