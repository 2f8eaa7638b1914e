//! What certificates look like, and when they are issued.

use std::{collections::BTreeMap, time::Duration};

use crate::ca::limits;

/// What certificates look like, and when they are issued ([RFC 8555, section 7.4]).
///
/// [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuanceConfig {
    /// The lifetime of a certificate whose profile says nothing of it; 90 days by
    /// default, seconds if need be.
    pub validity: Duration,
    /// How far ahead of now a certificate begins, as from a CA whose clock is
    /// fast; `None`, the default, begins it a while ago, as Let's Encrypt does.
    pub begins_ahead: Option<Duration>,
    /// The profiles on offer, by name ([draft-ietf-acme-profiles]); none by default.
    ///
    /// [draft-ietf-acme-profiles]: https://datatracker.ietf.org/doc/draft-ietf-acme-profiles/
    pub profiles: BTreeMap<String, Profile>,
    /// The profile of an order that names none.
    pub default_profile: DefaultProfile,
    /// How many answers, that of `finalize` being the first, call an order
    /// `processing` before it is `valid`; 0 by default.
    pub processing_polls: u32,
    /// Whether an order's `notBefore` and `notAfter` are followed; no by default:
    /// the order is refused, as at Let's Encrypt.
    pub dates: bool,
}

impl Default for IssuanceConfig {
    fn default() -> Self {
        Self {
            validity: limits::DEFAULT_VALIDITY,
            begins_ahead: None,
            profiles: BTreeMap::new(),
            default_profile: DefaultProfile::default(),
            processing_polls: 0,
            dates: false,
        }
    }
}

/// A certificate profile ([draft-ietf-acme-profiles]).
///
/// [draft-ietf-acme-profiles]: https://datatracker.ietf.org/doc/draft-ietf-acme-profiles/
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// What the directory says of it, for people.
    pub description: String,
    /// The lifetime of its certificates.
    pub validity: Duration,
    /// Whether it is for IP addresses too; yes by default.
    pub addresses: bool,
    /// The most identifiers of an order; 100 by default.
    pub max_identifiers: usize,
}

impl Profile {
    /// A profile of this lifetime.
    pub fn new(description: impl Into<String>, validity: Duration) -> Self {
        Self {
            description: description.into(),
            validity,
            addresses: true,
            max_identifiers: limits::MAX_IDENTIFIERS,
        }
    }
}

/// The profile of an order that names none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DefaultProfile {
    /// The profile of this name.
    Named(String),
    /// None: the CA's own settings hold.
    #[default]
    None,
    /// Any, drawn for each order, as at Pebble.
    Random,
    /// An order must name one.
    Required,
}
