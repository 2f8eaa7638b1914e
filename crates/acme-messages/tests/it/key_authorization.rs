//! Tokens and what is made of them (rows J6, J7; RFC 8737, section 3).

use acme_messages::{KeyAuthorization, Token, jose::Jwk, tls_alpn};
use proptest::prelude::*;
use serde_json::Value;

fn authorization() -> KeyAuthorization {
    let jwk: Jwk = serde_json::from_str(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    )
    .unwrap();
    let token = Token::parse("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA").unwrap();
    KeyAuthorization::new(&token, &jwk.thumbprint())
}

#[test]
fn tokens() {
    let long = "a".repeat(Token::MAX_LENGTH);
    let check = |text: &str, good: bool| assert_eq!(Token::parse(text).is_ok(), good, "{text:?}");
    check("LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0", true);
    check("-_", true);
    check(&long, true);
    check(&format!("{long}a"), false);
    // RFC 8555, section 8.3: a token becomes part of a path and of an answer.
    for odd in [
        "", "..", "../x", "a/b", "a=", "a+b", "a%2e", "a b", "a\n", "ä", "a\0",
    ] {
        check(odd, false);
    }
}

// Rows J6, J7: no RFC gives a digest, so these were derived independently.
#[test]
fn vectors() {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("vectors/key-authorization.json")).unwrap();
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let jwk: Jwk = serde_json::from_value(vector["jwk"].clone()).unwrap();
        let token = Token::parse(vector["token"].as_str().unwrap()).unwrap();
        let it = KeyAuthorization::new(&token, &jwk.thumbprint());
        assert_eq!(it.as_str(), vector["key_authorization"]);
        assert_eq!(it.dns_txt_value(), vector["dns_01"]);
        let value = tls_alpn::acme_identifier_value(&it.digest());
        let hex: String = value.iter().map(|it| format!("{it:02x}")).collect();
        if let Some(expected) = vector["acme_identifier"].as_str() {
            assert_eq!(hex, expected);
        }
    }
    assert_eq!(tls_alpn::ACME_TLS_1, b"acme-tls/1");
}

#[test]
fn nothing_secret_is_shown() {
    let token = Token::parse("LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0").unwrap();
    assert!(!format!("{token:?}").contains("Loq"));
    assert!(!format!("{:?}", authorization()).contains("eva"));
}

proptest! {
    #[test]
    fn a_token_is_kept_as_it_is(text in "\\PC{0,8}|[A-Za-z0-9_-]{0,600}") {
        if let Ok(token) = Token::parse(&text) {
            prop_assert_eq!(token.as_str(), text);
        }
    }
}
