//! dns-persist-01: a TXT record that stays ([draft-ietf-acme-dns-persist]).
//!
//! [draft-ietf-acme-dns-persist]: https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/

mod record;

use acme_messages::{
    ProblemType,
    dns_persist::{self, Version},
};

use super::{Look, Verdict};
use crate::ca::challenge_body;
use record::{Record, Unusable};

pub(super) async fn validate(look: &Look) -> Verdict<()> {
    let domain = look.domain()?;
    let owner = dns_persist::record_name(domain);
    let accounts = accounts(look)?;
    let values = look.texts(&owner).await?;
    if values.is_empty() {
        return Err(look.unauthorized(format_args!("there is no TXT record at {owner}")));
    }
    let mut malformed = Vec::new();
    let mut unfit = Vec::new();
    for value in &values {
        match Record::read(value, challenge_body::issuers(&look.config)) {
            Ok(record) => match check(look, &record, &accounts) {
                Ok(()) => return Ok(()),
                Err(reason) => unfit.push(reason),
            },
            Err(Unusable::Malformed(reason)) => malformed.push(reason),
            Err(Unusable::AnothersOrUnreadable) => {}
        }
    }
    // As at Boulder: what is malformed is told before what does not fit.
    let told = |reasons: &[String]| format!("a record at {owner} {}", reasons.join("; another "));
    Err(match (malformed.as_slice(), unfit.as_slice()) {
        ([], []) => look.unauthorized(format_args!(
            "no TXT record at {owner} names this CA as issuer"
        )),
        ([], unfit) => look.unauthorized(told(unfit)),
        (malformed, _) => look.problem(ProblemType::Malformed, told(malformed)),
    })
}

/// The ways that the account may be written.
fn accounts(look: &Look) -> Verdict<Vec<String>> {
    let job = &look.job;
    if look.config().dns_persist_version != Version::Draft02 {
        return Ok(vec![job.account_url.clone()]);
    }
    let prefix = &job.account_hash_prefix;
    let domain = look.domain()?;
    let hash = |domain| dns_persist::account_hash(domain, &job.thumbprint, &job.account_url);
    Ok([Some(domain), None]
        .map(|domain| format!("{prefix}sha-256/{}", hash(domain)))
        .into())
}

/// Whether a record lets this account have this identifier now; if not, why.
fn check(look: &Look, record: &Record<'_>, accounts: &[String]) -> Result<(), String> {
    if !accounts.iter().any(|it| it == record.account) {
        return Err(format!(
            "has the accounturi {:?}, which is not this account's",
            record.account
        ));
    }
    if look.job.wildcard && !record.wildcard {
        return Err("does not have `policy=wildcard`".to_owned());
    }
    match record.until {
        Some(until) if look.now.as_second() > until => {
            Err(format!("held until {until} and no longer"))
        }
        _ => Ok(()),
    }
}
