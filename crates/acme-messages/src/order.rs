//! Orders ([RFC 8555, sections 7.1.3 and 7.4]).
//!
//! [RFC 8555, sections 7.1.3 and 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Identifier, Problem, lenient::null_as_default, wire::wire_names};

/// The payload of `newOrder` ([RFC 8555, section 7.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.4)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewOrder {
    /// What the certificate is to be for.
    pub identifiers: Vec<Identifier>,
    /// When it should begin; several CAs refuse the member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// When it should end; several CAs refuse the member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// The profile, one of the directory's ([draft-ietf-acme-profiles]).
    ///
    /// [draft-ietf-acme-profiles]: https://datatracker.ietf.org/doc/draft-ietf-acme-profiles/
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The certificate this one is to replace ([RFC 9773, section 5]).
    ///
    /// [RFC 9773, section 5]: https://www.rfc-editor.org/rfc/rfc9773#section-5
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

impl NewOrder {
    /// An order for these identifiers.
    pub fn new(identifiers: impl IntoIterator<Item = impl Into<Identifier>>) -> Self {
        Self {
            identifiers: identifiers.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

/// An order as the CA shows it: the state of one attempt to get a certificate
/// ([RFC 8555, section 7.1.3](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.3)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Order {
    /// How far it is.
    pub status: OrderStatus,
    /// When it ends unused.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::lenient::wrong_as_default"
    )]
    pub expires: Option<Timestamp>,
    /// What the certificate is for; servers may reorder them at each look, and some say
    /// nothing of them once the order is over.
    #[serde(default, deserialize_with = "null_as_default")]
    pub identifiers: Vec<Identifier>,
    /// When the certificate is to begin.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::lenient::wrong_as_default"
    )]
    pub not_before: Option<Timestamp>,
    /// When the certificate is to end.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::lenient::wrong_as_default"
    )]
    pub not_after: Option<Timestamp>,
    /// The profile in force.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::lenient::text_or_none"
    )]
    pub profile: Option<String>,
    /// The certificate this one replaces.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::lenient::text_or_none"
    )]
    pub replaces: Option<String>,
    /// Why it failed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::problem::empty_as_none"
    )]
    pub error: Option<Problem>,
    /// Where its authorizations are.
    #[serde(default, deserialize_with = "null_as_default")]
    pub authorizations: Vec<String>,
    /// Where it is finalized; empty where a CA does not say so any more, once that is over.
    #[serde(default, deserialize_with = "null_as_default")]
    pub finalize: String,
    /// Where the certificate is, once there is one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::lenient::empty_as_none"
    )]
    pub certificate: Option<String>,
}

impl Order {
    /// A pending order.
    pub fn new(
        identifiers: Vec<Identifier>,
        authorizations: Vec<String>,
        finalize: impl Into<String>,
    ) -> Self {
        Self {
            status: OrderStatus::Pending,
            expires: None,
            identifiers,
            not_before: None,
            not_after: None,
            profile: None,
            replaces: None,
            error: None,
            authorizations,
            finalize: finalize.into(),
            certificate: None,
        }
    }
}

wire_names! {
    /// How far an order is ([RFC 8555, section 7.1.6](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.6)).
    pub enum OrderStatus {
        /// Authorizations are to be done.
        Pending = "pending",
        /// It can be finalized.
        Ready = "ready",
        /// The certificate is being made.
        Processing = "processing",
        /// The certificate can be fetched.
        Valid = "valid",
        /// It failed; only a new order helps.
        Invalid = "invalid",
    }
}

/// The payload of an order's `finalize` ([RFC 8555, section 7.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.4)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalizeRequest {
    /// The certificate signing request: DER, base64url.
    pub csr: String,
}
