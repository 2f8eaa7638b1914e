//! Which path is which operation.

use std::fmt;

pub(super) const DIRECTORY: &str = "/directory";
pub(super) const NEW_NONCE: &str = "/new-nonce";
pub(super) const NEW_ACCOUNT: &str = "/new-account";
pub(super) const NEW_ORDER: &str = "/new-order";
pub(super) const REVOKE_CERTIFICATE: &str = "/revoke-certificate";
pub(super) const RENEWAL_INFO: &str = "/renewal-info";

/// What a request is about, as ACME names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// The directory ([RFC 8555, section 7.1.1](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.1)).
    Directory,
    /// A fresh nonce ([section 7.2](https://www.rfc-editor.org/rfc/rfc8555#section-7.2)).
    NewNonce,
    /// Making or finding an account ([section 7.3](https://www.rfc-editor.org/rfc/rfc8555#section-7.3)).
    NewAccount,
    /// Reading, updating or closing an account ([section 7.3.2](https://www.rfc-editor.org/rfc/rfc8555#section-7.3.2)).
    Account,
    /// Placing an order ([section 7.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.4)).
    NewOrder,
    /// Looking at an order ([section 7.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.4)).
    Order,
    /// Sending an order's CSR ([section 7.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.4)).
    Finalize,
    /// Looking at an authorization, or giving it up ([section 7.5](https://www.rfc-editor.org/rfc/rfc8555#section-7.5)).
    Authorization,
    /// Responding to a challenge, or looking at it ([section 7.5.1](https://www.rfc-editor.org/rfc/rfc8555#section-7.5.1)).
    Challenge,
    /// Fetching a certificate ([section 7.4.2](https://www.rfc-editor.org/rfc/rfc8555#section-7.4.2)).
    Certificate,
    /// Revoking a certificate ([section 7.6](https://www.rfc-editor.org/rfc/rfc8555#section-7.6)).
    RevokeCertificate,
    /// Renewal information ([RFC 9773, section 4](https://www.rfc-editor.org/rfc/rfc9773#section-4)).
    RenewalInfo,
    /// A path that is none of this CA's.
    Unknown,
}

impl Operation {
    /// The name for people and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::NewNonce => "newNonce",
            Self::NewAccount => "newAccount",
            Self::Account => "account",
            Self::NewOrder => "newOrder",
            Self::Order => "order",
            Self::Finalize => "finalize",
            Self::Authorization => "authorization",
            Self::Challenge => "challenge",
            Self::Certificate => "certificate",
            Self::RevokeCertificate => "revokeCert",
            Self::RenewalInfo => "renewalInfo",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A path, taken apart: what it is about, and which one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route<'a> {
    pub(super) operation: Operation,
    pub(super) id: &'a str,
}

impl<'a> Route<'a> {
    pub(super) fn parse(path: &'a str) -> Self {
        let operation = match path {
            DIRECTORY => Operation::Directory,
            NEW_NONCE => Operation::NewNonce,
            NEW_ACCOUNT => Operation::NewAccount,
            NEW_ORDER => Operation::NewOrder,
            REVOKE_CERTIFICATE => Operation::RevokeCertificate,
            _ => return Self::parse_resource(path),
        };
        Self { operation, id: "" }
    }

    fn parse_resource(path: &'a str) -> Self {
        let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
        let parts = (
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
        );
        let (operation, id) = match parts {
            (Some("account"), Some(id), None, None) => (Operation::Account, id),
            (Some("order"), Some(id), None, None) => (Operation::Order, id),
            (Some("order"), Some(id), Some("finalize"), None) => (Operation::Finalize, id),
            (Some("authorization"), Some(id), None, None) => (Operation::Authorization, id),
            (Some("challenge"), Some(id), None, None) => (Operation::Challenge, id),
            (Some("certificate"), Some(id), None, None) => (Operation::Certificate, id),
            (Some("renewal-info"), Some(id), None, None) => (Operation::RenewalInfo, id),
            _ => (Operation::Unknown, ""),
        };
        Self { operation, id }
    }
}

pub(super) fn account(id: &str) -> String {
    format!("/account/{id}")
}

pub(super) fn order(id: &str) -> String {
    format!("/order/{id}")
}

pub(super) fn finalize(id: &str) -> String {
    format!("/order/{id}/finalize")
}

pub(super) fn authorization(id: &str) -> String {
    format!("/authorization/{id}")
}

pub(super) fn challenge(id: &str) -> String {
    format!("/challenge/{id}")
}

pub(super) fn certificate(id: &str) -> String {
    format!("/certificate/{id}")
}
