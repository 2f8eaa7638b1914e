//! The keys of accounts (RFC 8555, sections 6.2 and 11.1).

use acme_testing::messages::{
    ProblemType,
    jose::{KeyType, PrivateKey, base64url},
};
use http::Method;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    world::builder,
};

/// Asks for an account with this key, and a signature that is none.
async fn offer(client: &mut Client, alg: &str, jwk: Value) -> Answer {
    let url = client.directory.new_account.clone();
    let header = json!({ "alg": alg, "jwk": jwk, "url": url, "nonce": client.nonce().await });
    let protected = base64url::encode(header.to_string());
    let body = json!({ "protected": protected, "payload": "e30", "signature": "AAAA" });
    let body = body.to_string().into_bytes();
    client.send(Client::request(Method::POST, &url, body)).await
}

#[tokio::test]
async fn a_key_that_is_no_good_is_told() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    let own = serde_json::to_value(client.key.public_jwk()).unwrap();
    let with = |member: &str, value: Value| {
        let mut jwk = own.clone();
        jwk[member] = value;
        jwk
    };
    let modulus = |bytes: usize| base64url::encode(vec![0xff; bytes]);
    for jwk in [
        json!("text"),
        json!([]),
        json!({}),
        json!({ "kty": "oct", "k": "AAAA" }),
        json!({ "kty": "RSA", "n": modulus(128), "e": "AQAB" }),
        json!({ "kty": "RSA", "n": modulus(255), "e": "AQAB" }),
        json!({ "kty": "RSA", "n": modulus(2048), "e": "AQAB" }),
        json!({ "kty": "RSA", "n": modulus(256), "e": "AQ" }),
        json!({ "kty": "OKP", "crv": "X25519", "x": modulus(32) }),
        with("crv", json!("secp256k1")),
        with("x", json!("AAAA")),
        with("y", own["x"].clone()),
        with("d", json!(modulus(32))),
    ] {
        let answer = offer(&mut client, "ES256", jwk.clone()).await;
        let problem = answer.expect_problem(400, ProblemType::BadPublicKey);
        assert!(problem.detail.is_some(), "{jwk}");
    }
}

#[tokio::test]
async fn an_algorithm_belongs_to_its_key() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    let modulus = base64url::encode([0xff; 256]);
    let rsa = json!({ "kty": "RSA", "n": modulus, "e": "AQAB" });
    let answer = offer(&mut client, "ES256", rsa).await;
    let problem = answer.expect_problem(400, ProblemType::Malformed);
    assert!(problem.detail.as_ref().unwrap().contains("ES256"));
}

/// Each kind of key there is makes an account and places an order with it.
#[tokio::test]
async fn each_kind_of_key_serves_an_account() {
    let ca = builder().start().await.unwrap();
    let kinds = [
        Some(KeyType::EcdsaP256),
        cfg!(feature = "p384").then_some(KeyType::EcdsaP384),
        cfg!(feature = "ed25519").then_some(KeyType::Ed25519),
        cfg!(feature = "rsa").then_some(KeyType::Rsa2048),
    ];
    for kind in kinds.into_iter().flatten() {
        let mut client = Client::connect(&ca).await;
        client.key = PrivateKey::generate(kind).unwrap();
        let agreed = json!({ "termsOfServiceAgreed": true });
        client.kid = client.new_account(agreed).await.expect(201).location();
        let (url, _) = client.order(&["example.com"]).await;
        client.fetch(&url).await.expect(200);
    }
}

#[cfg(feature = "p384")]
#[tokio::test]
async fn a_p384_key_does_not_sign_es256() {
    use acme_testing::messages::jose::{FlattenedJws, Signer, SigningAlgorithm};

    let ca = builder().start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    client.key = PrivateKey::generate(KeyType::EcdsaP384).unwrap();
    let url = client.directory.new_account.clone();
    let mut header = client.jwk_header(&url).await;
    assert_eq!(header.alg, client.key.algorithm());
    header.alg = SigningAlgorithm::Es256;
    let body = FlattenedJws::sign(&client.key, header, b"{}").unwrap();
    let request = Client::request(Method::POST, &url, body.to_json());
    let answer = client.send(request).await;
    answer.expect_problem(400, ProblemType::Malformed);
}

/// What this build cannot verify it says it does not support.
#[tokio::test]
async fn the_algorithms_on_offer_are_told() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    let own = serde_json::to_value(client.key.public_jwk()).unwrap();
    let answer = offer(&mut client, "ES256K", own).await;
    let problem = answer.expect_problem(400, ProblemType::BadSignatureAlgorithm);
    let has = |name: &str| problem.algorithms.iter().any(|it| it == name);
    assert!(has("ES256"));
    assert_eq!(has("ES384"), cfg!(feature = "p384"));
    assert_eq!(has("ES512"), cfg!(feature = "p521"));
    assert_eq!(has("EdDSA"), cfg!(feature = "ed25519"));
    assert_eq!(has("RS256"), cfg!(feature = "rsa"));
}

#[cfg(feature = "p521")]
#[tokio::test]
async fn a_p521_key_serves_an_account() {
    use acme_testing::messages::jose::{Jwk, ProtectedHeader, UnsignedJws};
    use p521::{
        ecdsa::{Signature, SigningKey, signature::Signer},
        elliptic_curve::Generate,
        pkcs8::EncodePublicKey,
    };

    let ca = builder().start().await.unwrap();
    let mut client = Client::connect(&ca).await;
    let key = SigningKey::generate();
    let spki = key.verifying_key().to_public_key_der().unwrap();
    let jwk = Jwk::from_spki_der(spki.as_bytes()).unwrap();
    let url = client.directory.new_account.clone();
    let header = ProtectedHeader::with_jwk(jwk, &url).nonce(client.nonce().await);
    assert_eq!(header.alg.to_string(), "ES512");
    let unsigned = UnsignedJws::new(header.clone(), br#"{"termsOfServiceAgreed":true}"#);
    let signature: Signature = key.sign(unsigned.signing_input());
    let body = unsigned.assemble(&signature.to_bytes()).to_json();
    let answer = client.send(Client::request(Method::POST, &url, body)).await;
    answer.expect(201);
}
