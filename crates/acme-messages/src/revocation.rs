//! Revocation ([RFC 8555, section 7.6]).
//!
//! [RFC 8555, section 7.6]: https://www.rfc-editor.org/rfc/rfc8555#section-7.6

use std::fmt;

use acme_jose::{InvalidBase64Url, base64url};
use serde::{Deserialize, Serialize};

/// The payload of `revokeCert` ([RFC 8555, section 7.6](https://www.rfc-editor.org/rfc/rfc8555#section-7.6)).
///
/// ```
/// use acme_messages::{RevocationReason, RevocationRequest};
///
/// let request = RevocationRequest::new(b"DER", Some(RevocationReason::Superseded));
/// assert_eq!(serde_json::to_string(&request)?, r#"{"certificate":"REVS","reason":4}"#);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RevocationRequest {
    /// The certificate: DER, base64url.
    pub certificate: String,
    /// Why it is to be revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RevocationReason>,
}

impl RevocationRequest {
    /// A request to revoke a DER certificate.
    pub fn new(certificate: impl AsRef<[u8]>, reason: Option<RevocationReason>) -> Self {
        Self {
            certificate: base64url::encode(certificate),
            reason,
        }
    }

    /// The DER certificate, which is not looked into.
    ///
    /// # Errors
    /// - [`InvalidBase64Url`] when the text is not base64url.
    pub fn certificate_der(&self) -> Result<Vec<u8>, InvalidBase64Url> {
        base64url::decode(&self.certificate)
    }
}

/// Why a certificate is revoked ([RFC 5280, section 5.3.1](https://www.rfc-editor.org/rfc/rfc5280#section-5.3.1)).
///
/// CAs take some of these only: Let's Encrypt takes 0, 1, 4 and 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Received", into = "i64")]
#[non_exhaustive]
pub enum RevocationReason {
    /// 0: no reason is given.
    Unspecified,
    /// 1: someone else may have the certificate's key.
    KeyCompromise,
    /// 2: someone else may have the CA's key.
    CaCompromise,
    /// 3: the holder's name or affiliation changed.
    AffiliationChanged,
    /// 4: another certificate took its place.
    Superseded,
    /// 5: what it was for is no more.
    CessationOfOperation,
    /// 6: it is on hold, which can be undone.
    CertificateHold,
    /// 8: it is no longer on hold.
    RemoveFromCrl,
    /// 9: its holder may no longer have it.
    PrivilegeWithdrawn,
    /// 10: someone else may have the key of the attribute authority.
    AaCompromise,
    /// A number that stands for no reason, as it was received; it is only read, never made.
    #[non_exhaustive]
    Other {
        /// The number.
        code: i64,
    },
}

impl RevocationReason {
    /// Every reason there is, by its number.
    pub const ALL: &[Self] = &[
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::RemoveFromCrl,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::RemoveFromCrl => 8,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
            Self::Other { code } => code,
        }
    }

    /// The reason of this number.
    ///
    /// # Errors
    /// - [`UnknownReason`] when no reason has it; 7 is one of those.
    pub fn from_code(code: i64) -> Result<Self, UnknownReason> {
        let known = Self::ALL.iter().find(|it| it.code() == code);
        known.copied().ok_or(UnknownReason)
    }
}

/// A number as it was received: one that stands for no reason is kept.
#[derive(Deserialize)]
struct Received(i64);

impl From<Received> for RevocationReason {
    fn from(Received(code): Received) -> Self {
        Self::from_code(code).unwrap_or(Self::Other { code })
    }
}

impl TryFrom<i64> for RevocationReason {
    type Error = UnknownReason;

    fn try_from(code: i64) -> Result<Self, Self::Error> {
        Self::from_code(code)
    }
}

impl From<RevocationReason> for i64 {
    fn from(reason: RevocationReason) -> Self {
        reason.code()
    }
}

/// Writes the name that RFC 5280 has for it.
impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
            Self::Other { code } => return code.fmt(f),
        })
    }
}

/// A number stands for no reason to revoke a certificate
/// ([RFC 5280, section 5.3.1](https://www.rfc-editor.org/rfc/rfc5280#section-5.3.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number stands for no reason to revoke a certificate")]
pub struct UnknownReason;
