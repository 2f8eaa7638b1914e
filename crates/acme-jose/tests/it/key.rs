//! Rows J8, J9: private keys made, and read from what people's files contain.

use acme_jose::{KeyError, KeyType, PrivateKey, Signer};

#[test]
fn two_keys_differ() {
    let one = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let two = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    assert_ne!(one.thumbprint(), two.thumbprint());
}

#[test]
fn reads_each_spelling_of_one_key() {
    let pkcs8 = include_str!("keys/p256-pkcs8.pem");
    let expected = PrivateKey::from_pem(pkcs8.as_bytes()).unwrap().thumbprint();
    let check = |text: &[u8]| {
        let key = PrivateKey::from_pem(text).unwrap();
        assert_eq!(key.thumbprint(), expected);
    };
    check(include_bytes!("keys/p256-sec1.pem"));
    check(include_bytes!("keys/p256-sec1-with-parameters.pem"));
    check(pkcs8.replace('\n', "\r\n").as_bytes());
    check(pkcs8.trim_end().as_bytes());
    // What Windows' editors put first.
    check(format!("\u{feff}{pkcs8}").as_bytes());
    check(format!("a comment\n{pkcs8}another\n").as_bytes());
    let der = PrivateKey::from_der(include_bytes!("keys/p256-pkcs8.der")).unwrap();
    assert_eq!(der.thumbprint(), expected);
}

#[test]
fn tells_the_kinds_of_der_apart() {
    use rustls_pki_types::pem::{PemObject, SectionKind};
    for pem in [
        &include_bytes!("keys/p256-pkcs8.pem")[..],
        include_bytes!("keys/p256-sec1.pem"),
        include_bytes!("keys/rsa2048-pkcs1.pem"),
        include_bytes!("keys/rsa2048-pkcs8.pem"),
        include_bytes!("keys/ed25519-pkcs8.pem"),
        include_bytes!("keys/p384-sec1.pem"),
    ] {
        let (_, der) = <(SectionKind, Vec<u8>)>::from_pem_slice(pem).unwrap();
        let (from_der, from_pem) = (PrivateKey::from_der(&der), PrivateKey::from_pem(pem));
        assert_eq!(
            from_der.map(|it| it.thumbprint()),
            from_pem.map(|it| it.thumbprint())
        );
    }
    for nonsense in [&b""[..], b"0", &[0x30, 0x80], &[0x30, 0x03, 2, 1, 9]] {
        assert_eq!(
            PrivateKey::from_der(nonsense).unwrap_err(),
            KeyError::Malformed
        );
    }
}

#[test]
fn says_what_is_wrong_with_a_key() {
    let check = |text: &[u8], expected: KeyError| {
        assert_eq!(PrivateKey::from_pem(text).unwrap_err(), expected);
    };
    let one = include_str!("keys/p256-pkcs8.pem");
    check(
        include_bytes!("keys/p256-pkcs8-encrypted.pem"),
        KeyError::Encrypted,
    );
    check(
        include_bytes!("keys/p256-sec1-encrypted.pem"),
        KeyError::Encrypted,
    );
    check(b"", KeyError::Missing);
    check(b"not a key", KeyError::Missing);
    check(format!("{one}{one}").as_bytes(), KeyError::Several);
    check(
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        KeyError::Malformed,
    );
}

#[test]
fn a_passphrase_is_told_in_der_too() {
    use rustls_pki_types::pem::{PemObject, SectionKind};
    let pem = include_bytes!("keys/p256-pkcs8-encrypted.pem");
    let encrypted = String::from_utf8_lossy(pem);
    let mislabelled = encrypted.replace("ENCRYPTED PRIVATE KEY", "PRIVATE KEY");
    let (_, der) = <(SectionKind, Vec<u8>)>::from_pem_slice(mislabelled.as_bytes()).unwrap();
    for read in [
        PrivateKey::from_der(&der),
        PrivateKey::from_pem(mislabelled.as_bytes()),
    ] {
        assert_eq!(read.unwrap_err(), KeyError::Encrypted);
    }
}

