//! Public keys: strict reading, canonical writing, thumbprints.

use acme_jose::{Jwk, KeyType, PrivateKey, Signer, base64url};
use serde_json::{Value, json};

fn vector() -> Value {
    serde_json::from_str(include_str!("vectors/rfc7515-a3.json")).unwrap()
}

#[test]
fn rfc7515_a3_verifies_and_has_its_thumbprint() {
    let vector = vector();
    let jwk: Jwk = serde_json::from_value(vector["jwk"].clone()).unwrap();
    assert_eq!(jwk.thumbprint().to_string(), vector["thumbprint"]);

    let input = vector["signing_input"].as_str().unwrap().as_bytes();
    let mut signature = base64url::decode(vector["signature"].as_str().unwrap()).unwrap();
    jwk.verify(input, &signature).unwrap();
    signature[10] ^= 1;
    jwk.verify(input, &signature).unwrap_err();
    jwk.verify(input, &signature[1..]).unwrap_err();
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
    check(|it| it["crv"] = json!("P-521"), "not supported");
    check(|it| it["kty"] = json!("RSA"), "not supported");
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
    let key = PrivateKey::generate(KeyType::EcdsaP256);
    let der = key.public_jwk().to_spki_der().unwrap();
    assert_eq!(&Jwk::from_spki_der(&der).unwrap(), key.public_jwk());
}
