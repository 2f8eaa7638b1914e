//! The directory: where a CA's resources are ([RFC 8555, section 7.1.1]).
//!
//! [RFC 8555, section 7.1.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.1

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::lenient::{text_or_none, wrong_as_default};

/// The URLs of a CA's resources, each the exact text received ([RFC 8555, section 7.1.1](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.1)).
///
/// Members it does not know are passed over: CAs add some just to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Directory {
    /// Where a fresh nonce is fetched.
    pub new_nonce: String,
    /// Where an account is made or found.
    pub new_account: String,
    /// Where an order is placed.
    pub new_order: String,
    /// Where an authorization is asked for ahead of an order; most CAs have none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_none"
    )]
    pub new_authz: Option<String>,
    /// Where a certificate is revoked.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_none"
    )]
    pub revoke_cert: Option<String>,
    /// Where an account's key is changed; some CAs have none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_none"
    )]
    pub key_change: Option<String>,
    /// Where renewal information lives ([RFC 9773]).
    ///
    /// [RFC 9773]: https://www.rfc-editor.org/rfc/rfc9773#section-4.1
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_none"
    )]
    pub renewal_info: Option<String>,
    /// What the CA says of itself.
    #[serde(
        default,
        skip_serializing_if = "DirectoryMeta::is_empty",
        deserialize_with = "wrong_as_default"
    )]
    pub meta: DirectoryMeta,
}

impl Directory {
    /// A directory of the three resources each CA must have.
    pub fn new(
        new_nonce: impl Into<String>,
        new_account: impl Into<String>,
        new_order: impl Into<String>,
    ) -> Self {
        Self {
            new_nonce: new_nonce.into(),
            new_account: new_account.into(),
            new_order: new_order.into(),
            new_authz: None,
            revoke_cert: None,
            key_change: None,
            renewal_info: None,
            meta: DirectoryMeta::default(),
        }
    }
}

/// What a CA says of itself in its directory ([RFC 8555, section 7.1.1](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.1)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct DirectoryMeta {
    /// The terms of service in force; may be a `data:` URI.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_none"
    )]
    pub terms_of_service: Option<String>,
    /// The CA's site.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text_or_none"
    )]
    pub website: Option<String>,
    /// The names that a CAA record may give for this CA.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wrong_as_default"
    )]
    pub caa_identities: Vec<String>,
    /// Whether a new account must name an account elsewhere at the CA.
    #[serde(
        skip_serializing_if = "std::ops::Not::not",
        deserialize_with = "wrong_as_default"
    )]
    pub external_account_required: bool,
    /// The certificate profiles on offer, each with its description, which may be empty
    /// ([draft-ietf-acme-profiles]).
    ///
    /// [draft-ietf-acme-profiles]: https://datatracker.ietf.org/doc/draft-ietf-acme-profiles/
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "profiles"
    )]
    pub profiles: BTreeMap<String, String>,
    /// The issuers that dns-persist-01 records may name; a draft: see
    /// [`dns_persist`](crate::dns_persist).
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wrong_as_default"
    )]
    pub issuer_domain_names: Vec<String>,
    /// What stands before an account's hash in dns-persist-01 records; a draft: see
    /// [`dns_persist`](crate::dns_persist).
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wrong_as_default"
    )]
    pub account_hash_prefix: Option<String>,
}

impl DirectoryMeta {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Keeps a profile whose description is no text: its name is what counts.
fn profiles<'de, D>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error>
where
    D: Deserializer<'de>,
{
    let profiles: BTreeMap<String, serde_json::Value> = wrong_as_default(deserializer)?;
    let description = |it: serde_json::Value| it.as_str().unwrap_or_default().to_owned();
    Ok(profiles
        .into_iter()
        .map(|(name, it)| (name, description(it)))
        .collect())
}
