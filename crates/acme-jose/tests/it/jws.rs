//! Row J3: flattened JWS, built and read as RFC 8555, section 6.2 says.

use acme_jose::{
    FlattenedJws, JwsError, KeyType, Nonce, PrivateKey, ProtectedHeader, Signer, base64url,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::EcdsaP256).unwrap()
}

fn nonce() -> Nonce {
    "oFvnlFP1wIhRlYS2jTaXbA".parse().unwrap()
}

/// A signed body with one member of its outer object or its header changed.
fn body(header: Value, outer: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut jws = json!({
        "protected": base64url::encode(header.to_string()),
        "payload": "",
        "signature": base64url::encode([0; 64]),
    });
    outer(&mut jws);
    jws.to_string().into_bytes()
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "https://ca.example/acct/1", "nonce": "abc", "url": "https://ca.example/x"})
}

#[test]
fn what_is_signed_verifies_and_comes_back() {
    let key = key();
    let header = ProtectedHeader::with_kid(
        key.algorithm(),
        "https://ca.example/acct/1",
        "https://ca.example/new-order",
    )
    .nonce(nonce());
    let jws = FlattenedJws::sign(&key, header.clone(), b"{}").unwrap();

    let received = FlattenedJws::from_json(&jws.to_json()).unwrap();
    assert_eq!(received.header(), &header);
    assert_eq!(received.payload(), b"{}");
    received.verify(key.public_jwk()).unwrap();
    received.verify(self::key().public_jwk()).unwrap_err();
}

#[test]
fn a_fetch_has_an_empty_payload() {
    let key = key();
    let header = ProtectedHeader::with_kid(key.algorithm(), "https://ca/1", "https://ca/2");
    let jws = FlattenedJws::sign(&key, header, b"").unwrap();
    let wire: Value = serde_json::from_slice(&jws.to_json()).unwrap();
    assert_eq!(wire["payload"], "");
    assert_eq!(wire.as_object().unwrap().len(), 3);
}

#[test]
fn the_header_has_only_what_it_needs() {
    let key = key();
    let header = ProtectedHeader::with_jwk(key.public_jwk().clone(), "https://ca/2");
    let jws = FlattenedJws::sign(&key, header, b"").unwrap();
    let wire: Value = serde_json::from_slice(&jws.to_json()).unwrap();
    let protected = base64url::decode(wire["protected"].as_str().unwrap()).unwrap();
    let protected: Value = serde_json::from_slice(&protected).unwrap();
    let names: Vec<_> = protected.as_object().unwrap().keys().collect();
    assert_eq!(names, ["alg", "jwk", "url"]);
    // Row J1: the server sees the public half of the key that signs.
    let sent: acme_jose::Jwk = serde_json::from_value(protected["jwk"].clone()).unwrap();
    assert_eq!(&sent, key.public_jwk());
}

#[test]
fn refuses_what_acme_forbids() {
    let check = |body: Vec<u8>, expected: JwsError| {
        assert_eq!(FlattenedJws::from_json(&body).unwrap_err(), expected);
    };
    let with = |name: &str, value: Value| {
        let mut header = header();
        header[name] = value;
        body(header, |_| {})
    };
    assert!(FlattenedJws::from_json(&body(header(), |_| {})).is_ok());
    check(with("b64", json!(false)), JwsError::Extension);
    check(with("crit", json!(["b64"])), JwsError::Extension);
    // RFC 7515, section 4.1.11: null is no list of names; that the member is there decides.
    check(with("b64", json!(null)), JwsError::Extension);
    check(with("crit", json!(null)), JwsError::Extension);
    check(
        with("alg", json!("none")),
        JwsError::UnsupportedAlgorithm("none".into()),
    );
    check(
        with("alg", json!("HS256")),
        JwsError::UnsupportedAlgorithm("HS256".into()),
    );
    check(with("nonce", json!("a!_")), JwsError::BadNonce);
    check(with("jwk", json!({"kty": "EC"})), JwsError::BadPublicKey);
    check(with("url", json!(null)), JwsError::BadHeader);
    // RFC 8555, section 6.2: the two exclude each other, and a server refuses a header with both.
    let jwk = serde_json::to_value(key().public_jwk()).unwrap();
    check(with("jwk", jwk), JwsError::BothKeys);
    check(
        body(header(), |it| it["header"] = json!({})),
        JwsError::UnprotectedHeader,
    );
    check(
        body(header(), |it| it["header"] = json!(null)),
        JwsError::UnprotectedHeader,
    );
    check(
        body(header(), |it| it["signatures"] = json!(null)),
        JwsError::NotFlattenedJws,
    );
    check(
        body(header(), |it| it["signatures"] = json!([])),
        JwsError::NotFlattenedJws,
    );
    check(
        body(header(), |it| it["payload"] = json!("e30=")),
        JwsError::NotBase64Url,
    );
    check(
        body(header(), |it| {
            drop(it.as_object_mut().unwrap().remove("payload"))
        }),
        JwsError::NotFlattenedJws,
    );
    check(b"not json".to_vec(), JwsError::NotFlattenedJws);
}

#[test]
fn an_array_is_no_object() {
    let body = json!(["e30", "", ""]).to_string();
    let error = FlattenedJws::from_json(body.as_bytes()).unwrap_err();
    assert_eq!(error, JwsError::NotFlattenedJws);
    let within = |header: Value| {
        let protected = base64url::encode(header.to_string());
        let body = json!({ "protected": protected, "payload": "", "signature": "" });
        FlattenedJws::from_json(body.to_string().as_bytes()).unwrap_err()
    };
    let header = json!([
        "ES256",
        "AAAA",
        "https://ca.example/",
        null,
        "kid",
        false,
        false
    ]);
    assert_eq!(within(header), JwsError::BadHeader);
    let jwk = json!([
        "OKP",
        "Ed25519",
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    ]);
    let header = json!({ "alg": "ES256", "url": "https://ca.example/", "jwk": jwk });
    assert_eq!(within(header), JwsError::BadPublicKey);
}

#[test]
fn a_member_said_twice_is_refused() {
    // RFC 7515, section 4: two readers must not see two headers.
    let twice = r#"{"alg":"ES256","kid":"a","kid":"b","url":"u"}"#;
    let body = format!(
        r#"{{"protected":"{}","payload":"","signature":""}}"#,
        base64url::encode(twice)
    );
    let error = FlattenedJws::from_json(body.as_bytes()).unwrap_err();
    assert_eq!(error, JwsError::BadHeader);
    let body = r#"{"protected":"e30","protected":"e30","payload":"","signature":""}"#;
    let error = FlattenedJws::from_json(body.as_bytes()).unwrap_err();
    assert_eq!(error, JwsError::NotFlattenedJws);
}

proptest! {
    #[test]
    fn nothing_from_outside_panics(body: Vec<u8>, header in "\\PC*") {
        let _ = FlattenedJws::from_json(&body);
        let wrapped = json!({
            "protected": base64url::encode(header),
            "payload": "",
            "signature": "",
        });
        let _ = FlattenedJws::from_json(wrapped.to_string().as_bytes());
    }
}
