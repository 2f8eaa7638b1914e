//! Which path is which operation.

use std::fmt;

pub(super) const DIRECTORY: &str = "/directory";
pub(super) const NEW_NONCE: &str = "/new-nonce";
pub(super) const NEW_ACCOUNT: &str = "/new-account";
pub(super) const NEW_ORDER: &str = "/new-order";
pub(super) const NEW_AUTHORIZATION: &str = "/new-authorization";
pub(super) const KEY_CHANGE: &str = "/key-change";
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
    /// Listing an account's orders ([section 7.1.2.1](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.2.1)).
    Orders,
    /// Changing an account's key ([section 7.3.5](https://www.rfc-editor.org/rfc/rfc8555#section-7.3.5)).
    KeyChange,
    /// An authorization ahead of an order ([section 7.4.1](https://www.rfc-editor.org/rfc/rfc8555#section-7.4.1)).
    NewAuthorization,
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
    /// Every operation.
    pub const ALL: &[Self] = &[
        Self::Directory,
        Self::NewNonce,
        Self::NewAccount,
        Self::Account,
        Self::Orders,
        Self::KeyChange,
        Self::NewAuthorization,
        Self::NewOrder,
        Self::Order,
        Self::Finalize,
        Self::Authorization,
        Self::Challenge,
        Self::Certificate,
        Self::RevokeCertificate,
        Self::RenewalInfo,
        Self::Unknown,
    ];

    /// The operation of this name, the one that [`as_str`](Self::as_str) gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.as_str() == name)
    }

    /// The names of all, for messages.
    #[must_use]
    pub fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|it| it.as_str()).collect();
        names.join(", ")
    }

    /// The name for people and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::NewNonce => "newNonce",
            Self::NewAccount => "newAccount",
            Self::Account => "account",
            Self::Orders => "orders",
            Self::KeyChange => "keyChange",
            Self::NewAuthorization => "newAuthz",
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
    /// The number of a page of orders, or of a certificate's chain: 0 is the first.
    pub(super) number: usize,
}

impl<'a> Route<'a> {
    pub(super) fn parse(path: &'a str, query: Option<&str>) -> Self {
        let operation = match path {
            DIRECTORY => Operation::Directory,
            NEW_NONCE => Operation::NewNonce,
            NEW_ACCOUNT => Operation::NewAccount,
            NEW_AUTHORIZATION => Operation::NewAuthorization,
            NEW_ORDER => Operation::NewOrder,
            KEY_CHANGE => Operation::KeyChange,
            REVOKE_CERTIFICATE => Operation::RevokeCertificate,
            _ => return Self::parse_resource(path, query),
        };
        let id = "";
        Self {
            operation,
            id,
            number: 0,
        }
    }

    fn parse_resource(path: &'a str, query: Option<&str>) -> Self {
        let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
        let parts = (
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
        );
        let (operation, id, number) = match parts {
            (Some("account"), Some(id), None, None) => (Operation::Account, id, None),
            (Some("account"), Some(id), Some("orders"), None) => {
                let page = query.and_then(|it| it.strip_prefix("page="));
                (Operation::Orders, id, page)
            }
            (Some("order"), Some(id), None, None) => (Operation::Order, id, None),
            (Some("order"), Some(id), Some("finalize"), None) => (Operation::Finalize, id, None),
            (Some("authorization"), Some(id), None, None) => (Operation::Authorization, id, None),
            (Some("challenge"), Some(id), None, None) => (Operation::Challenge, id, None),
            (Some("certificate"), Some(id), number, None) => (Operation::Certificate, id, number),
            (Some("renewal-info"), Some(id), None, None) => (Operation::RenewalInfo, id, None),
            _ => (Operation::Unknown, "", None),
        };
        match number.map_or(Ok(0), str::parse) {
            Ok(number) => Self {
                operation,
                id,
                number,
            },
            Err(_) => Self {
                operation: Operation::Unknown,
                id: "",
                number: 0,
            },
        }
    }
}

pub(super) fn account(id: &str) -> String {
    format!("/account/{id}")
}

/// A page of an account's orders.
pub(super) fn orders(account: &str, page: usize) -> String {
    match page {
        0 => format!("/account/{account}/orders"),
        page => format!("/account/{account}/orders?page={page}"),
    }
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

/// A certificate with its first chain, or with one of the others.
pub(super) fn certificate(id: &str, chain: usize) -> String {
    match chain {
        0 => format!("/certificate/{id}"),
        other => format!("/certificate/{id}/{other}"),
    }
}
