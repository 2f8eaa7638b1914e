//! Reading what people's files contain, writing what every reader takes.

use acme_store::{
    BundleError, CertificateBundle,
    messages::{
        CertificateChain, ChainError, ServerName,
        jose::{KeyError, KeyType, PrivateKey, SigningAlgorithm},
    },
};
use proptest::prelude::*;

use crate::pki::{PKI, Pki};

const GOOD: &str = include_str!("../data/www.example.com.pem");
const ROOT: &str = include_str!("../data/root.pem");
const OTHER_KEY: &str = include_str!("../data/other.key");
const RSA_KEY: &str = include_str!("../data/rsa.key");
const ENCRYPTED_KEY: &str = include_str!("../data/encrypted.key");
const TRADITIONAL_ENCRYPTED_KEY: &str = include_str!("../data/encrypted-traditional.key");
const TRUSTED_LEAF: &str = include_str!("../data/trusted-leaf.pem");
const SEC1_KEY: &str = include_str!("../data/sec1-with-parameters.key");
const REQUEST: &str = include_str!("../data/request.csr");

/// The key, the leaf and the intermediate of the good file.
fn parts() -> [String; 3] {
    let blocks: Vec<_> = GOOD.split_inclusive("KEY-----\n").collect();
    let certificates = GOOD.split("-----BEGIN CERTIFICATE-----").skip(1);
    let mut certificates = certificates.map(|it| format!("-----BEGIN CERTIFICATE-----{it}"));
    let key = blocks[..2].concat();
    [
        key,
        certificates.next().unwrap(),
        certificates.next().unwrap(),
    ]
}

#[track_caller]
fn check(text: &str, expected: Result<usize, BundleError>) {
    let read = CertificateBundle::from_pem(text.as_bytes());
    if let Ok(bundle) = &read {
        let good = CertificateBundle::from_pem(GOOD.as_bytes()).unwrap();
        assert_eq!(bundle.chain().as_der()[0], good.chain().as_der()[0]);
        assert_eq!(bundle.key().thumbprint(), good.key().thumbprint());
    }
    let length = read.map(|it| it.chain().as_der().len());
    assert_eq!(length, expected, "{text}");
}

// 3.4, D4, 3.2
#[test]
fn peoples_files_are_read() {
    let [key, leaf, intermediate] = parts();
    check(GOOD, Ok(2));
    check(&format!("{leaf}{intermediate}{key}"), Ok(2));
    check(&format!("{intermediate}{leaf}{key}"), Ok(2));
    check(&format!("{ROOT}{intermediate}{key}{leaf}"), Ok(2));
    check(&format!("{key}{leaf}"), Ok(1));
    check(&format!("{SEC1_KEY}{leaf}{intermediate}"), Ok(2));
    check(&format!("{key}{REQUEST}{leaf}{intermediate}"), Ok(2));
    check(
        &format!("Bag Attributes\n  # {key}\nsubject=/CN=x\n{leaf}"),
        Err(BundleError::NoKey),
    );
    check(
        &format!("Bag Attributes\n{key}\nsubject=/CN=x\n{leaf}"),
        Ok(1),
    );
    let parameters = "-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n";
    check(&format!("{GOOD}{parameters}trailing text"), Ok(2));
    check(&format!("{key}{parameters}{leaf}"), Ok(1));
    check(&GOOD.replace('\n', "\r\n"), Ok(2));
    check(GOOD.trim_end(), Ok(2));
    check(&format!("\u{feff}{GOOD}"), Ok(2));
    check(&GOOD.replace("\n-----BEGIN", "-----BEGIN"), Ok(2));
    check(&GOOD.replace('\n', "\n    "), Ok(2));
    check(&format!("{GOOD}{leaf}{leaf}"), Ok(2));
    let old = leaf.replace(" CERTIFICATE-", " X509 CERTIFICATE-");
    check(&format!("{key}{old}{intermediate}"), Ok(2));
    check(&format!("{key}{TRUSTED_LEAF}{intermediate}"), Ok(2));
    let foreign = PKI.bundle("a.example.com").chain().to_pem();
    check(
        &format!("{key}{foreign}{leaf}{foreign}{intermediate}"),
        Ok(2),
    );
}

