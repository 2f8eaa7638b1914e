//! CAA: who may issue at all ([RFC 8659], [RFC 8657]).
//!
//! [RFC 8659]: https://www.rfc-editor.org/rfc/rfc8659
//! [RFC 8657]: https://www.rfc-editor.org/rfc/rfc8657

mod issue;

use acme_messages::{ProblemType, ServerName};
use domain::base::{Rtype, iana::Rcode};

use super::{
    Look, Verdict,
    dns::{CaaProperty, Failure, Record},
};
use issue::IssueValue;

/// The properties that are known, but are about other things than this CA's certificates.
const OTHER_TAGS: [&str; 3] = ["iodef", "issuemail", "issuevmc"];

/// The bits of the flags that say "critical": the RFC's, and the one that many take for it, which
/// counts at Boulder too.
const CRITICAL: u8 = 128 | 1;

/// Whether the CAA records that are for the identifier let this CA issue.
pub(super) async fn check(look: &Look) -> Verdict<()> {
    let ServerName::Dns(domain) = &look.job.name else {
        // Nothing of CAA is about addresses.
        return Ok(());
    };
    let Some((found_at, properties)) = relevant(look, domain.base()).await? else {
        return Ok(());
    };
    let refuse = |detail: std::fmt::Arguments<'_>| {
        let detail = format_args!("the CAA records of {found_at} {detail}");
        Err(look.problem(ProblemType::Caa, detail))
    };
    let mut issue = Vec::new();
    let mut issue_wild = Vec::new();
    for property in &properties {
        let tag = property.tag.to_ascii_lowercase();
        match tag.as_str() {
            "issue" => issue.push(property),
            "issuewild" => issue_wild.push(property),
            tag if OTHER_TAGS.contains(&tag) => {}
            tag if property.flags & CRITICAL != 0 => {
                return refuse(format_args!(
                    "have the critical property {tag:?}, which this CA does not know"
                ));
            }
            _ => {}
        }
    }
    // RFC 8659, section 4.3.
    let asked = match look.job.wildcard && !issue_wild.is_empty() {
        true => issue_wild,
        false => issue,
    };
    if asked.is_empty() || asked.iter().any(|it| lets_issue(look, it)) {
        return Ok(());
    }
    let method = look.job.kind.as_str();
    refuse(format_args!(
        "do not let this CA issue for this account by {method}"
    ))
}

/// The nearest set of records at the domain or above it, and where it is
/// ([RFC 8659, section 3](https://www.rfc-editor.org/rfc/rfc8659#section-3)).
async fn relevant<'a>(
    look: &Look,
    domain: &'a str,
) -> Verdict<Option<(&'a str, Vec<CaaProperty>)>> {
    let mut next = Some(domain);
    while let Some(name) = next {
        let records = match look.lookup(name, Rtype::CAA).await {
            Ok(records) => records,
            // Where there is no such name, there may be one above it.
            Err(Failure::Code(Rcode::NXDOMAIN)) => Vec::new(),
            Err(failure) => return Err(look.dns(failure, Rtype::CAA, name)),
        };
        let property = |it| match it {
            Record::Caa(property) => Some(property),
            _ => None,
        };
        let properties: Vec<_> = records.into_iter().filter_map(property).collect();
        if !properties.is_empty() {
            return Ok(Some((name, properties)));
        }
        next = name.split_once('.').map(|(_, above)| above);
    }
    Ok(None)
}

/// Whether one `issue` or `issuewild` property is met.
fn lets_issue(look: &Look, property: &CaaProperty) -> bool {
    // One that cannot be read is one that no one meets.
    let Some(value) = IssueValue::read(&property.value) else {
        return false;
    };
    look.config
        .answers
        .caa_identities
        .iter()
        .any(|it| it == value.issuer)
        && value.allows_account(&look.job.account_url)
        && value.allows_method(look.job.kind.as_str())
}
