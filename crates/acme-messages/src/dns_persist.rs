//! The challenge dns-persist-01 ([draft-ietf-acme-dns-persist]): one TXT record that stays, and
//! lets an account prove a domain for as long as it stands.
//!
//! **Unstable.** Two versions of the draft are in use, and neither understands the other's
//! records: [`Version::Draft01`], which CAs run, and [`Version::Draft02`]. Anything here may
//! change in any version of this crate until there is an RFC.
//!
//! ```
//! use acme_messages::{dns_persist::{Account, Record}, DnsName};
//!
//! let account = Account::Draft01 { url: "https://ca.example/acct/1" };
//! let record = Record::new("ca.example", account).wildcard(true);
//! assert_eq!(
//!     record.to_text()?,
//!     "ca.example; accounturi=https://ca.example/acct/1; policy=wildcard",
//! );
//! let domain: DnsName = "*.example.org".parse()?;
//! assert_eq!(acme_messages::dns_persist::record_name(&domain), "_validation-persist.example.org");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! [draft-ietf-acme-dns-persist]: https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/

mod offer;
mod record;

pub use offer::{MAX_ISSUERS, MalformedOffer, Offer};
pub use record::{
    Account, InvalidRecord, MAX_STRING_LENGTH, Record, account_hash, record_name, strings,
};

/// A version of the draft ([draft-ietf-acme-dns-persist](https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Version {
    /// Version 01 of March 2026: the record names the account's URL.
    Draft01,
    /// Version 02 of September 2026: the record names a hash of account and domain.
    Draft02,
}
