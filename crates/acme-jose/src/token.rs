//! A challenge's token ([RFC 8555, section 8]).
//!
//! [RFC 8555, section 8]: https://www.rfc-editor.org/rfc/rfc8555#section-8

use std::fmt;

use crate::base64url;

/// A challenge's token, checked: it becomes part of a path and of an answer
/// ([RFC 8555, section 8.3](https://www.rfc-editor.org/rfc/rfc8555#section-8.3)).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(Box<str>);

impl Token {
    /// The longest token taken, in characters.
    pub const MAX_LENGTH: usize = 512;

    /// Checks a token's syntax ([RFC 8555, section 8.3]).
    ///
    /// # Errors
    /// - [`InvalidToken`] when it is empty, too long, or has a character outside base64url.
    ///
    /// [RFC 8555, section 8.3]: https://www.rfc-editor.org/rfc/rfc8555#section-8.3
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        if text.len() > Self::MAX_LENGTH || !base64url::is_alphabet(text) {
            return Err(InvalidToken);
        }
        Ok(Self(text.into()))
    }

    /// The token's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// A challenge's token is not usable
/// ([RFC 8555, section 8.3](https://www.rfc-editor.org/rfc/rfc8555#section-8.3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token: it is empty, too long, or has a character outside base64url")]
pub struct InvalidToken;
