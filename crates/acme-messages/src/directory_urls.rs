//! Directory URLs of well-known CAs, to be used verbatim.

/// Let's Encrypt: certificates that browsers trust, under rate limits.
#[doc(alias = "LETSENCRYPT_DIRECTORY")]
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Let's Encrypt's staging environment: untrusted certificates, generous limits.
#[doc(alias = "LETSENCRYPT_STAGING_DIRECTORY")]
pub const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";
