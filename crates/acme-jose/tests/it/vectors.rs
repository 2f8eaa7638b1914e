//! The RFCs' own examples, each in a file.

use acme_jose::{Jwk, MacAlgorithm, MacKey, base64url};
use serde_json::Value;

fn text<'a>(vector: &'a Value, member: &str) -> &'a str {
    vector[member].as_str().unwrap()
}

fn jwk(vector: &Value) -> Jwk {
    serde_json::from_value(vector["jwk"].clone()).unwrap()
}

fn check_thumbprint(vector: &Value) {
    assert_eq!(
        jwk(vector).thumbprint().to_string(),
        text(vector, "thumbprint")
    );
}

/// The signature verifies, and neither a changed one nor a changed message does.
fn check_signature(vector: &Value) {
    let jwk = jwk(vector);
    let input = text(vector, "signing_input").as_bytes();
    let signature = base64url::decode(text(vector, "signature")).unwrap();
    jwk.verify(input, &signature).unwrap();
    for at in [0, signature.len() / 2, signature.len() - 1] {
        let mut changed = signature.clone();
        changed[at] ^= 1;
        jwk.verify(input, &changed).unwrap_err();
    }
    jwk.verify(&input[1..], &signature).unwrap_err();
    jwk.verify(input, &signature[1..]).unwrap_err();
    jwk.verify(input, &[]).unwrap_err();
}

macro_rules! vector {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("vectors/", $name))).unwrap()
    };
}

#[test]
fn rfc7515_a1_hs256() {
    let vector = vector!("hs256-rfc7515-a1.json");
    let key = MacKey::from_text(text(&vector, "k")).unwrap();
    let input = text(&vector, "signing_input").as_bytes();
    let tag = base64url::decode(text(&vector, "signature")).unwrap();
    assert_eq!(key.tag(MacAlgorithm::Hs256, input), tag);
    key.verify(MacAlgorithm::Hs256, input, &tag).unwrap();
    key.verify(MacAlgorithm::Hs256, input, &tag[1..])
        .unwrap_err();
    key.verify(MacAlgorithm::Hs512, input, &tag).unwrap_err();
}

#[test]
fn rfc7515_a2_rs256() {
    let vector = vector!("rs256-rfc7515-a2.json");
    check_thumbprint(&vector);
    if cfg!(feature = "rsa") {
        check_signature(&vector);
    }
}

#[test]
fn rfc7515_a3_es256() {
    let vector = vector!("es256-rfc7515-a3.json");
    check_thumbprint(&vector);
    check_signature(&vector);
}

#[cfg(feature = "p521")]
#[test]
fn rfc7515_a4_es512() {
    check_signature(&vector!("es512-rfc7515-a4.json"));
}

#[test]
fn rfc8037_a_eddsa() {
    let vector = vector!("eddsa-rfc8037-a.json");
    check_thumbprint(&vector);
    if cfg!(feature = "ed25519") {
        check_signature(&vector);
    }
}

// J6: a key too small to sign with still has its thumbprint.
#[test]
fn rfc7638_and_txacme_thumbprints() {
    check_thumbprint(&vector!("thumbprint-rfc7638-3.1.json"));
    let small = vector!("thumbprint-txacme.json");
    check_thumbprint(&small);
    jwk(&small).check_strength().unwrap_err();
    jwk(&small).verify(b"", &[0; 64]).unwrap_err();
}
