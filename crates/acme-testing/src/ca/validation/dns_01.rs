//! dns-01 and dns-account-01: a TXT record ([RFC 8555, section 8.4],
//! [draft-ietf-acme-dns-account-label]).
//!
//! [RFC 8555, section 8.4]: https://www.rfc-editor.org/rfc/rfc8555#section-8.4
//! [draft-ietf-acme-dns-account-label]: https://datatracker.ietf.org/doc/draft-ietf-acme-dns-account-label/

use acme_messages::{ChallengeType, DnsName, ProblemType, ServerName, dns_account};
use domain::base::Rtype;

use super::{Look, Verdict, dns::Record};

/// How much of a wrong value is told, in characters.
const SHOWN: usize = 100;

pub(super) async fn validate(look: &Look) -> Verdict<()> {
    let domain = look.domain()?;
    let owner = match look.job.kind {
        ChallengeType::DnsAccount01 => dns_account::record_name(&look.job.account_url, domain),
        _ => format!("_acme-challenge.{}", domain.base()),
    };
    let values = look.texts(&owner).await?;
    let expected = look.job.key_authorization.dns_txt_value();
    if values.iter().any(|it| it == expected.as_bytes()) {
        return Ok(());
    }
    let Some(first) = values.first() else {
        return Err(look.unauthorized(format_args!("there is no TXT record at {owner}")));
    };
    let first: String = String::from_utf8_lossy(first).chars().take(SHOWN).collect();
    let others = match values.len() - 1 {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    Err(look.wrong(format_args!(
        "the TXT record at {owner} is another: {first:?}{others}"
    )))
}

impl Look {
    /// The domain to be proved by a record.
    pub(super) fn domain(&self) -> Verdict<&DnsName> {
        match &self.job.name {
            ServerName::Dns(name) => Ok(name),
            // RFC 8738, section 7.
            ServerName::Ip(_) => {
                Err(self.problem(ProblemType::Malformed, "an address cannot be proved by DNS"))
            }
        }
    }

    /// The values of the TXT records of a name.
    pub(super) async fn texts(&self, name: &str) -> Verdict<Vec<Vec<u8>>> {
        let records = self
            .lookup(name, Rtype::TXT)
            .await
            .map_err(|failure| self.dns(failure, Rtype::TXT, name))?;
        let text = |it| match it {
            Record::Text(text) => Some(text),
            _ => None,
        };
        Ok(records.into_iter().filter_map(text).collect())
    }
}