// OpenSSL made the files; each is a sound key of a kind that nothing here signs with.
#[test]
fn a_sound_key_of_a_foreign_kind_is_unsupported_and_not_damaged() {
    let check = |text: &[u8]| {
        assert_eq!(
            PrivateKey::from_pem(text).unwrap_err(),
            KeyError::Unsupported,
            "{}",
            String::from_utf8_lossy(text)
        );
    };
    check(include_bytes!("keys/p256-explicit.pem"));
    check(include_bytes!("keys/rsa2048-three-primes.pem"));
    // Its public half is one that no JWK here can be.
    check(include_bytes!("keys/rsa2048-large-exponent.pem"));
    for label in ["OPENSSH PRIVATE KEY", "DSA PRIVATE KEY"] {
        check(format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n").as_bytes());
    }
    let certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(
        PrivateKey::from_pem(certificate).unwrap_err(),
        KeyError::Missing
    );
}

// What writes a scalar as any other number adds a zero byte or leaves one out.
#[test]
fn a_scalar_of_another_width_is_the_same_key() {
    // `ECPrivateKey` without a public half, on P-256, with the scalar 0x0102…1f in `width` bytes.
    let read = |width: u8| {
        let number: Vec<u8> = (1..=31).collect();
        let mut scalar = vec![0; usize::from(width) - number.len()];
        scalar.extend(number);
        let mut der = vec![0x30, width + 17, 2, 1, 1, 4, width];
        der.extend(scalar);
        der.extend(b"\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07");
        PrivateKey::from_der(&der).map(|it| it.thumbprint())
    };
    assert!(read(32).is_ok());
    assert_eq!(read(31), read(32));
    assert_eq!(read(33), read(32));
    assert_eq!(read(40), read(32));
}

// OpenSSL made these files: the scalar, the public half, nothing else.
#[test]
fn elliptic_keys_are_written_byte_for_byte_as_others_write_them() {
    let files = [
        Some(include_str!("keys/p256-pkcs8.pem")),
        cfg!(feature = "p384").then_some(include_str!("keys/p384-pkcs8.pem")),
    ];
    for file in files.into_iter().flatten() {
        let key = PrivateKey::from_pem(file.as_bytes()).unwrap();
        assert_eq!(*key.to_pkcs8_pem().unwrap(), file);
    }
}

#[test]
fn pkcs8_round_trips() {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let pem = key.to_pkcs8_pem().unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(pem.lines().all(|line| line.len() <= 64));
    let der = key.to_pkcs8_der().unwrap();
    let again = PrivateKey::from_der(&der).unwrap();
    assert_eq!(again.thumbprint(), key.thumbprint());
}

#[test]
fn a_given_source_of_randomness_is_used() {
    struct Counter(u8);
    impl rand_core::TryRng for Counter {
        type Error = core::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            self.0 += 1;
            Ok(self.0.into())
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            self.0 += 1;
            Ok(self.0.into())
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            self.0 += 1;
            bytes.fill(self.0);
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Counter {}

    let make = || PrivateKey::generate_from_rng(KeyType::EcdsaP256, &mut Counter(0)).unwrap();
    assert_eq!(make().thumbprint(), make().thumbprint());
}

// Rows J9, S14: what OpenSSL and txacme write, each read, written and read again.
#[test]
fn reads_each_kind_of_key() {
    let check = |text: &[u8], algorithm: &str, supported: bool| match PrivateKey::from_pem(text) {
        Ok(key) => {
            assert_eq!(key.algorithm().as_str(), algorithm);
            let again = key.to_pkcs8_pem().unwrap();
            let again = PrivateKey::from_pem(again.as_bytes()).unwrap();
            assert_eq!(again.thumbprint(), key.thumbprint());
            let signature = key.sign(b"message").unwrap();
            key.public_jwk().verify(b"message", &signature).unwrap();
        }
        Err(error) => {
            assert_eq!(error, KeyError::Unsupported);
            assert!(!supported);
        }
    };
    let p384 = cfg!(feature = "p384");
    check(include_bytes!("keys/p384-sec1.pem"), "ES384", p384);
    check(include_bytes!("keys/p384-pkcs8.pem"), "ES384", p384);
    let ed25519 = cfg!(feature = "ed25519");
    check(include_bytes!("keys/ed25519-pkcs8.pem"), "EdDSA", ed25519);
    let rsa = cfg!(feature = "rsa");
    check(include_bytes!("keys/rsa2048-pkcs8.pem"), "RS256", rsa);
    check(include_bytes!("keys/rsa2048-pkcs1.pem"), "RS256", rsa);
}

#[test]
fn an_unsupported_key_says_which_features_are_off() {
    let text = KeyError::Unsupported.to_string();
    let features = [
        ("p384", cfg!(feature = "p384")),
        ("ed25519", cfg!(feature = "ed25519")),
        ("rsa", cfg!(feature = "rsa")),
    ];
    for (feature, on) in features {
        assert_ne!(text.contains(feature), on, "{text}");
    }
    let all_on = features.iter().all(|it| it.1);
    assert_ne!(text.contains("features of acme-jose"), all_on, "{text}");
}

#[cfg(feature = "rsa")]
#[test]
fn pkcs1_round_trips_and_is_rsas_alone() {
    let pem = include_str!("keys/rsa2048-pkcs1.pem");
    let key = PrivateKey::from_pem(pem.as_bytes()).unwrap();
    assert_eq!(*key.to_pkcs1_pem().unwrap(), pem);
    let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    assert_eq!(other.to_pkcs1_pem().unwrap_err(), KeyError::Unsupported);
}

// Row J10: under 2048 bits there is no key, whatever else is right with it.
#[cfg(feature = "rsa")]
#[test]
fn small_rsa_keys_are_too_small() {
    let Ok(made) = std::process::Command::new("openssl")
        .args(["genrsa", "1024"])
        .output()
    else {
        println!("skipped: there is no openssl");
        return;
    };
    assert_eq!(
        PrivateKey::from_pem(&made.stdout).unwrap_err(),
        KeyError::TooSmall { bits: 1024 }
    );
}

#[test]
fn parts_that_do_not_belong_together_are_mismatched() {
    let (one, two) = (
        PrivateKey::generate(KeyType::EcdsaP256).unwrap(),
        PrivateKey::generate(KeyType::EcdsaP256).unwrap(),
    );
    // PKCS#8 ends with the public point, 65 bytes long.
    let mut der = one.to_pkcs8_der().unwrap().to_vec();
    let point = two.to_pkcs8_der().unwrap();
    let at = der.len() - 65;
    der[at..].copy_from_slice(&point[at..]);
    assert_eq!(
        PrivateKey::from_der(&der).unwrap_err(),
        KeyError::Mismatched
    );
}

// Row J8.
#[test]
fn key_types_have_names() {
    for key_type in KeyType::ALL {
        assert_eq!(key_type.to_string().parse(), Ok(*key_type));
    }
    assert_eq!("rsa".parse(), Ok(KeyType::Rsa2048));
    for text in ["RSA", "", "ecdsa", "rsa1024"] {
        assert_eq!(text.parse::<KeyType>().unwrap_err().0, text);
    }
}

proptest::proptest! {
    #[test]
    fn nothing_from_outside_panics(bytes: Vec<u8>) {
        let _ = PrivateKey::from_der(&bytes);
        let _ = PrivateKey::from_pem(&bytes);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            acme_jose::base64url::encode(&bytes));
        let _ = PrivateKey::from_pem(pem.as_bytes());
    }
}
