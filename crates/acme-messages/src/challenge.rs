//! Challenges ([RFC 8555, sections 7.1.5 and 8]).
//!
//! [RFC 8555, sections 7.1.5 and 8]: https://www.rfc-editor.org/rfc/rfc8555#section-8

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Problem, wire::wire_names};

/// A challenge as the CA shows it; types this version does not know parse too
/// ([RFC 8555, section 7.1.5](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.5)).
#[doc(alias = "ChallengeBody")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Challenge {
    /// What is to be done.
    #[serde(rename = "type")]
    pub kind: ChallengeType,
    /// Where to say that it is done.
    pub url: String,
    /// How far it is; where a CA does not say, it waits.
    #[serde(default = "pending", deserialize_with = "null_as_pending")]
    pub status: ChallengeStatus,
    /// The secret that the answer is made from; some types have none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::lenient::wrong_as_default"
    )]
    pub token: Option<String>,
    /// When it was met.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::lenient::wrong_as_default"
    )]
    pub validated: Option<Timestamp>,
    /// Why it failed, or why the latest of several tries did.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::problem::empty_as_none"
    )]
    pub error: Option<Problem>,
    /// The members that this version does not know, as they were received; extensions such as
    /// [`dns_persist`](crate::dns_persist) read theirs from here.
    #[serde(flatten)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

impl Challenge {
    /// A pending challenge.
    pub fn new(kind: ChallengeType, url: impl Into<String>, token: Option<String>) -> Self {
        Self {
            kind,
            url: url.into(),
            status: ChallengeStatus::Pending,
            token,
            validated: None,
            error: None,
            extra: serde_json::Map::new(),
        }
    }
}

/// The status of a challenge of which a CA says none.
const fn pending() -> ChallengeStatus {
    ChallengeStatus::Pending
}

fn null_as_pending<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ChallengeStatus, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(pending))
}

wire_names! {
    /// The type of a challenge ([RFC 8555, section 9.7.8](https://www.rfc-editor.org/rfc/rfc8555#section-9.7.8)).
    pub enum ChallengeType {
        /// A file at a known path over plain HTTP ([RFC 8555, section 8.3](https://www.rfc-editor.org/rfc/rfc8555#section-8.3)).
        Http01 = "http-01",
        /// A TXT record ([RFC 8555, section 8.4](https://www.rfc-editor.org/rfc/rfc8555#section-8.4)).
        Dns01 = "dns-01",
        /// A certificate shown in a TLS handshake ([RFC 8737](https://www.rfc-editor.org/rfc/rfc8737)).
        TlsAlpn01 = "tls-alpn-01",
        /// A TXT record under a label of the account's own; a draft: see [`dns_account`](crate::dns_account).
        DnsAccount01 = "dns-account-01",
        /// A TXT record that stays; a draft: see [`dns_persist`](crate::dns_persist).
        DnsPersist01 = "dns-persist-01",
        /// A device's attestation; a draft: see [`device_attest`](crate::device_attest).
        DeviceAttest01 = "device-attest-01",
    }
}

wire_names! {
    /// How far a challenge is ([RFC 8555, section 7.1.6](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.6)).
    pub enum ChallengeStatus {
        /// The CA waits for our word.
        Pending = "pending",
        /// The CA is looking, perhaps again.
        Processing = "processing",
        /// It is met.
        Valid = "valid",
        /// It failed.
        Invalid = "invalid",
    }
}