// S3, S12
#[test]
fn what_makes_no_bundle_is_named() {
    let [key, leaf, intermediate] = parts();
    check("not blank, and no PEM", Err(BundleError::NoPem));
    check(&leaf, Err(BundleError::NoKey));
    check(&key, Err(BundleError::NoCertificate));
    check(
        &format!("{key}{intermediate}"),
        Err(BundleError::KeyMismatch),
    );
    check(&format!("{OTHER_KEY}{leaf}"), Err(BundleError::KeyMismatch));
    check(
        &format!("{key}{OTHER_KEY}{leaf}"),
        Err(BundleError::SeveralKeys),
    );
    let defect = if SigningAlgorithm::ALL.contains(&SigningAlgorithm::Rs256) {
        BundleError::KeyMismatch
    } else {
        BundleError::Key(KeyError::Unsupported)
    };
    check(&format!("{RSA_KEY}{leaf}"), Err(defect));
    check(
        &format!("{ENCRYPTED_KEY}{leaf}"),
        Err(BundleError::Key(KeyError::Encrypted)),
    );
    check(
        &format!("{TRADITIONAL_ENCRYPTED_KEY}{leaf}"),
        Err(BundleError::Key(KeyError::Encrypted)),
    );
    check(&GOOD[..GOOD.len() - 40], Err(BundleError::Malformed));
    let many = leaf.repeat(CertificateBundle::MAX_CERTIFICATES + 1);
    check(&format!("{key}{many}"), Err(BundleError::TooLong));
    let long = " ".repeat(CertificateBundle::MAX_LENGTH);
    check(&format!("{GOOD}{long}"), Err(BundleError::TooLong));
}

// D2, D3, D4, D5
#[test]
fn what_is_written_suits_every_reader() {
    let bundle = PKI.bundle("www.example.com");
    let text = bundle.to_pem();
    let labels: Vec<_> = text
        .lines()
        .filter(|it| it.starts_with("-----BEGIN"))
        .collect();
    let certificate = "-----BEGIN CERTIFICATE-----";
    assert_eq!(
        labels,
        ["-----BEGIN PRIVATE KEY-----", certificate, certificate]
    );
    assert!(text.ends_with("-----\n"));
    let mut within = false;
    for line in text.lines() {
        let marker = line.starts_with("-----");
        assert!(within || marker, "text between the blocks: {line}");
        assert!(line.len() <= 64 && !line.is_empty() && !line.contains('\r'));
        within = !line.starts_with("-----END");
    }
    // OpenSSL writes the same bytes.
    let good = CertificateBundle::from_pem(GOOD.as_bytes()).unwrap();
    assert_eq!(good.to_pem().as_str(), GOOD);
}

#[test]
fn a_bundle_is_checked_when_it_is_made() {
    let name: ServerName = "www.example.com".parse().unwrap();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let leaf = PKI.leaf(&name, &key);
    let new = |key: &PrivateKey, chain: Vec<_>| {
        let chain = CertificateChain::from_der(chain).unwrap();
        CertificateBundle::new(key.clone(), chain).map(|it| it.chain().as_der().len())
    };
    let intermediate = PKI.intermediate.clone();
    assert_eq!(new(&key, vec![leaf.clone()]), Ok(1));
    assert_eq!(new(&key, vec![leaf.clone(), intermediate.clone()]), Ok(2));
    // D3: no root.
    let with_root = vec![leaf.clone(), intermediate.clone(), PKI.root.clone()];
    assert_eq!(new(&key, with_root), Ok(2));
    let broken = vec![leaf.clone(), PKI.root.clone()];
    let error = BundleError::Chain(ChainError::BrokenLink { position: 0 });
    assert_eq!(new(&key, broken), Err(error));
    let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    assert_eq!(new(&other, vec![leaf]), Err(BundleError::KeyMismatch));
}

