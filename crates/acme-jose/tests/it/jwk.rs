//! Public keys: strict reading, canonical writing, thumbprints.

use acme_jose::{Jwk, KeyType, PrivateKey, Signer};
use serde_json::{Value, json};

fn vector() -> Value {
    serde_json::from_str(include_str!("vectors/es256-rfc7515-a3.json")).unwrap()
}

#[test]
fn writes_the_required_members_in_order() {
    let jwk: Jwk = serde_json::from_value(vector()["jwk"].clone()).unwrap();
    assert_eq!(
        serde_json::to_string(&jwk).unwrap(),
        r#"{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#
    );
}

#[test]
fn refuses_what_is_no_public_key() {
    let check = |change: fn(&mut Value), message: &str| {
        let mut jwk = vector()["jwk"].clone();
        change(&mut jwk);
        let error = serde_json::from_value::<Jwk>(jwk).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    };
    check(|it| it["d"] = json!("AAAA"), "private member");
    check(|it| it["d"] = json!(null), "private member");
    check(|it| it["crv"] = json!("secp256k1"), "not supported");
    check(|it| it["kty"] = json!("oct"), "not supported");
    check(|it| it["kty"] = json!("RSA"), "missing");
    check(|it| it["x"] = it["y"].clone(), "not a point of the curve");
    check(|it| it["x"] = json!("AAAA"), "width");
    check(
        |it| it["x"] = json!(format!("{}=", it["x"].as_str().unwrap())),
        "width",
    );
    check(
        |it| drop(it.as_object_mut().unwrap().remove("y")),
        "missing",
    );
}

#[test]
fn passes_over_members_it_does_not_know() {
    let mut jwk = vector()["jwk"].clone();
    jwk["use"] = json!("sig");
    jwk["kid"] = json!("1");
    assert!(serde_json::from_value::<Jwk>(jwk).is_ok());
}

#[test]
fn spki_round_trips() {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let der = key.public_jwk().to_spki_der().unwrap();
    assert_eq!(&Jwk::from_spki_der(&der).unwrap(), key.public_jwk());
}

// Row J2: each kind of key reads, writes and verifies by its own algorithm.
#[test]
fn each_kind_round_trips_and_verifies() {
    for key_type in KeyType::ALL {
        let key = match PrivateKey::generate(*key_type) {
            Ok(key) => key,
            Err(error) => {
                assert_eq!(error, acme_jose::KeyError::Unsupported);
                assert_ne!(acme_jose::SigningAlgorithm::ALL.len(), 7);
                continue;
            }
        };
        let public = key.public_jwk();
        let json = serde_json::to_string(public).unwrap();
        assert_eq!(&serde_json::from_str::<Jwk>(&json).unwrap(), public);
        let spki = public.to_spki_der().unwrap();
        assert_eq!(&Jwk::from_spki_der(&spki).unwrap(), public);
        let signature = key.sign(b"message").unwrap();
        public.verify(b"message", &signature).unwrap();
        public.verify(b"another", &signature).unwrap_err();
        let others = acme_jose::SigningAlgorithm::ALL.iter();
        for other in others.filter(|it| **it != Signer::algorithm(&key)) {
            public
                .verify_with(*other, b"message", &signature)
                .unwrap_err();
        }
    }
}

#[test]
fn rsa_members_are_read_strictly() {
    let good = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp";
    let check = |n: &str, e: &str, valid| {
        let jwk = json!({"kty": "RSA", "n": n, "e": e});
        let result = serde_json::from_value::<Jwk>(jwk);
        assert_eq!(result.is_ok(), valid, "{n} {e}: {result:?}");
    };
    check(good, "AQAB", true);
    check(good, "Aw", true);
    check(&format!("AAAA{good}"), "AQAB", false);
    check(good, "AAEAAQ", false);
    check(good, "AQ", false);
    check(good, "Ag", false);
    check(good, "", false);
    check("", "AQAB", false);
    check(&good.replace('Q', "="), "AQAB", false);
    check(&"_".repeat(4 * 400), "AQAB", false);
}

proptest::proptest! {
    #[test]
    fn nothing_from_outside_panics(text in "\\PC*", der: Vec<u8>) {
        let _ = serde_json::from_str::<Jwk>(&text);
        let _ = Jwk::from_spki_der(&der);
    }
}
