//! No `Debug` and no `Display` shows a key's bytes, in whatever spelling.

use std::fmt::Write;

use acme_jose::{
    ExternalAccountBinding, FlattenedJws, KeyType, MacAlgorithm, MacKey, PrivateKey,
    ProtectedHeader, Token, UnsignedJws, base64url,
};

/// How many bytes of a secret in a row would be a leak.
const LEAK: usize = 9;

/// The text shows no run of the secret's bytes: not as hex, not as numbers, not as base64.
fn check_hidden(secret: &[u8], shown: &str) {
    let compact: String = shown.split_whitespace().collect();
    for window in secret.windows(LEAK) {
        let mut hex = String::new();
        for byte in window {
            write!(hex, "{byte:02x}").unwrap();
        }
        let numbers: Vec<_> = window.iter().map(u8::to_string).collect();
        // Nine bytes are twelve characters, so that a whole window is whole in base64 too.
        let spellings = [
            hex.to_uppercase(),
            hex,
            numbers.join(","),
            base64url::encode(window),
        ];
        for spelling in spellings {
            assert!(
                !compact.contains(&spelling),
                "{spelling} is shown in {shown}"
            );
        }
    }
}

#[test]
fn a_leak_would_be_seen() {
    let secret = *b"0123456789abcdef";
    for shown in [
        format!("{secret:?}"),
        format!("{secret:#?}"),
        format!("key {}", base64url::encode(secret)),
        secret.iter().map(|it| format!("{it:02x}")).collect(),
    ] {
        let seen = std::panic::catch_unwind(|| check_hidden(&secret, &shown));
        assert!(seen.is_err(), "{shown}");
    }
}

#[test]
fn private_keys_are_hidden() {
    for key_type in KeyType::ALL {
        let Ok(key) = PrivateKey::generate(*key_type) else {
            continue;
        };
        let der = key.to_pkcs8_der().unwrap();
        let header = ProtectedHeader::with_jwk(key.public_jwk().clone(), "https://ca.example/");
        let unsigned = UnsignedJws::new(header.clone(), b"{}");
        let jws = FlattenedJws::sign(&key, header.clone(), b"{}").unwrap();
        // The public half is in the requests, and stands in the file as well.
        let public = key.public_jwk().to_spki_der().unwrap();
        let secret = secret_part(&der, &public);
        assert!(secret.len() >= 32, "{key_type}");
        for shown in [
            format!("{key:?} {key:#?}"),
            format!("{:?} {:?}", key.public_jwk(), key.thumbprint()),
            format!("{unsigned:?} {jws:?} {header:?}"),
        ] {
            check_hidden(&secret, &shown);
        }
    }
}

/// The bytes of a private key's file that its public half does not hold too.
fn secret_part(der: &[u8], public: &[u8]) -> Vec<u8> {
    let is_public = |at: usize| (at + LEAK <= der.len()) && contains(public, &der[at..at + LEAK]);
    let mut public_bytes = vec![false; der.len()];
    for at in (0..der.len()).filter(|at| is_public(*at)) {
        public_bytes[at..at + LEAK].fill(true);
    }
    let secret = der.iter().zip(public_bytes);
    secret
        .filter(|(_, public)| !public)
        .map(|(byte, _)| *byte)
        .collect()
}

fn contains(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn mac_keys_and_tokens_are_hidden() {
    let secret = *b"the customer's secret";
    let key = MacKey::new(secret).unwrap();
    let account = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let binding = ExternalAccountBinding::new(
        MacAlgorithm::Hs256,
        "kid",
        &key,
        "https://ca.example/",
        account.public_jwk(),
    );
    check_hidden(&secret, &format!("{key:?} {binding:?}"));

    let text = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
    let token = Token::parse(text).unwrap();
    assert!(!format!("{token:?}").contains(&text[..12]));
}
