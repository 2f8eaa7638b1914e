//! Certificate chains: strict reading, looking inside, checking.

use acme_messages::{
    CertificateChain, CertificateInfo, ChainError, ServerName, Timestamp, jose::PrivateKey,
};
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};

const LEAF: &str = include_str!("pki/leaf.pem");
const ISSUER: &str = include_str!("pki/issuer.pem");
const ROOT: &str = include_str!("pki/root.pem");

fn read(text: &str) -> Result<CertificateChain, ChainError> {
    CertificateChain::from_pem(text.as_bytes())
}

fn name(text: &str) -> ServerName {
    text.parse().unwrap()
}

fn joined(text: &str) -> String {
    let base64: String = text.lines().filter(|it| !it.starts_with('-')).collect();
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

#[test]
fn reads_what_cas_send() {
    let expected = read(&format!("{LEAF}{ISSUER}")).unwrap();
    let check = |text: String| assert_eq!(read(&text).unwrap(), expected, "{text}");
    check(format!("{LEAF}\n{ISSUER}"));
    check(format!("{LEAF}{ISSUER}").replace('\n', "\r\n"));
    check(format!("{LEAF}{}", ISSUER.trim_end()));
    check(format!("{}{}", joined(LEAF), joined(ISSUER)));
    check(format!("subject=CN = a\n{LEAF}issuer=\n{ISSUER}the end"));
    check(format!("\n\n{LEAF}\t\n{ISSUER}\n\n"));
    assert_eq!(expected.to_pem(), format!("{LEAF}{ISSUER}"));
}

#[test]
fn refuses_what_is_no_chain() {
    let check = |text: &str, expected: ChainError| {
        assert_eq!(read(text).unwrap_err(), expected, "{text}");
    };
    check("", ChainError::Empty);
    check("<html>502 Bad Gateway</html>", ChainError::Empty);
    // RFC 8555, section 11.4: each `-----BEGIN` is followed by ` CERTIFICATE`.
    let crl = include_str!("pki/crl.pem");
    check(crl, ChainError::ForeignBlock);
    check(&format!("{LEAF}{crl}"), ChainError::ForeignBlock);
    let key = include_str!("pki/leaf.key");
    check(&format!("{LEAF}{key}"), ChainError::ForeignBlock);
    check(
        &format!("{LEAF}some text -----BEGIN PRIVATE KEY----- and more\n"),
        ChainError::ForeignBlock,
    );
    for label in [
        "X509 CERTIFICATE",
        "TRUSTED CERTIFICATE",
        "CERTIFICATE REQUEST",
        "certificate",
    ] {
        check(
            &LEAF.replace(" CERTIFICATE-", &format!(" {label}-")),
            ChainError::ForeignBlock,
        );
    }
    check(&format!("{LEAF}-----BEGIN"), ChainError::ForeignBlock);

    // Each block that begins is read: none is lost on the way.
    check(
        &LEAF.replace("-----END CERTIFICATE-----", ""),
        ChainError::Malformed,
    );
    check(&format!("{LEAF}{}", &ISSUER[..200]), ChainError::Malformed);
    check(&format!("words {LEAF}{ISSUER}"), ChainError::Malformed);
    check(
        &format!("{}{ISSUER}", LEAF.trim_end()),
        ChainError::Malformed,
    );
    check(&LEAF.replacen('M', "!", 1), ChainError::Malformed);
    let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
    check(empty, ChainError::Malformed);
    check(&format!("{LEAF}{empty}"), ChainError::Malformed);
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    check(&format!("{LEAF}{garbage}"), ChainError::Malformed);

    let most = ISSUER.repeat(CertificateChain::MAX_CERTIFICATES - 1);
    assert!(read(&format!("{LEAF}{most}")).is_ok());
    check(&format!("{LEAF}{most}{ISSUER}"), ChainError::TooLong);
    check(
        &format!("{LEAF}{}", " ".repeat(CertificateChain::MAX_LENGTH)),
        ChainError::TooLong,
    );
    let long = vec![vec![0x30; CertificateChain::MAX_LENGTH + 1].into()];
    assert_eq!(CertificateChain::from_der(long), Err(ChainError::TooLong));
}

#[test]
fn says_what_a_leaf_is() {
    let chain = read(LEAF).unwrap();
    let leaf = chain.leaf();
    assert_eq!(
        leaf.names,
        [
            "a.example.com",
            "*.b.example.com",
            "192.0.2.1",
            "2001:db8::1"
        ]
        .map(name)
    );
    assert_eq!(leaf.not_before.to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(leaf.issuer(), "CN=Issuer");
    assert_eq!(leaf.issuer_common_name().as_deref(), Some("Issuer"));
    assert_eq!(leaf.authority_key_id.as_ref().unwrap().len(), 20);
    assert!(leaf.certificate_id().is_some());
    assert!(
        chain.as_der()[0]
            .windows(leaf.spki.len())
            .any(|it| it == leaf.spki)
    );

    let bare = read(include_str!("pki/bare.pem")).unwrap();
    assert!(bare.leaf().names.is_empty());
    let root = read(ROOT).unwrap();
    assert_eq!(root.leaf().certificate_id(), None);
    let rsa = read(include_str!("pki/rsa-root.pem")).unwrap();
    assert_eq!(rsa.leaf().issuer(), "CN=RSA root");
}

#[test]
fn dates() {
    // RFC 5280, section 4.1.2.5: past 2049 as GeneralizedTime; 9999 means "no end".
    let check = |text: &str, start: &str, end: &str| {
        let leaf = read(text).unwrap().leaf().clone();
        assert_eq!(leaf.not_before.to_string(), start);
        assert_eq!(leaf.not_after.to_string(), end);
    };
    check(
        include_str!("pki/past-2050.pem"),
        "2049-12-31T23:59:59Z",
        "2051-02-03T04:05:06Z",
    );
    // The last moment that a timestamp can name.
    check(
        include_str!("pki/endless.pem"),
        "2026-01-01T00:00:00Z",
        "9999-12-30T22:00:00.999999999Z",
    );

    let chain = read(LEAF).unwrap();
    let check = |now: &str, expected: Result<(), ChainError>| {
        assert_eq!(chain.check_time(now.parse().unwrap()), expected, "{now}");
    };
    check("2025-12-31T23:00:00Z", Ok(()));
    check("2027-01-01T00:00:00Z", Ok(()));
    // The last second is part of the life (RFC 5280, section 4.1.2.5).
    check("2027-01-01T00:00:00.9Z", Ok(()));
    check("2027-01-01T00:00:01Z", Err(ChainError::Expired));
    // RFC 5280, section 4.1.2.5: two digits of a year end with 2049.
    let late = read(include_str!("pki/past-2050.pem")).unwrap();
    for (now, expected) in [
        ("1951-02-03T04:05:07Z", Ok(())),
        ("2050-01-01T00:00:00Z", Ok(())),
        ("2051-02-03T04:05:06Z", Ok(())),
        ("2051-02-03T04:05:07Z", Err(ChainError::Expired)),
    ] {
        assert_eq!(late.check_time(now.parse().unwrap()), expected, "{now}");
    }
    let root = read(ROOT).unwrap().leaf().clone();
    assert_eq!(root.not_after.to_string(), "2060-01-01T00:00:00Z");
    let issuer = read(ISSUER).unwrap().leaf().clone();
    assert_eq!(issuer.not_after.to_string(), "2050-01-01T00:00:00Z");
    let endless = read(include_str!("pki/endless.pem")).unwrap();
    assert_eq!(endless.check_time(Timestamp::MAX), Ok(()));
}

#[test]
fn links() {
    let check = |parts: &[&str], expected: Result<(), ChainError>| {
        assert_eq!(read(&parts.concat()).unwrap().check_links(), expected);
    };
    let broken = |position| Err(ChainError::BrokenLink { position });
    check(&[LEAF], Ok(()));
    check(&[LEAF, ISSUER], Ok(()));
    check(&[LEAF, ISSUER, ROOT], Ok(()));
    check(&[LEAF, ROOT], broken(0));
    check(&[LEAF, ROOT, ISSUER], broken(0));
    check(&[ISSUER, LEAF], broken(0));
    check(&[LEAF, ISSUER, LEAF], broken(1));
    // The right name with another key is not the issuer.
    check(&[LEAF, include_str!("pki/namesake.pem"), ROOT], broken(0));
    // An algorithm this build does not know is judged by name.
    let rsa_root = include_str!("pki/rsa-root.pem");
    check(&[include_str!("pki/rsa-leaf.pem"), rsa_root], Ok(()));
    // A build that knows RSA sees a changed signature; the others go by the names.
    let forged = last_byte_changed(include_str!("pki/rsa-leaf.pem"));
    let expected = if cfg!(feature = "rsa") {
        broken(0)
    } else {
        Ok(())
    };
    check(&[&forged, rsa_root], expected);
    check(&[LEAF, rsa_root], broken(0));
}

#[test]
fn links_by_the_cryptography_of_a_tls_library() {
    let library = rustls::crypto::ring::default_provider();
    let library = library.signature_verification_algorithms.all;
    let check = |parts: &[&str], expected: Result<(), ChainError>| {
        let chain = read(&parts.concat()).unwrap();
        assert_eq!(chain.check_links_with(library), expected);
    };
    let broken = |position| Err(ChainError::BrokenLink { position });
    check(&[LEAF], Ok(()));
    check(&[LEAF, ISSUER, ROOT], Ok(()));
    check(&[LEAF, ROOT], broken(0));
    check(&[LEAF, ISSUER, LEAF], broken(1));
    check(&[LEAF, include_str!("pki/namesake.pem"), ROOT], broken(0));
    // It knows RSA, whatever the features of this build.
    let (rsa_leaf, rsa_root) = (
        include_str!("pki/rsa-leaf.pem"),
        include_str!("pki/rsa-root.pem"),
    );
    check(&[rsa_leaf, rsa_root], Ok(()));
    check(&[&last_byte_changed(rsa_leaf), rsa_root], broken(0));
    check(&[LEAF, rsa_root], broken(0));
}

/// Has the names of an algorithm, and one answer to everything.
#[derive(Debug)]
struct Answers(&'static dyn SignatureVerificationAlgorithm, bool);

impl SignatureVerificationAlgorithm for Answers {
    fn verify_signature(&self, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        match self.1 {
            true => Ok(()),
            false => Err(InvalidSignature),
        }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0.signature_alg_id()
    }
}

#[test]
fn a_library_is_asked_about_what_it_knows_and_no_more() {
    let library = rustls::crypto::ring::default_provider();
    let library = library.signature_verification_algorithms.all;
    let of = |text: &str, answer| {
        let chain = read(text).unwrap();
        let all: Vec<_> = library.iter().map(|it| Answers(*it, answer)).collect();
        let all: Vec<_> = all.iter().map(|it| it as _).collect();
        chain.check_links_with(&all).is_ok()
    };
    let forged = last_byte_changed(LEAF);
    // It says yes where the algorithm is one of its own, and the names fit.
    assert!(of(&format!("{forged}{ISSUER}"), true));
    assert!(!of(&format!("{LEAF}{ROOT}"), true));
    // Where it says no, this build has the last word if it knows the algorithm.
    assert!(of(&format!("{LEAF}{ISSUER}"), false));
    assert!(!of(&format!("{forged}{ISSUER}"), false));
    let rsa = [
        include_str!("pki/rsa-leaf.pem"),
        include_str!("pki/rsa-root.pem"),
    ];
    assert_eq!(of(&rsa.concat(), false), cfg!(feature = "rsa"));
}

#[test]
fn keys() {
    let chain = read(LEAF).unwrap();
    let own = PrivateKey::from_pem(include_bytes!("pki/leaf.key")).unwrap();
    assert_eq!(chain.check_key(own.public_jwk()), Ok(()));
    assert_eq!(
        read(ISSUER).unwrap().check_key(own.public_jwk()),
        Err(ChainError::ForeignKey)
    );
    let rsa = read(include_str!("pki/rsa-leaf.pem")).unwrap();
    assert_eq!(rsa.check_key(own.public_jwk()), Err(ChainError::ForeignKey));
}

#[test]
fn names() {
    let chain = read(LEAF).unwrap();
    let check = |texts: &[&str], expected: bool| {
        let names: Vec<_> = texts.iter().map(|it| name(it)).collect();
        assert_eq!(chain.check_names(&names).is_ok(), expected, "{texts:?}");
    };
    check(
        &[
            "192.0.2.1",
            "2001:db8::1",
            "*.b.example.com",
            "A.example.com",
        ],
        true,
    );
    check(&["192.0.2.1", "2001:db8::1", "*.b.example.com"], false);
    check(
        &[
            "192.0.2.1",
            "2001:db8::1",
            "*.b.example.com",
            "a.example.com",
            "c.example",
        ],
        false,
    );
    check(
        &[
            "192.0.2.1",
            "2001:db8::1",
            "x.b.example.com",
            "a.example.com",
        ],
        false,
    );
    check(&[], false);

    // A mail address or URI harms nobody; a DNS name that was not asked for is told,
    // be it one that this crate would not ask for.
    let other = read(include_str!("pki/other.pem")).unwrap();
    assert_eq!(other.leaf().names, [name("a.example.com")]);
    assert_eq!(
        other.check_names(&[name("a.example.com")]),
        Err(ChainError::WrongNames)
    );
}

// RFC 5280, section 4.2.1.6: as TLS clients compare, a name with a final dot is another.
#[test]
fn a_final_dot_is_no_part_of_a_name() {
    let mut der = read(LEAF).unwrap().as_der()[0].to_vec();
    let long = b"a.example.com";
    let at = der.windows(long.len()).rposition(|it| it == long).unwrap();
    der[at..at + long.len()].copy_from_slice(b"a.example.de.");
    let info = CertificateInfo::from_der(&der).unwrap();
    assert_eq!(info.other_dns_names, ["a.example.de."]);
    assert!(!info.is_valid_for(&name("a.example.de")));
}

// RFC 9773, section 4.1: the key identifier is all that counts of its extension.
#[test]
fn a_long_serial_number_of_the_issuer_hides_no_key_identifier() {
    let chain = read(include_str!("pki/long-issuer-serial.pem")).unwrap();
    assert_eq!(chain.leaf().authority_key_id.as_ref().unwrap().len(), 20);
}

#[test]
fn wildcards() {
    let leaf = read(LEAF).unwrap().leaf().clone();
    let check = |text: &str, expected: bool| {
        assert_eq!(leaf.is_valid_for(&name(text)), expected, "{text}");
    };
    check("a.example.com", true);
    check("A.EXAMPLE.com", true);
    check("x.b.example.com", true);
    check("*.b.example.com", true);
    check("b.example.com", false);
    check("x.y.b.example.com", false);
    check("xb.example.com", false);
    check("*.a.example.com", false);
    check("*.x.b.example.com", false);
    check("192.0.2.1", true);
    check("192.0.2.2", false);
    check("2001:db8:0::1", true);
}

#[test]
fn bytes_after_a_certificate_are_refused() {
    let mut der = read(LEAF).unwrap().as_der()[0].to_vec();
    assert!(CertificateInfo::from_der(&der).is_ok());
    der.push(0);
    assert_eq!(CertificateInfo::from_der(&der), Err(ChainError::Malformed));
}

/// The certificate with its signature's last byte changed.
fn last_byte_changed(pem: &str) -> String {
    use rustls_pki_types::{CertificateDer, pem::PemObject};
    let mut der = CertificateDer::from_pem_slice(pem.as_bytes())
        .unwrap()
        .to_vec();
    let last = der.len() - 1;
    der[last] ^= 1;
    let chain = CertificateChain::from_der(vec![der.into()]).unwrap();
    chain.to_pem()
}

// Row M15: the DER that came is the DER that is kept, and what it is written as reads the same.
#[test]
fn received_certificates_are_kept_byte_for_byte() {
    use rustls_pki_types::{CertificateDer, pem::PemObject};
    let received =
        [LEAF, ISSUER, ROOT].map(|it| CertificateDer::from_pem_slice(it.as_bytes()).unwrap());
    let chain = read(&[LEAF, ISSUER, ROOT].concat()).unwrap();
    assert_eq!(chain.as_der(), received);
    assert_eq!(read(&chain.to_pem()).unwrap().as_der(), received);
}
