//! External account binding and key change, both sides.

use acme_jose::{
    BindingError, ExternalAccountBinding, FlattenedJws, KeyChangeError, KeyType, MacAlgorithm,
    MacKey, PrivateKey, ProtectedHeader, Signer, base64url, key_change,
};
use serde_json::{Value, json};

const URL: &str = "https://ca.example/new-account";
const ACCOUNT: &str = "https://ca.example/acct/1";

fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::EcdsaP256).unwrap()
}

fn mac_key(text: &str) -> MacKey {
    MacKey::from_text(text).unwrap()
}

#[test]
fn a_mac_key_reads_in_each_spelling() {
    // Bytes whose base64 holds the characters in which the alphabets differ.
    for text in ["-__-", "+//+", " -__- ", "Zg", "Zg==", "Zg\n"] {
        assert!(MacKey::from_text(text).is_ok(), "{text:?}");
    }
    for text in ["", " ", "a", "-/+_", "not base64!", &"A".repeat(2000)] {
        assert!(MacKey::from_text(text).is_err(), "{text:?}");
    }
    assert_eq!(format!("{:?}", mac_key("c2VjcmV0")), "MacKey(..)");
}

#[test]
fn a_binding_holds_for_its_key_url_and_account() {
    let (account, secret) = (key(), mac_key("c2VjcmV0"));
    for algorithm in MacAlgorithm::ALL {
        let public = account.public_jwk();
        let binding = ExternalAccountBinding::new(*algorithm, "kid-1", &secret, URL, public);
        let wire = serde_json::to_string(&binding).unwrap();
        let received: ExternalAccountBinding = serde_json::from_str(&wire).unwrap();
        assert_eq!(received.key_id(), "kid-1");
        assert_eq!(received.algorithm(), *algorithm);
        received.check(&secret, URL, public).unwrap();
        let check = |key: &MacKey, url, account: &PrivateKey| {
            received.check(key, url, account.public_jwk()).unwrap_err()
        };
        assert_eq!(
            check(&mac_key("b3RoZXI"), URL, &account),
            BindingError::BadMac
        );
        assert_eq!(check(&secret, ACCOUNT, &account), BindingError::WrongUrl);
        assert_eq!(check(&secret, URL, &key()), BindingError::WrongKey);
    }
}

#[test]
fn a_binding_header_is_read_strictly() {
    let jwk = serde_json::to_value(key().public_jwk()).unwrap();
    let parse = |header: Value, payload: &Value| {
        let wire = json!({
            "protected": base64url::encode(header.to_string()),
            "payload": base64url::encode(payload.to_string()),
            "signature": "AAAA",
        });
        serde_json::from_value::<ExternalAccountBinding>(wire).map(drop)
    };
    let header = json!({"alg": "HS256", "kid": "1", "url": URL});
    assert!(parse(header.clone(), &jwk).is_ok());
    assert!(parse(header.clone(), &json!({"kty": "EC"})).is_err());
    for (member, value) in [
        ("alg", json!("ES256")),
        ("alg", json!("none")),
        ("kid", Value::Null),
        ("url", Value::Null),
        ("nonce", json!("abc")),
        ("nonce", Value::Null),
        ("jwk", jwk.clone()),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
    ] {
        let mut header = header.clone();
        header[member] = value;
        assert!(parse(header.clone(), &jwk).is_err(), "{header}");
    }
}

// RFC 8555, section 7.3.4: the flattened form, as everywhere else.
#[test]
fn a_binding_has_the_flattened_form() {
    let secret = mac_key("AAAA");
    let binding =
        ExternalAccountBinding::new(MacAlgorithm::Hs256, "1", &secret, URL, key().public_jwk());
    let read = |json: Value| serde_json::from_value::<ExternalAccountBinding>(json).map(drop);
    let sound = serde_json::to_value(&binding).unwrap();
    assert!(read(sound.clone()).is_ok());
    for (member, value) in [
        ("header", json!({})),
        ("header", Value::Null),
        ("signatures", json!([])),
    ] {
        let mut json = sound.clone();
        json[member] = value;
        assert!(read(json.clone()).is_err(), "{json}");
    }
    let members = ["protected", "payload", "signature"].map(|it| sound[it].clone());
    assert!(read(json!(members)).is_err());
}

#[test]
fn a_key_change_holds_for_its_account_keys_and_url() {
    let (old, new) = (key(), key());
    let unsigned = key_change::unsigned(URL, ACCOUNT, old.public_jwk(), new.public_jwk());
    let signature = new.sign(unsigned.signing_input()).unwrap();
    let inner = unsigned.clone().assemble(&signature).to_json();
    let verify =
        |url, account, old: &PrivateKey| key_change::verify(&inner, url, account, old.public_jwk());
    assert_eq!(&verify(URL, ACCOUNT, &old).unwrap(), new.public_jwk());
    assert_eq!(
        verify(ACCOUNT, ACCOUNT, &old),
        Err(KeyChangeError::WrongUrl)
    );
    assert_eq!(verify(URL, URL, &old), Err(KeyChangeError::WrongAccount));
    assert_eq!(verify(URL, ACCOUNT, &new), Err(KeyChangeError::WrongOldKey));

    // Signed by the old key instead of the new one.
    let signature = old.sign(unsigned.signing_input()).unwrap();
    let forged = unsigned.assemble(&signature).to_json();
    let verify = |inner: &[u8]| key_change::verify(inner, URL, ACCOUNT, old.public_jwk());
    assert_eq!(verify(&forged), Err(KeyChangeError::BadSignature));

    let sign = |header: &ProtectedHeader| {
        FlattenedJws::sign(&new, header.clone(), b"{}")
            .unwrap()
            .to_json()
    };
    let header = ProtectedHeader::with_jwk(new.public_jwk().clone(), URL);
    assert_eq!(verify(&sign(&header)), Err(KeyChangeError::BadPayload));
    let with_nonce = header.nonce("abc".parse().unwrap());
    assert_eq!(verify(&sign(&with_nonce)), Err(KeyChangeError::BadHeader));
    let with_kid = ProtectedHeader::with_kid(new.algorithm(), ACCOUNT, URL);
    assert_eq!(verify(&sign(&with_kid)), Err(KeyChangeError::BadHeader));
    assert!(matches!(verify(b"{}"), Err(KeyChangeError::Jws(_))));
}
