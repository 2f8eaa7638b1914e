//! What the environment says of a CA to test against.

use std::ffi::OsString;

use acme_tests::{Error, TestDirectory};

fn read(set: &'static [(&str, &str)]) -> Result<Option<TestDirectory>, Error> {
    TestDirectory::from_variables(|name| {
        let found = set.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    })
}

const BOTH: [(&str, &str); 2] = [
    ("ACME_TEST_DIRECTORY", "https://ca.example/directory"),
    ("ACME_TEST_HOST", "test.example.com"),
];

#[test]
fn nothing_named_is_nothing_to_test() {
    assert_eq!(read(&[]).unwrap(), None);
    assert_eq!(read(&[("ACME_TEST_HOST", "")]).unwrap(), None);
    assert_eq!(read(&[("ACME_TEST_LISTEN", "nonsense")]).unwrap(), None);
}

#[test]
fn a_directory_and_a_host_are_enough_and_agree_to_nothing() {
    let directory = read(&BOTH).unwrap().unwrap();
    assert_eq!(directory.url, BOTH[0].1);
    assert_eq!(directory.host, BOTH[1].1);
    assert_eq!(directory.listen, "0.0.0.0:80".parse().unwrap());
    assert_eq!(directory.roots, None);
    assert!(!directory.agree_to_terms);
    assert_eq!(
        (directory.contact, directory.external_account),
        (None, None)
    );

    let directory = read(&[
        BOTH[0],
        BOTH[1],
        ("ACME_TEST_LISTEN", "[::1]:5002"),
        ("ACME_TEST_ROOTS", "/roots.pem"),
        ("ACME_TEST_AGREE_TO_TERMS", "1"),
        ("ACME_TEST_CONTACT", "mailto:a@example.com"),
        ("ACME_TEST_EAB_KEY_ID", "kid"),
        ("ACME_TEST_EAB_KEY_FILE", "/key"),
    ]);
    let directory = directory.unwrap().unwrap();
    assert_eq!(directory.listen, "[::1]:5002".parse().unwrap());
    assert_eq!(directory.roots, Some("/roots.pem".into()));
    assert!(directory.agree_to_terms);
    assert_eq!(directory.contact.as_deref(), Some("mailto:a@example.com"));
    let bound = Some(("kid".to_owned(), "/key".into()));
    assert_eq!(directory.external_account, bound);
}

#[test]
fn half_of_it_and_nonsense_are_errors_that_name_the_variable() {
    let check = |set, expected: &str| {
        let error = read(set).unwrap_err();
        assert!(
            matches!(error, Error::Variable { name, .. } if name == expected),
            "{error:?}"
        );
    };
    check(&BOTH[..1], "ACME_TEST_HOST");
    check(&BOTH[1..], "ACME_TEST_DIRECTORY");
    const LISTEN: [(&str, &str); 3] = [BOTH[0], BOTH[1], ("ACME_TEST_LISTEN", "80")];
    check(&LISTEN, "ACME_TEST_LISTEN");
    const ID: [(&str, &str); 3] = [BOTH[0], BOTH[1], ("ACME_TEST_EAB_KEY_ID", "kid")];
    check(&ID, "ACME_TEST_EAB_KEY_FILE");
    const FILE: [(&str, &str); 3] = [BOTH[0], BOTH[1], ("ACME_TEST_EAB_KEY_FILE", "/key")];
    check(&FILE, "ACME_TEST_EAB_KEY_ID");
}
