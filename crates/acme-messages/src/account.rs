//! Accounts ([RFC 8555, sections 7.1.2 and 7.3]).
//!
//! [RFC 8555, sections 7.1.2 and 7.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    lenient::{null_as_default, text_or_none, wrong_as_default},
    wire::wire_names,
};

/// The payload of `newAccount` ([RFC 8555, section 7.3](https://www.rfc-editor.org/rfc/rfc8555#section-7.3)).
#[doc(alias = "NewRegistration")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct NewAccount {
    /// Where the CA may reach the account's holder: `mailto:` URLs.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub contact: Vec<String>,
    /// Whether the terms of service are agreed to; never set on its own.
    #[serde(
        skip_serializing_if = "std::ops::Not::not",
        deserialize_with = "null_as_default"
    )]
    pub terms_of_service_agreed: bool,
    /// Whether to find an existing account only ([RFC 8555, section 7.3.1]).
    ///
    /// [RFC 8555, section 7.3.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.1
    #[serde(
        skip_serializing_if = "std::ops::Not::not",
        deserialize_with = "null_as_default"
    )]
    pub only_return_existing: bool,
    /// The signed binding to an account elsewhere at the CA ([RFC 8555, section 7.3.4]).
    ///
    /// [RFC 8555, section 7.3.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_account_binding: Option<serde_json::Value>,
}

/// The payload that changes an account ([RFC 8555, section 7.3.2](https://www.rfc-editor.org/rfc/rfc8555#section-7.3.2)).
///
/// ```
/// use acme_messages::AccountUpdate;
///
/// let update = AccountUpdate::contact(["mailto:admin@example.org"]);
/// let text = r#"{"contact":["mailto:admin@example.org"]}"#;
/// assert_eq!(serde_json::to_string(&update)?, text);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AccountUpdate {
    /// Where the CA may reach the account's holder from now on; an empty list is nowhere,
    /// an absent one changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Vec<String>>,
    /// [`AccountStatus::Deactivated`] to close the account; a CA passes over what else it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
}

impl AccountUpdate {
    /// Changes where the CA may reach the account's holder: `mailto:` URLs.
    pub fn contact(urls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            contact: Some(urls.into_iter().map(Into::into).collect()),
            ..Self::default()
        }
    }

    /// Closes the account, for good ([RFC 8555, section 7.3.6](https://www.rfc-editor.org/rfc/rfc8555#section-7.3.6)).
    #[must_use]
    pub const fn deactivate() -> Self {
        Self {
            contact: None,
            status: Some(AccountStatus::Deactivated),
        }
    }
}

/// An account as the CA shows it ([RFC 8555, section 7.1.2](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.2)).
#[doc(alias = "RegistrationResource")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Account {
    /// Whether the account may be used; where a CA does not say, it may.
    #[serde(default = "valid", deserialize_with = "null_as_valid")]
    pub status: AccountStatus,
    /// Where the CA may reach the holder; some CAs keep none.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wrong_as_default"
    )]
    pub contact: Vec<String>,
    /// Where the list of orders is; many CAs have none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_none"
    )]
    pub orders: Option<String>,
    /// Whether the terms of service were agreed to, where the CA says.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wrong_as_default"
    )]
    pub terms_of_service_agreed: Option<bool>,
    /// The binding that the account was made with ([RFC 8555, section 7.3.4]).
    ///
    /// [RFC 8555, section 7.3.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_account_binding: Option<serde_json::Value>,
}

impl Account {
    /// A valid account.
    #[must_use]
    pub const fn new(contact: Vec<String>) -> Self {
        Self {
            status: AccountStatus::Valid,
            contact,
            orders: None,
            terms_of_service_agreed: None,
            external_account_binding: None,
        }
    }
}

/// The status of an account of which a CA says nothing: one that may not be used is an error.
const fn valid() -> AccountStatus {
    AccountStatus::Valid
}

fn null_as_valid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AccountStatus, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(valid))
}

/// A page of an account's orders ([RFC 8555, section 7.1.2.1](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.2.1)).
///
/// Where there are more, a `Link` header with the relation `next` says where: see
/// [`link`](crate::link). A bare array is read too: it is what step-ca sends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ShownOrders")]
#[non_exhaustive]
pub struct OrdersList {
    /// The orders' URLs, each the exact text received.
    pub orders: Vec<String>,
}

/// The spellings of a list of orders.
#[derive(Deserialize)]
#[serde(untagged)]
enum ShownOrders {
    Object {
        #[serde(deserialize_with = "null_as_default")]
        orders: Vec<String>,
    },
    Array(Vec<String>),
}

impl From<ShownOrders> for OrdersList {
    fn from(shown: ShownOrders) -> Self {
        match shown {
            ShownOrders::Object { orders } | ShownOrders::Array(orders) => Self { orders },
        }
    }
}

impl OrdersList {
    /// A page of these orders.
    #[must_use]
    pub const fn new(orders: Vec<String>) -> Self {
        Self { orders }
    }
}

wire_names! {
    /// Whether an account may be used ([RFC 8555, section 7.1.6](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.6)).
    pub enum AccountStatus {
        /// It may be used.
        Valid = "valid",
        /// Its holder closed it.
        Deactivated = "deactivated",
        /// The CA closed it.
        Revoked = "revoked",
    }
}
