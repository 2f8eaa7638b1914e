//! Tokens of challenges.

use acme_messages::Token;
use proptest::prelude::*;

/// A challenge's token of 1 to 128 characters
/// ([RFC 8555, section 8.3](https://www.rfc-editor.org/rfc/rfc8555#section-8.3)).
pub fn token() -> impl Strategy<Value = Token> {
    "[A-Za-z0-9_-]{1,128}".prop_map(parsed)
}

fn parsed(text: String) -> Token {
    Token::parse(&text).expect("the alphabet is that of base64url")
}
