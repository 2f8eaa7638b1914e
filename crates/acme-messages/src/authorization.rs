//! Authorizations ([RFC 8555, sections 7.1.4 and 7.5]).
//!
//! [RFC 8555, sections 7.1.4 and 7.5]: https://www.rfc-editor.org/rfc/rfc8555#section-7.5

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Challenge, Identifier, lenient::null_as_default, wire::wire_names};

/// An authorization as the CA shows it: may this account have certificates for that name?
/// ([RFC 8555, section 7.1.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.4))
#[doc(alias = "AuthorizationResource")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Authorization {
    /// What it is for; never with a `*.`.
    pub identifier: Identifier,
    /// How far it is.
    pub status: AuthorizationStatus,
    /// When it ends.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::lenient::wrong_as_default"
    )]
    pub expires: Option<Timestamp>,
    /// The ways to prove it; any one suffices.
    #[serde(default, deserialize_with = "null_as_default")]
    pub challenges: Vec<Challenge>,
    /// Whether it is for the names one label below the identifier.
    #[serde(
        default,
        skip_serializing_if = "std::ops::Not::not",
        deserialize_with = "crate::lenient::wrong_as_default"
    )]
    pub wildcard: bool,
}

impl Authorization {
    /// A pending authorization.
    #[must_use]
    pub const fn new(identifier: Identifier, challenges: Vec<Challenge>) -> Self {
        Self {
            identifier,
            status: AuthorizationStatus::Pending,
            expires: None,
            challenges,
            wildcard: false,
        }
    }
}

/// The payload of `newAuthz`: an authorization ahead of any order
/// ([RFC 8555, section 7.4.1](https://www.rfc-editor.org/rfc/rfc8555#section-7.4.1)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewAuthorization {
    /// What it is to be for; not a wildcard.
    pub identifier: Identifier,
}

impl NewAuthorization {
    /// An authorization for this identifier.
    pub fn new(identifier: impl Into<Identifier>) -> Self {
        Self {
            identifier: identifier.into(),
        }
    }
}

/// The payload that changes an authorization: it can be given up, which leaves nothing else to
/// change ([RFC 8555, section 7.5.2](https://www.rfc-editor.org/rfc/rfc8555#section-7.5.2)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuthorizationUpdate {
    /// [`AuthorizationStatus::Deactivated`]; a CA refuses each other.
    pub status: AuthorizationStatus,
}

impl AuthorizationUpdate {
    /// Gives the authorization up.
    #[must_use]
    pub const fn deactivate() -> Self {
        Self {
            status: AuthorizationStatus::Deactivated,
        }
    }
}

wire_names! {
    /// How far an authorization is ([RFC 8555, section 7.1.6](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.6)).
    pub enum AuthorizationStatus {
        /// A challenge is to be met.
        Pending = "pending",
        /// A challenge was met.
        Valid = "valid",
        /// A challenge failed; only a new order helps.
        Invalid = "invalid",
        /// Its holder gave it up.
        Deactivated = "deactivated",
        /// Its time is over.
        Expired = "expired",
        /// The CA took it back.
        Revoked = "revoked",
    }
}
