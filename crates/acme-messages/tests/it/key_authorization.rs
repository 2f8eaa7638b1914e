//! Tokens and what is made of them (rows J6, J7; RFC 8737, section 3).

use acme_messages::{KeyAuthorization, Token, jose::Jwk, tls_alpn};
use proptest::prelude::*;

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

#[test]
fn vectors() {
    // The RFC 7515 A.3 key; no RFC gives a digest, so these were derived independently.
    let it = authorization();
    assert_eq!(
        it.as_str(),
        "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
    );
    // Row J7.
    assert_eq!(
        it.dns_txt_value(),
        "ZaJgFtIV4WA0t2MzN7kbSk0sfRd2GZjaxRqaSTAK6lI"
    );
    let value = tls_alpn::acme_identifier_value(&it.digest());
    let hex: String = value.iter().map(|it| format!("{it:02x}")).collect();
    assert_eq!(
        hex,
        "042065a26016d215e16034b7633337b91b4a4d2c7d17761998dac51a9a49300aea52"
    );
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
