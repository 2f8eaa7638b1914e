//! The challenge dns-account-01 ([draft-ietf-acme-dns-account-label]): a TXT record under a name
//! of the account's own, so that several accounts can prove one domain side by side.
//!
//! The record's value is that of dns-01:
//! [`KeyAuthorization::dns_txt_value`](crate::KeyAuthorization::dns_txt_value).
//! This is a draft: what is here may change in any version.
//!
//! [draft-ietf-acme-dns-account-label]: https://datatracker.ietf.org/doc/draft-ietf-acme-dns-account-label/

use sha2::{Digest, Sha256};

use crate::DnsName;

/// The label of an account: `_` and sixteen characters made from the account's exact URL
/// ([draft-ietf-acme-dns-account-label](https://datatracker.ietf.org/doc/draft-ietf-acme-dns-account-label/)).
#[must_use]
pub fn label(account_url: &str) -> String {
    let digest = Sha256::digest(account_url.as_bytes());
    let (bytes, _) = digest.split_at(10);
    format!("_{}", base32(bytes))
}

/// The name of the TXT record that proves a domain, without a final dot; for a wildcard that
/// of the name below the `*`
/// ([draft-ietf-acme-dns-account-label](https://datatracker.ietf.org/doc/draft-ietf-acme-dns-account-label/)).
///
/// ```
/// use acme_messages::dns_account;
///
/// let account = "https://example.com/acme/acct/ExampleAccount";
/// assert_eq!(
///     dns_account::record_name(account, &"example.org".parse()?),
///     "_ujmmovf2vn55tgye._acme-challenge.example.org",
/// );
/// # Ok::<_, acme_messages::InvalidName>(())
/// ```
#[must_use]
pub fn record_name(account_url: &str, domain: &DnsName) -> String {
    format!("{}._acme-challenge.{}", label(account_url), domain.base())
}

/// Base32 in lower case without padding ([RFC 4648, section 6]), of whole groups of five bytes.
///
/// [RFC 4648, section 6]: https://www.rfc-editor.org/rfc/rfc4648#section-6
fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() / 5 * 8);
    for group in bytes.chunks_exact(5) {
        let bits = group
            .iter()
            .fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        text.extend((0..8).rev().map(|at| {
            let digit = (bits >> (5 * at) & 31) as u8;
            char::from(if digit < 26 {
                b'a' + digit
            } else {
                b'2' + digit - 26
            })
        }));
    }
    text
}
