//! The directory ([RFC 8555, section 7.1.1]).
//!
//! [RFC 8555, section 7.1.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.1

use acme_messages::{Directory, DirectoryMeta};
use http::StatusCode;

use super::{authority::Authority, challenge_body, reply::Reply, route};

impl Authority {
    pub(super) fn directory(&self) -> Reply {
        let config = self.config();
        let offered = |there: bool, path| there.then(|| self.url(path));
        let mut directory = Directory::new(
            self.url(route::NEW_NONCE),
            self.url(route::NEW_ACCOUNT),
            self.url(route::NEW_ORDER),
        );
        directory.revoke_cert = Some(self.url(route::REVOKE_CERTIFICATE));
        directory.key_change = offered(config.accounts.key_change, route::KEY_CHANGE);
        directory.new_authz = offered(config.orders.pre_authorization, route::NEW_AUTHORIZATION);
        directory.renewal_info = offered(config.renewal.offered, route::RENEWAL_INFO);
        let mut meta = DirectoryMeta::default();
        meta.terms_of_service = config.accounts.terms_of_service.clone();
        meta.website = config.answers.website.clone();
        meta.caa_identities = config.answers.caa_identities.clone();
        meta.account_hash_prefix = self.account_hash_prefix(&config);
        if meta.account_hash_prefix.is_some() {
            meta.issuer_domain_names = challenge_body::issuers(&config).to_vec();
        }
        meta.external_account_required = config.accounts.external_account_required;
        meta.profiles = config
            .issuance
            .profiles
            .iter()
            .map(|(name, profile)| (name.clone(), profile.description.clone()))
            .collect();
        directory.meta = meta;
        Reply::json(StatusCode::OK, &directory)
    }
}
