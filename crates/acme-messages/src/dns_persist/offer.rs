//! What a CA offers in a challenge.

use serde_json::Value;

use super::Version;
use crate::{Challenge, DirectoryMeta, DnsName};

/// The most issuers that a challenge may name.
pub const MAX_ISSUERS: usize = 10;

/// What a dns-persist-01 challenge says beyond other challenges
/// ([draft-ietf-acme-dns-persist](https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// Which version of the draft the challenge follows.
    pub version: Version,
    /// The issuers, any one of which the record may name.
    pub issuer_domain_names: Vec<String>,
    /// The account's URL as the CA has it; version 02 has none.
    pub account_uri: Option<String>,
}

impl Offer {
    /// Reads a challenge, and checks it as a client must before it makes a record.
    ///
    /// The version is told from the members: `issuerDomainNames` is version 02,
    /// `issuer-domain-names` version 01.
    ///
    /// # Errors
    /// - [`MalformedOffer::NoIssuers`] when the challenge has neither member, or names no issuer.
    /// - [`MalformedOffer::TooManyIssuers`] when it names over [`MAX_ISSUERS`].
    /// - [`MalformedOffer::BadIssuer`] when an issuer is not a lower-case DNS name.
    /// - [`MalformedOffer::NotInDirectory`], version 02 alone, when it names an issuer that the
    ///   directory's `issuerDomainNames` does not.
    /// - [`MalformedOffer::NotACaaIdentity`], version 02 alone, when the directory has
    ///   `caaIdentities`, and `issuerDomainNames` holds one that is not among them.
    pub fn from_challenge(
        challenge: &Challenge,
        meta: &DirectoryMeta,
    ) -> Result<Self, MalformedOffer> {
        let member = |name: &str| challenge.extra.get(name).filter(|it| !it.is_null());
        let (version, names) = match member("issuerDomainNames") {
            Some(names) => (Version::Draft02, Some(names)),
            None => (Version::Draft01, member("issuer-domain-names")),
        };
        let issuer_domain_names = issuers(names.ok_or(MalformedOffer::NoIssuers)?)?;
        if version == Version::Draft02 {
            check_directory(&issuer_domain_names, meta)?;
        }
        let account_uri = member("accounturi").and_then(Value::as_str);
        Ok(Self {
            version,
            issuer_domain_names,
            account_uri: account_uri.map(str::to_owned),
        })
    }
}

fn issuers(names: &Value) -> Result<Vec<String>, MalformedOffer> {
    let names = names.as_array().ok_or(MalformedOffer::BadIssuer)?;
    match names.len() {
        0 => return Err(MalformedOffer::NoIssuers),
        1..=MAX_ISSUERS => {}
        _ => return Err(MalformedOffer::TooManyIssuers),
    }
    let issuer = |it: &Value| it.as_str().filter(|it| is_issuer(it)).map(str::to_owned);
    let issuers: Option<Vec<String>> = names.iter().map(issuer).collect();
    issuers.ok_or(MalformedOffer::BadIssuer)
}

/// Whether a text is a DNS name in the one form that the drafts allow.
pub(super) fn is_issuer(text: &str) -> bool {
    text.parse::<DnsName>()
        .is_ok_and(|name| name.as_str() == text && !name.is_wildcard())
}

fn check_directory(issuers: &[String], meta: &DirectoryMeta) -> Result<(), MalformedOffer> {
    let directory = &meta.issuer_domain_names;
    if !issuers.iter().all(|it| directory.contains(it)) {
        return Err(MalformedOffer::NotInDirectory);
    }
    let identities = &meta.caa_identities;
    if !identities.is_empty() && !directory.iter().all(|it| identities.contains(it)) {
        return Err(MalformedOffer::NotACaaIdentity);
    }
    Ok(())
}

/// A dns-persist-01 challenge is one that a client must not answer
/// ([draft-ietf-acme-dns-persist](https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedOffer {
    /// An issuer is not a lower-case DNS name.
    #[error("the challenge names an issuer that is no lower-case DNS name")]
    BadIssuer,
    /// The challenge names no issuer.
    #[error("the challenge names no issuer")]
    NoIssuers,
    /// The directory names an issuer that CAA records cannot.
    #[error("the directory names an issuer that is not among its CAA identities")]
    NotACaaIdentity,
    /// The challenge names an issuer that the directory does not.
    #[error("the challenge names an issuer that the directory does not")]
    NotInDirectory,
    /// The challenge names too many issuers.
    #[error("the challenge names over ten issuers")]
    TooManyIssuers,
}
