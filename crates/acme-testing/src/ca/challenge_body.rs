//! What a challenge says beyond the members that all have
//! ([RFC 8555, section 8](https://www.rfc-editor.org/rfc/rfc8555#section-8)).

use acme_messages::{
    ChallengeType,
    dns_persist::{MAX_ISSUERS, Version},
};
use serde_json::{Map, Value, json};

use super::{authority::Authority, config::TestCaConfig};

/// What the accounts' hashes of dns-persist-01's version 02 come after.
const ACCOUNT_HASHES: &str = "/account-hash/";

/// Whether a challenge of this type has a token.
pub(super) fn has_token(kind: &ChallengeType) -> bool {
    *kind != ChallengeType::DnsPersist01
}

/// The members that only challenges of this type have.
pub(super) fn extra_members(
    kind: &ChallengeType,
    config: &TestCaConfig,
    account_url: &str,
) -> Map<String, Value> {
    let mut members = Map::new();
    if *kind != ChallengeType::DnsPersist01 {
        return members;
    }
    let issuers = json!(issuers(config));
    match config.validation.dns_persist_version {
        Version::Draft02 => {
            members.insert("issuerDomainNames".to_owned(), issuers);
        }
        _ => {
            members.insert("issuer-domain-names".to_owned(), issuers);
            members.insert("accounturi".to_owned(), json!(account_url));
        }
    }
    members
}

/// The issuers that a record of dns-persist-01 may name.
pub(super) fn issuers(config: &TestCaConfig) -> &[String] {
    let names = &config.answers.caa_identities;
    &names[..names.len().min(MAX_ISSUERS)]
}

impl Authority {
    /// What the accounts' hashes come after, where the directory is to tell it.
    pub(super) fn account_hash_prefix(&self, config: &TestCaConfig) -> Option<String> {
        let offered = config
            .orders
            .challenges
            .contains(&ChallengeType::DnsPersist01);
        let version = config.validation.dns_persist_version;
        (offered && version == Version::Draft02).then(|| self.url(ACCOUNT_HASHES))
    }
}
