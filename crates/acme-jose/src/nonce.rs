//! The anti-replay nonce ([RFC 8555, section 6.5]).
//!
//! [RFC 8555, section 6.5]: https://www.rfc-editor.org/rfc/rfc8555#section-6.5

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::base64url;

/// A nonce as the server wrote it; never decoded, never written anew
/// ([RFC 8555, section 6.5.1](https://www.rfc-editor.org/rfc/rfc8555#section-6.5.1)).
///
/// ```
/// use acme_jose::Nonce;
///
/// assert!("oFvnlFP1wIhRlYS2jTaXbA".parse::<Nonce>().is_ok());
/// assert!("a!_".parse::<Nonce>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nonce(String);

impl Nonce {
    /// The longest nonce taken, in characters: a header of a sane server is far below.
    pub const MAX_LENGTH: usize = 2048;

    /// The text as it was received.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Nonce {
    type Err = InvalidNonce;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Nonce {
    type Error = InvalidNonce;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() > Self::MAX_LENGTH || !base64url::is_alphabet(&text) {
            return Err(InvalidNonce);
        }
        Ok(Self(text))
    }
}

impl From<Nonce> for String {
    fn from(nonce: Nonce) -> Self {
        nonce.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A nonce was empty, too long, or held a character outside base64url
/// ([RFC 8555, section 6.5.1](https://www.rfc-editor.org/rfc/rfc8555#section-6.5.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a nonce: it is empty, too long, or has a character outside base64url")]
pub struct InvalidNonce;
