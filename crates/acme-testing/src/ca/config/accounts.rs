//! Who may have an account.

use std::collections::BTreeMap;

use acme_messages::jose::MacKey;

use crate::ca::limits;

/// Who may have an account, and what is asked of them ([RFC 8555, section 7.3]).
///
/// [RFC 8555, section 7.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountConfig {
    /// The terms of service that new accounts must agree to; `None` asks nobody
    /// to agree. There are some by default.
    pub terms_of_service: Option<String>,
    /// Whether accounts that agreed to other terms than these are refused until
    /// they ask for their account again and agree ([RFC 8555, section 7.3.3]);
    /// no by default.
    ///
    /// [RFC 8555, section 7.3.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.3
    pub enforce_changed_terms: bool,
    /// The most contacts of an account; 10 by default, as at Boulder.
    pub max_contacts: usize,
    /// Whether a new account must be bound to an account elsewhere
    /// ([RFC 8555, section 7.3.4]); no by default.
    ///
    /// [RFC 8555, section 7.3.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4
    pub external_account_required: bool,
    /// The keys of those accounts elsewhere, by their identifier.
    pub external_accounts: BTreeMap<String, MacKey>,
    /// Whether an external account serves one new account only, as at Google; no by default.
    pub external_accounts_once: bool,
    /// Whether an account's key can be changed; yes by default. Some CAs cannot.
    pub key_change: bool,
    /// Whether an account tells where its orders are; yes by default. Let's Encrypt's do not.
    pub orders_list: bool,
    /// How many orders a page of that list has; 100 by default, 3 at Pebble.
    pub orders_per_page: usize,
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self {
            terms_of_service: Some("https://ca.example/terms".to_owned()),
            enforce_changed_terms: false,
            max_contacts: limits::MAX_CONTACTS,
            external_account_required: false,
            external_accounts: BTreeMap::new(),
            external_accounts_once: false,
            key_change: true,
            orders_list: true,
            orders_per_page: limits::ORDERS_PER_PAGE,
        }
    }
}
