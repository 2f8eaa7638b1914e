//! What may be ordered, and what is to be proved for it.

use std::{collections::BTreeSet, time::Duration};

use acme_messages::ChallengeType;

use crate::ca::limits;

/// What may be ordered, and what is to be proved for it ([RFC 8555, section 7.4]).
///
/// [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OrderConfig {
    /// The challenges on offer, where the identifier allows them; by default
    /// http-01, tls-alpn-01 and dns-01.
    pub challenges: Vec<ChallengeType>,
    /// Whether a new order gets the account's valid authorizations; no by default.
    pub reuse_valid: bool,
    /// Whether a new order gets the account's pending authorizations, as at
    /// Boulder; no by default.
    pub reuse_pending: bool,
    /// Whether a second order of one account for the same identifiers is answered
    /// with the first while that is pending or ready, as at Boulder; no by default.
    pub reuse_orders: bool,
    /// Whether authorizations can be had ahead of an order ([RFC 8555, section
    /// 7.4.1]); yes by default. Let's Encrypt has none.
    ///
    /// [RFC 8555, section 7.4.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4.1
    pub pre_authorization: bool,
    /// The names, with all below them, that nothing is issued for; none by default.
    pub blocked: BTreeSet<String>,
    /// The most identifiers of an order whose profile says nothing of it; 100 by default.
    pub max_identifiers: usize,
    /// How long an order may stay unfinished; 7 days by default.
    pub lifetime: Duration,
    /// How long an authorization may stay pending; 7 days by default.
    pub pending_authorization_lifetime: Duration,
    /// How long a valid authorization counts; 30 days by default.
    pub valid_authorization_lifetime: Duration,
}

impl Default for OrderConfig {
    fn default() -> Self {
        Self {
            challenges: vec![
                ChallengeType::Http01,
                ChallengeType::TlsAlpn01,
                ChallengeType::Dns01,
            ],
            reuse_valid: false,
            reuse_pending: false,
            reuse_orders: false,
            pre_authorization: true,
            blocked: BTreeSet::new(),
            max_identifiers: limits::MAX_IDENTIFIERS,
            lifetime: limits::ORDER_LIFETIME,
            pending_authorization_lifetime: limits::PENDING_AUTHORIZATION_LIFETIME,
            valid_authorization_lifetime: limits::VALID_AUTHORIZATION_LIFETIME,
        }
    }
}