#[test]
fn debug_shows_no_key() {
    let bundle = CertificateBundle::from_pem(GOOD.as_bytes()).unwrap();
    let debug = format!("{bundle:?}");
    let key = parts()[0].lines().nth(1).unwrap()[..16].to_owned();
    assert!(
        debug.contains("www.example.com") && !debug.contains(&key),
        "{debug}"
    );
    assert!(
        !debug.contains("PRIVATE") && !debug.contains("secret"),
        "{debug}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_written_is_read(order in Just(vec![0, 1, 2]).prop_shuffle(), crlf: bool) {
        let bundle = PKI.bundle("www.example.com");
        let text = bundle.to_pem();
        let mut blocks: Vec<String> =
            text.split_inclusive("-----\n").collect::<Vec<_>>().chunks(2).map(<[_]>::concat).collect();
        blocks = order.iter().map(|at| blocks[*at].clone()).collect();
        let mut shuffled = blocks.concat();
        if crlf {
            shuffled = shuffled.replace('\n', "\r\n");
        }
        let read = CertificateBundle::from_pem(shuffled.as_bytes()).unwrap();
        prop_assert_eq!(&read, &bundle);
        prop_assert_eq!(read.to_pem(), text);
    }

    #[test]
    fn no_input_panics(text in proptest::collection::vec(any::<u8>(), 0..512), cut in 0..GOOD.len()) {
        let _ = CertificateBundle::from_pem(&text);
        let mut damaged = GOOD.as_bytes().to_vec();
        damaged.splice(cut..cut, text);
        let _ = CertificateBundle::from_pem(&damaged);
    }
}

// D4: what txacme wrote, an RSA key as PKCS#1 and its certificate, is a bundle.
#[test]
fn an_rsa_pair_is_a_bundle_where_the_build_knows_rsa() {
    let Ok(key) = PrivateKey::from_pem(RSA_KEY.as_bytes()) else {
        assert!(!SigningAlgorithm::ALL.contains(&SigningAlgorithm::Rs256));
        return;
    };
    let leaf = PKI.leaf(&"www.example.com".parse().unwrap(), &key);
    let chain = CertificateChain::from_der(vec![leaf]).unwrap();
    let pem = format!("{RSA_KEY}{}", chain.to_pem());
    let bundle = CertificateBundle::from_pem(pem.as_bytes()).unwrap();
    assert_eq!(bundle.key().thumbprint(), key.thumbprint());
    let again = CertificateBundle::from_pem(bundle.to_pem().as_bytes()).unwrap();
    assert_eq!(again, bundle);
}

// Whoever glues files together has the root twice, or before the one that crosses it.
#[test]
fn roots_are_left_out_wherever_they_are() {
    let [key, leaf, intermediate] = parts();
    check(&format!("{key}{leaf}{intermediate}{ROOT}{ROOT}"), Ok(2));
    check(
        &format!("{key}{ROOT}{leaf}{ROOT}{intermediate}{ROOT}"),
        Ok(2),
    );
    let root = PKI.root.clone();
    let bundle = PKI.bundle("a.example.com");
    let mut chain = bundle.chain().as_der().to_vec();
    chain.extend([root.clone(), root]);
    let chain = CertificateChain::from_der(chain).unwrap();
    let again = CertificateBundle::new(bundle.key().clone(), chain).unwrap();
    assert_eq!(again, bundle);
}

// What can be put can be read again.
#[test]
fn a_bundle_that_would_be_too_long_to_read_is_refused() {
    let pki = Pki::named(&format!("CN={}", "x".repeat(105_000)));
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let leaf = pki.leaf(&"a.example.com".parse().unwrap(), &key);
    let chain = CertificateChain::from_der(vec![leaf, pki.intermediate]).unwrap();
    assert!(chain.to_pem().len() > CertificateBundle::MAX_LENGTH);
    let refused = CertificateBundle::new(key, chain);
    assert_eq!(refused.err(), Some(BundleError::TooLong));
}
