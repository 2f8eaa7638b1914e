//! Signing requests (rows M11 to M13; `subject_is_empty_by_default`).

use std::process::Command;

use acme_messages::{
    CertificateSigningRequest as Csr, CsrError, ServerName,
    jose::{Jwk, KeyType, PrivateKey, SignError, Signer, SigningAlgorithm, base64url},
};
use proptest::prelude::*;

fn names(texts: &[&str]) -> Vec<ServerName> {
    texts.iter().map(|it| it.parse().unwrap()).collect()
}

fn built(texts: &[&str]) -> Csr {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    Csr::for_names(&names(texts), &key).unwrap()
}

#[test]
fn for_names() {
    // Row M12: the caller's order, each name once, addresses as addresses.
    let check = |texts: &[&str], expected: &[&str]| {
        let csr = built(texts);
        assert_eq!(csr.names(), names(expected));
        let received = Csr::from_base64url(&csr.to_base64url()).unwrap();
        assert_eq!(received, csr);
    };
    check(&["b.example", "a.example"], &["b.example", "a.example"]);
    check(
        &[
            "a.example",
            "*.a.example",
            "A.EXAMPLE.",
            "192.0.2.1",
            "2001:db8::1",
        ],
        &["a.example", "*.a.example", "192.0.2.1", "2001:db8::1"],
    );
    let long = format!("{}.{}.example", "a".repeat(63), "b".repeat(63));
    check(&[&long], &[&long]);
    let hundred: Vec<String> = (0..100).map(|it| format!("{it}.{long}")).collect();
    let hundred: Vec<&str> = hundred.iter().map(String::as_str).collect();
    check(&hundred, &hundred);

    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    assert!(matches!(Csr::for_names(&[], &key), Err(CsrError::NoNames)));
}

#[test]
fn subject_is_empty_by_default() {
    // Row M13: an address or a name over 64 characters in a common name is refused by CAs.
    for text in ["192.0.2.1", "a.example"] {
        let csr = built(&[text]);
        assert!(csr.common_names().is_empty());
        // CertificationRequestInfo begins with version 0 and an empty sequence.
        let position = csr
            .as_der()
            .windows(5)
            .position(|it| it == [2, 1, 0, 0x30, 0]);
        assert!(position.is_some_and(|it| it < 10));
    }
}

#[test]
fn received() {
    let good: [(&[u8], &[&str], &[&str]); 2] = [
        (
            include_bytes!("pki/names.csr"),
            &[
                "a.example.com",
                "*.b.example.com",
                "192.0.2.1",
                "2001:db8::1",
            ],
            &["a.example.com"],
        ),
        (include_bytes!("pki/no-san.csr"), &[], &["a.example.com"]),
    ];
    for (der, expected, common) in good {
        let csr = Csr::from_der(der).unwrap();
        assert_eq!(csr.names(), names(expected));
        assert_eq!(csr.common_names(), common);
        assert_eq!(csr.as_der(), der);
        assert_eq!(csr.to_base64url(), base64url::encode(der));
    }
}

#[test]
fn common_names_in_the_strings_of_old() {
    for der in [
        &include_bytes!("pki/bmp-name.csr")[..],
        include_bytes!("pki/latin-name.csr"),
    ] {
        let csr = Csr::from_der(der).unwrap();
        assert_eq!(csr.common_names(), ["café.example"]);
    }
}

// X.509 pairs curves and hashes as it likes; keys of other kinds take their feature.
#[test]
fn signed_by_each_kind_of_key() {
    let check = |der: &[u8], supported: bool| {
        assert_eq!(Csr::from_der(der).is_ok(), supported);
        let mut changed = der.to_vec();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        assert!(Csr::from_der(&changed).is_err());
    };
    check(include_bytes!("pki/sha384.csr"), true);
    check(include_bytes!("pki/p384.csr"), cfg!(feature = "p384"));
    check(include_bytes!("pki/rsa.csr"), cfg!(feature = "rsa"));
    for key_type in KeyType::ALL {
        if let Ok(key) = PrivateKey::generate(*key_type) {
            let csr = Csr::for_names(&names(&["example.com"]), &key).unwrap();
            let read = Csr::from_der(csr.as_der()).unwrap();
            assert_eq!(read.public_key(), key.public_jwk(), "{key_type}");
        }
    }
}

