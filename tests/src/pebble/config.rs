//! The files of a run: Pebble's configuration, its key and certificate.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Ports;
use crate::error::Error;
use crate::tls::Identity;

/// The root of Pebble's own HTTPS.
pub(super) const ROOT_FILE: &str = "https-root.pem";

/// What can be set in Pebble's configuration.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) external_accounts: BTreeMap<String, String>,
    pub(super) profiles: BTreeMap<String, Profile>,
    pub(super) blocked_domains: Vec<String>,
    pub(super) caa_identities: Vec<String>,
    pub(super) retry_after: RetryAfter,
}

/// A profile that a client may ask for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    pub(super) description: String,
    /// In seconds.
    pub(super) validity_period: u64,
}

/// What Pebble asks clients to wait, in seconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct RetryAfter {
    pub(super) authz: u32,
    pub(super) order: u32,
}

#[derive(Serialize)]
struct File<'a> {
    pebble: Section<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Section<'a> {
    listen_address: String,
    management_listen_address: String,
    certificate: PathBuf,
    private_key: PathBuf,
    http_port: u16,
    tls_port: u16,
    external_account_binding_required: bool,
    #[serde(rename = "externalAccountMACKeys")]
    external_account_mac_keys: &'a BTreeMap<String, String>,
    caa_identities: &'a [String],
    domain_blocklist: &'a [String],
    retry_after: RetryAfter,
    key_algorithm: &'static str,
    profiles: &'a BTreeMap<String, Profile>,
    /// In seconds; only old releases, which have no profiles, look at it.
    certificate_validity_period: Option<u64>,
}

/// Writes all files into `folder`, and returns the path of the configuration.
pub(super) fn write(
    folder: &Path,
    ports: Ports,
    identity: &Identity,
    settings: &Settings,
) -> Result<PathBuf, Error> {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(Error::file("write", &path))?;
        Ok(path)
    };
    file(ROOT_FILE, identity.root_pem())?;
    let section = Section {
        listen_address: format!("127.0.0.1:{}", ports.acme),
        management_listen_address: format!("127.0.0.1:{}", ports.management),
        certificate: file("https-certificate.pem", identity.certificate_pem())?,
        private_key: file("https-key.pem", identity.key_pem())?,
        http_port: ports.http,
        tls_port: ports.tls,
        external_account_binding_required: !settings.external_accounts.is_empty(),
        external_account_mac_keys: &settings.external_accounts,
        caa_identities: &settings.caa_identities,
        domain_blocklist: &settings.blocked_domains,
        retry_after: settings.retry_after,
        key_algorithm: "ecdsa",
        profiles: &settings.profiles,
        certificate_validity_period: settings.profiles.values().next().map(|p| p.validity_period),
    };
    let text = serde_json::to_string_pretty(&File { pebble: section })
        .map_err(|error| Error::io("write the configuration of Pebble")(error.into()))?;
    file("pebble.json", &text)
}
