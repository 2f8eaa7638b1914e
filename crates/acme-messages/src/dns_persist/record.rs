//! The TXT record that an account holder leaves.

use acme_jose::{Thumbprint, base64url};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Version, offer::is_issuer};
use crate::DnsName;

/// The longest string of a TXT record, in octets ([RFC 1035, section 3.3]).
///
/// [RFC 1035, section 3.3]: https://www.rfc-editor.org/rfc/rfc1035#section-3.3
pub const MAX_STRING_LENGTH: usize = 255;

/// The account that a record is for, as each version of the draft writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Account<'a> {
    /// Version 01: the account's URL.
    Draft01 {
        /// The exact URL.
        url: &'a str,
    },
    /// Version 02: a hash, after the prefix that the directory gives.
    Draft02 {
        /// The directory's `accountHashPrefix`.
        prefix: &'a str,
        /// The hash, of [`account_hash`].
        hash: &'a str,
    },
}

impl Account<'_> {
    /// The version of the draft.
    #[must_use]
    pub const fn version(&self) -> Version {
        match self {
            Self::Draft01 { .. } => Version::Draft01,
            Self::Draft02 { .. } => Version::Draft02,
        }
    }

    fn uri(&self) -> String {
        match self {
            Self::Draft01 { url } => (*url).to_owned(),
            Self::Draft02 { prefix, hash } => format!("{prefix}sha-256/{hash}"),
        }
    }
}

/// The hash by which version 02 names an account: of one domain, or of any when `domain` is
/// `None`, which makes one record's text fit every domain of the account
/// ([draft-ietf-acme-dns-persist](https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/)).
///
/// For a wildcard it is that of the name below the `*`.
#[must_use]
pub fn account_hash(
    domain: Option<&DnsName>,
    thumbprint: &Thumbprint,
    account_url: &str,
) -> String {
    let domain = domain.map_or("*", DnsName::base);
    // A checked name has at most 253 characters.
    let length = u8::try_from(domain.len()).unwrap_or(u8::MAX);
    let mut digest = Sha256::new();
    digest.update([length]);
    digest.update(domain);
    digest.update(thumbprint.to_string());
    digest.update(account_url);
    base64url::encode(digest.finalize())
}

/// The name of the TXT record, without a final dot; for a wildcard that of the name below the `*`
/// ([draft-ietf-acme-dns-persist](https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/)).
#[must_use]
pub fn record_name(domain: &DnsName) -> String {
    format!("_validation-persist.{}", domain.base())
}

/// What a TXT record says: who may issue to whom, for what, and how long
/// ([draft-ietf-acme-dns-persist](https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    issuer: &'a str,
    account: Account<'a>,
    wildcard: bool,
    until: Option<Timestamp>,
}

impl<'a> Record<'a> {
    /// A record for the domain alone, without an end.
    #[must_use]
    pub const fn new(issuer: &'a str, account: Account<'a>) -> Self {
        Self {
            issuer,
            account,
            wildcard: false,
            until: None,
        }
    }

    /// Whether the record is for wildcards and subdomains too; not unless set.
    #[must_use]
    pub const fn wildcard(mut self, wildcard: bool) -> Self {
        self.wildcard = wildcard;
        self
    }

    /// The last second that the record is to count; forever unless set.
    #[must_use]
    pub const fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// The record's value: one text, which [`strings`] cuts into what a TXT record holds.
    ///
    /// # Errors
    /// - [`InvalidRecord::Issuer`] when the issuer is not a lower-case DNS name.
    /// - [`InvalidRecord::Account`] when the account's URL, or prefix and hash, hold what would
    ///   end the parameter: `;`, white space, control characters, or what is not ASCII; or
    ///   are empty.
    /// - [`InvalidRecord::Until`] when the end lies before 1970.
    pub fn to_text(&self) -> Result<String, InvalidRecord> {
        if !is_issuer(self.issuer) {
            return Err(InvalidRecord::Issuer);
        }
        let uri = self.account.uri();
        let fits = |byte: u8| byte.is_ascii_graphic() && byte != b';';
        if uri.is_empty() || !uri.bytes().all(fits) {
            return Err(InvalidRecord::Account);
        }
        let mut text = format!("{}; accounturi={uri}", self.issuer);
        if self.wildcard {
            text.push_str("; policy=wildcard");
        }
        if let Some(until) = self.until {
            let until = u64::try_from(until.as_second()).map_err(|_| InvalidRecord::Until)?;
            text.push_str(&format!("; persistUntil={until}"));
        }
        Ok(text)
    }
}

/// Cuts a value into the strings of a TXT record, each of at most [`MAX_STRING_LENGTH`] octets
/// and none empty; who reads the record joins them with nothing in between
/// ([RFC 1035, section 3.3.14](https://www.rfc-editor.org/rfc/rfc1035#section-3.3.14)).
pub fn strings(value: &str) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().chunks(MAX_STRING_LENGTH)
}

/// A TXT record cannot be written
/// ([draft-ietf-acme-dns-persist](https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRecord {
    /// The account's URL, prefix or hash holds what would end the parameter.
    #[error("the account's URI cannot stand in a record")]
    Account,
    /// The issuer is not a lower-case DNS name.
    #[error("the issuer is no lower-case DNS name")]
    Issuer,
    /// The end lies before 1970.
    #[error("the record's end lies before 1970")]
    Until,
}
