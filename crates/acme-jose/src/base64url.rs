//! base64url without padding, decoded strictly ([RFC 4648, section 5]).
//!
//! [RFC 4648, section 5]: https://www.rfc-editor.org/rfc/rfc4648#section-5

use base64ct::{Base64UrlUnpadded, Encoding};

/// Encodes bytes as base64url without padding
/// ([RFC 4648, section 5](https://www.rfc-editor.org/rfc/rfc4648#section-5)).
///
/// ```
/// assert_eq!(acme_jose::base64url::encode(b"\xff\xfe"), "__4");
/// ```
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlUnpadded::encode_string(bytes.as_ref())
}

/// Decodes base64url without padding.
///
/// Padding, white space, foreign characters and bits left over in the last
/// character are refused, as [RFC 8555, section 6.1] asks of servers.
///
/// ```
/// use acme_jose::base64url;
///
/// assert_eq!(base64url::decode("__4").unwrap(), b"\xff\xfe");
/// assert!(base64url::decode("__4=").is_err());
/// ```
///
/// # Errors
/// - [`InvalidBase64Url`] when the text is not what [`encode`] would have written.
///
/// [RFC 8555, section 6.1]: https://www.rfc-editor.org/rfc/rfc8555#section-6.1
pub fn decode(text: &str) -> Result<Vec<u8>, InvalidBase64Url> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| InvalidBase64Url)
}

/// Whether each character belongs to the base64url alphabet, and there is one
/// ([RFC 8555, section 6.5.1](https://www.rfc-editor.org/rfc/rfc8555#section-6.5.1)).
///
/// This is the syntax of nonces and tokens, which are never decoded.
#[must_use]
pub fn is_alphabet(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// A text was not base64url without padding
/// ([RFC 4648, section 5](https://www.rfc-editor.org/rfc/rfc4648#section-5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base64url without padding")]
pub struct InvalidBase64Url;
