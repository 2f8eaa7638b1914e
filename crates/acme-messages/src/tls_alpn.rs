//! The names and bytes of tls-alpn-01 ([RFC 8737]).
//!
//! [RFC 8737]: https://www.rfc-editor.org/rfc/rfc8737

use const_oid::ObjectIdentifier;

/// The one protocol of a validation connection ([RFC 8737, section 6.2]).
///
/// [RFC 8737, section 6.2]: https://www.rfc-editor.org/rfc/rfc8737#section-6.2
pub const ACME_TLS_1: &[u8] = b"acme-tls/1";

/// The identifier of the `acmeIdentifier` extension ([RFC 8737, section 6.1]).
///
/// [RFC 8737, section 6.1]: https://www.rfc-editor.org/rfc/rfc8737#section-6.1
pub const ACME_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.31");

/// The value of the `acmeIdentifier` extension: the digest as a DER octet string
/// ([RFC 8737, section 3](https://www.rfc-editor.org/rfc/rfc8737#section-3)).
#[must_use]
pub fn acme_identifier_value(digest: &[u8; 32]) -> [u8; 34] {
    let mut value = [0; 34];
    value[0] = 0x04;
    value[1] = 0x20;
    value[2..].copy_from_slice(digest);
    value
}
