//! Rows J8, J9: private keys made, and read from what people's files contain.

use acme_jose::{KeyError, KeyType, PrivateKey, Signer};

#[test]
fn two_keys_differ() {
    let one = PrivateKey::generate(KeyType::EcdsaP256);
    let two = PrivateKey::generate(KeyType::EcdsaP256);
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
    check(format!("a comment\n{pkcs8}another\n").as_bytes());
    let der = PrivateKey::from_der(include_bytes!("keys/p256-pkcs8.der")).unwrap();
    assert_eq!(der.thumbprint(), expected);
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
        include_bytes!("keys/rsa2048-pkcs8.pem"),
        KeyError::Unsupported,
    );
    check(
        include_bytes!("keys/rsa2048-pkcs1.pem"),
        KeyError::Unsupported,
    );
    check(
        include_bytes!("keys/ed25519-pkcs8.pem"),
        KeyError::Unsupported,
    );
    check(
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        KeyError::Malformed,
    );
}

#[test]
fn pkcs8_round_trips() {
    let key = PrivateKey::generate(KeyType::EcdsaP256);
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

    let make = || PrivateKey::generate_from_rng(KeyType::EcdsaP256, &mut Counter(0));
    assert_eq!(make().thumbprint(), make().thumbprint());
}

#[test]
fn debug_shows_no_secret() {
    let key = PrivateKey::generate(KeyType::EcdsaP256);
    let shown = format!("{key:?}");
    let secret = key.to_pkcs8_der().unwrap();
    let secret = secret[36..68].iter().map(|it| format!("{it:02x}"));
    assert!(!shown.contains(&secret.collect::<String>()));
    assert!(shown.contains(&key.public_jwk().thumbprint().to_string()));
}