#[test]
fn refused() {
    let check = |der: &[u8], expected: &str| {
        let error = Csr::from_der(der).unwrap_err();
        assert_eq!(format!("{error:?}"), expected);
    };
    let names = include_bytes!("pki/names.csr");
    check(include_bytes!("pki/email.csr"), "UnsupportedName");
    // RFC 5280, section 4.2.1.6: no client finds a name in a certificate that ends with a dot.
    check(include_bytes!("pki/final-dot.csr"), "UnsupportedName");
    // It is the key that is amiss: its signature is sound.
    check(include_bytes!("pki/small-rsa.csr"), "TooSmallKey");
    if !cfg!(feature = "p384") {
        check(include_bytes!("pki/p384.csr"), "UnsupportedKey");
    }
    if !cfg!(feature = "rsa") {
        check(include_bytes!("pki/rsa.csr"), "UnsupportedSignature");
    }
    // RFC 5280, section 4.2: an extension stands once.
    check(include_bytes!("pki/two-sans.csr"), "Malformed");
    let mut changed = names.to_vec();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    check(&changed, "BadSignature");
    let mut changed = names.to_vec();
    let at = changed.windows(5).position(|it| it == b"A.exa").unwrap();
    changed[at] = b'B';
    check(&changed, "BadSignature");
    check(&[names.as_slice(), &[0]].concat(), "Malformed");
    check(&vec![0x30; Csr::MAX_LENGTH + 1], "Malformed");

    // Row M11: garbage in, one kind of error out.
    for text in ["blah blah not a valid CSR", "", "AAAA", "!!!", "MA=="] {
        let error = Csr::from_base64url(text).unwrap_err();
        assert!(matches!(error, CsrError::Malformed), "{text:?}");
    }
}

/// A key whose keeper returns whatever it was told to.
#[derive(Debug)]
struct Odd(PrivateKey, Vec<u8>);

impl Signer for Odd {
    fn algorithm(&self) -> SigningAlgorithm {
        self.0.algorithm()
    }

    fn public_jwk(&self) -> &Jwk {
        self.0.public_jwk()
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.1.clone())
    }
}

#[test]
fn a_signature_of_odd_length_is_the_keys_fault() {
    // RFC 7518, section 3.4: 64 bytes; an HSM that returns DER returns 70 to 72.
    for length in [0, 1, 63, 65, 71, 128] {
        let key = Odd(
            PrivateKey::generate(KeyType::EcdsaP256).unwrap(),
            vec![1; length],
        );
        let error = Csr::for_names(&names(&["a.example"]), &key).unwrap_err();
        assert!(matches!(error, CsrError::Sign(_)), "{length}: {error:?}");
    }
}

#[test]
fn openssl_verifies_it() {
    if Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: openssl is not on the path");
        return;
    }
    let csr = built(&["b.example", "*.a.example", "192.0.2.1", "2001:db8::1"]);
    let path = std::env::temp_dir().join(format!("acme-messages-{}.csr", std::process::id()));
    std::fs::write(&path, csr.as_der()).unwrap();
    let output = Command::new("openssl")
        .args(["req", "-verify", "-noout", "-text", "-inform", "DER", "-in"])
        .arg(&path)
        .output();
    std::fs::remove_file(&path).unwrap();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.to_lowercase().contains("verify ok"), "{said}");
    assert!(
        said.contains(
            "DNS:b.example, DNS:*.a.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1"
        ),
        "{said}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    // Row M11.
    #[test]
    fn round_trips(labels in prop::collection::vec("[a-z0-9]{1,20}", 1..8), v6: u128) {
        let mut names: Vec<ServerName> =
            labels.iter().map(|it| format!("{it}.example").parse().unwrap()).collect();
        names.push(std::net::IpAddr::V6(v6.into()).into());
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let csr = Csr::for_names(&names, &key).unwrap();
        prop_assert_eq!(Csr::from_der(csr.as_der()).unwrap(), csr);
    }
}
