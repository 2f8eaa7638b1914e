//! Key authorizations: how a challenge's answer is made ([RFC 8555, section 8.1]).
//!
//! [RFC 8555, section 8.1]: https://www.rfc-editor.org/rfc/rfc8555#section-8.1

use std::fmt;

use acme_jose::{Thumbprint, Token, base64url};
use sha2::{Digest, Sha256};

/// The proof that an account's holder answers a challenge: token, dot, thumbprint
/// ([RFC 8555, section 8.1](https://www.rfc-editor.org/rfc/rfc8555#section-8.1)).
///
/// ```
/// use acme_messages::{KeyAuthorization, Token};
///
/// let jwk: acme_jose::Jwk = serde_json::from_str(
///     r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
///         "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
/// )?;
/// let token = Token::parse("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA")?;
/// let authorization = KeyAuthorization::new(&token, &jwk.thumbprint());
/// assert_eq!(
///     authorization.dns_txt_value(),
///     "ZaJgFtIV4WA0t2MzN7kbSk0sfRd2GZjaxRqaSTAK6lI",
/// );
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct KeyAuthorization(Box<str>);

impl KeyAuthorization {
    /// Joins a token and the thumbprint of an account's key.
    #[must_use]
    pub fn new(token: &Token, thumbprint: &Thumbprint) -> Self {
        Self(format!("{}.{thumbprint}", token.as_str()).into())
    }

    /// The text: the body of an http-01 answer ([RFC 8555, section 8.3](https://www.rfc-editor.org/rfc/rfc8555#section-8.3)).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The SHA-256 digest: what a tls-alpn-01 certificate carries ([RFC 8737, section 3](https://www.rfc-editor.org/rfc/rfc8737#section-3)).
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The value of a dns-01 TXT record: the digest as base64url ([RFC 8555, section 8.4](https://www.rfc-editor.org/rfc/rfc8555#section-8.4)).
    #[must_use]
    pub fn dns_txt_value(&self) -> String {
        base64url::encode(self.digest())
    }
}

impl fmt::Debug for KeyAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyAuthorization(..)")
    }
}
