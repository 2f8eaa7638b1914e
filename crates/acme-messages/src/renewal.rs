//! Renewal information ([RFC 9773]).
//!
//! [RFC 9773]: https://www.rfc-editor.org/rfc/rfc9773

use std::fmt;

use acme_jose::base64url;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A certificate's name in renewal information and in `replaces` ([RFC 9773, section 4.1]).
///
/// [RFC 9773, section 4.1]: https://www.rfc-editor.org/rfc/rfc9773#section-4.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateId(String);

impl CertificateId {
    /// Joins an authority key identifier and a serial number, both as their DER contents.
    #[must_use]
    pub fn new(authority_key_id: &[u8], serial: &[u8]) -> Self {
        Self(format!(
            "{}.{}",
            base64url::encode(authority_key_id),
            base64url::encode(serial)
        ))
    }

    /// The text on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// When the CA would have a certificate renewed ([RFC 9773, section 4.2]).
///
/// [RFC 9773, section 4.2]: https://www.rfc-editor.org/rfc/rfc9773#section-4.2
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RenewalInfo {
    /// The span to renew in.
    pub suggested_window: SuggestedWindow,
    /// Where a person can read why.
    #[serde(
        default,
        rename = "explanationURL",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::lenient::wrong_as_default"
    )]
    pub explanation_url: Option<String>,
}

impl RenewalInfo {
    /// The advice to renew in this window.
    #[must_use]
    pub const fn new(suggested_window: SuggestedWindow) -> Self {
        Self {
            suggested_window,
            explanation_url: None,
        }
    }
}

/// A span of time, both ends included ([RFC 9773, section 4.2](https://www.rfc-editor.org/rfc/rfc9773#section-4.2)).
///
/// A CA may send one whose end is not after its start; such a window is none: see
/// [`is_valid`](Self::is_valid).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuggestedWindow {
    /// The earliest moment.
    pub start: Timestamp,
    /// The latest moment.
    pub end: Timestamp,
}

impl SuggestedWindow {
    /// Whether the end comes after the start; one of which it does not is to be treated as if
    /// the CA had sent no renewal information ([RFC 9773, section 4.2](https://www.rfc-editor.org/rfc/rfc9773#section-4.2)).
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.end > self.start
    }
}
