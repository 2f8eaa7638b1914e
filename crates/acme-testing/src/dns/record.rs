//! The records that a test sets.

use std::net::IpAddr;

use domain::rdata::{
    A, Aaaa, Caa, Cname, Ns, Txt,
    caa::{CaaFlags, CaaTag},
};

use super::{Data, Name};

/// The longest string of a TXT record, in bytes ([RFC 1035, section 3.3]).
///
/// [RFC 1035, section 3.3]: https://www.rfc-editor.org/rfc/rfc1035#section-3.3
const MAX_STRING: usize = 255;

/// The most bytes of a TXT or CAA record: one that fits into an answer with its name.
const MAX_DATA: usize = 60_000;

/// A record of a [`TestDns`](super::TestDns).
///
/// ```
/// use acme_testing::DnsRecord;
///
/// assert_eq!(DnsRecord::txt("short"), DnsRecord::Txt(vec![b"short".to_vec()]));
/// assert_eq!(
///     DnsRecord::from(std::net::IpAddr::from([127, 0, 0, 1])),
///     DnsRecord::Address([127, 0, 0, 1].into()),
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DnsRecord {
    /// Where the name is: an A or an AAAA record.
    Address(IpAddr),
    /// Who may issue certificates for the name ([RFC 8659](https://www.rfc-editor.org/rfc/rfc8659)).
    Caa {
        /// The flags; 128 is "critical".
        flags: u8,
        /// The property, as in `issue`.
        tag: String,
        /// Its value, as in `ca.example; validationmethods=dns-01`.
        value: String,
    },
    /// The name that this one is an alias of.
    Cname(String),
    /// A server of the zone that begins at the name.
    Ns(String),
    /// Text, in the strings that it is sent in, of at most 255 bytes each.
    Txt(Vec<Vec<u8>>),
}

impl DnsRecord {
    /// A text, cut into strings of 255 bytes.
    #[must_use]
    pub fn txt(value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        if value.is_empty() {
            return Self::Txt(vec![Vec::new()]);
        }
        Self::Txt(value.chunks(MAX_STRING).map(<[u8]>::to_vec).collect())
    }

    /// A property that is not critical.
    #[must_use]
    pub fn caa(tag: impl Into<String>, value: impl Into<String>) -> Self {
        Self::Caa {
            flags: 0,
            tag: tag.into(),
            value: value.into(),
        }
    }

    pub(super) fn to_data(&self) -> Result<Data, InvalidDnsRecord> {
        Ok(match self {
            Self::Address(IpAddr::V4(address)) => A::new(*address).into(),
            Self::Address(IpAddr::V6(address)) => Aaaa::new(*address).into(),
            Self::Caa { flags, tag, value } => {
                let length = tag.len();
                if length == 0 || length > MAX_STRING {
                    return Err(InvalidDnsRecord::Tag);
                }
                let tag = CaaTag::from_octets(tag.clone().into_bytes())
                    .map_err(|_| InvalidDnsRecord::Tag)?;
                if value.len() > MAX_DATA {
                    return Err(InvalidDnsRecord::TooLong);
                }
                Caa::new(CaaFlags::new(*flags), tag, value.clone().into_bytes()).into()
            }
            Self::Cname(target) => Cname::new(name(target)?).into(),
            Self::Ns(server) => Ns::new(name(server)?).into(),
            Self::Txt(strings) => {
                let mut data = Vec::new();
                for string in strings {
                    let length =
                        u8::try_from(string.len()).map_err(|_| InvalidDnsRecord::TooLong)?;
                    data.push(length);
                    data.extend_from_slice(string);
                }
                if data.len() > MAX_DATA {
                    return Err(InvalidDnsRecord::TooLong);
                }
                Txt::from_octets(data)
                    .map_err(|_| InvalidDnsRecord::Empty)?
                    .into()
            }
        })
    }
}

impl From<IpAddr> for DnsRecord {
    fn from(address: IpAddr) -> Self {
        Self::Address(address)
    }
}

/// Reads a name, with or without a final dot.
pub(super) fn name(text: &str) -> Result<Name, InvalidDnsRecord> {
    Name::vec_from_str(text).map_err(|source| InvalidDnsRecord::Name {
        name: text.to_owned(),
        source: source.into(),
    })
}

/// A record cannot be set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDnsRecord {
    /// A TXT record without a string; one string at least is needed, and may be empty.
    #[error("a TXT record needs at least one string")]
    Empty,
    /// A text is no name.
    #[error("{name:?} is not a DNS name")]
    Name {
        /// The text.
        name: String,
        /// Why it is none.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The tag of a CAA record is empty, too long, or not of letters and digits.
    #[error("a CAA record's tag has 1 to 255 letters and digits")]
    Tag,
    /// A string has over 255 bytes, or a record over 60,000.
    #[error("a string has at most 255 bytes, a record 60,000")]
    TooLong,
}
