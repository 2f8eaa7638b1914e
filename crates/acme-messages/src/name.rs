//! Names that certificates are for: DNS names and addresses, checked.

#[cfg(feature = "idna")]
mod unicode;

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// A DNS name in lower-case A-label form, possibly a wildcard ([RFC 5890, section 2.3.2.1](https://www.rfc-editor.org/rfc/rfc5890#section-2.3.2.1)).
///
/// Labels hold letters, digits and inner hyphens; a final dot is taken off; a `*` stands
/// as the whole first label or nowhere. Whether an `xn--` label stands for anything is not
/// asked here, in any build; with the feature `idna`, `DnsName::to_unicode` tells.
///
/// ```
/// use acme_messages::DnsName;
///
/// let name: DnsName = "WWW.Example.com.".parse()?;
/// assert_eq!(name.as_str(), "www.example.com");
/// assert!("*.example.com".parse::<DnsName>()?.is_wildcard());
/// assert!("../etc".parse::<DnsName>().is_err());
/// # Ok::<_, acme_messages::InvalidName>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DnsName(Box<str>);

impl DnsName {
    /// The longest name in characters ([RFC 1035, section 2.3.4] less the root).
    ///
    /// [RFC 1035, section 2.3.4]: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
    pub const MAX_LENGTH: usize = 253;

    /// The longest label in characters.
    pub const MAX_LABEL_LENGTH: usize = 63;

    /// The name, with its `*.` if it is a wildcard.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name stands for each name one label below it.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// The name without `*.`: what an authorization is for ([RFC 8555, section 7.1.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.4)).
    #[must_use]
    pub fn base(&self) -> &str {
        self.0.strip_prefix("*.").unwrap_or(&self.0)
    }
}

impl FromStr for DnsName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if !text.is_ascii() {
            return Err(InvalidName::NotAscii);
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(InvalidName::TooLong);
        }
        let base = text.strip_prefix("*.").unwrap_or(text);
        for label in base.split('.') {
            check_label(label)?;
        }
        // A name whose last label is a number would be read as an address.
        let last = base.rsplit('.').next().unwrap_or(base);
        if last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidName::NumericTop);
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

fn check_label(label: &str) -> Result<(), InvalidName> {
    if label.is_empty() {
        return Err(InvalidName::EmptyLabel);
    }
    if label.len() > DnsName::MAX_LABEL_LENGTH {
        return Err(InvalidName::TooLong);
    }
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !label.bytes().all(letters) || label.starts_with('-') || label.ends_with('-') {
        return Err(InvalidName::BadCharacter);
    }
    Ok(())
}

impl TryFrom<String> for DnsName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DnsName> for String {
    fn from(name: DnsName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What a certificate can be for: a DNS name, or an address ([RFC 8738]).
///
/// [RFC 8738]: https://www.rfc-editor.org/rfc/rfc8738
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServerName {
    /// A DNS name, possibly a wildcard.
    Dns(DnsName),
    /// An address; its text is that of [RFC 5952](https://www.rfc-editor.org/rfc/rfc5952).
    Ip(IpAddr),
}

impl ServerName {
    /// Whether the name is a wildcard, which only DNS challenges can prove
    /// ([RFC 8555, section 7.1.3](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.3)).
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::Dns(name) if name.is_wildcard())
    }

    /// Whether a certificate for this name is one for the other too: they are the same, or this
    /// is a wildcard and the other lies one label below it
    /// ([RFC 9525, section 6.3](https://www.rfc-editor.org/rfc/rfc9525#section-6.3)).
    ///
    /// A wildcard covers no wildcard but itself, and not the name it stands below.
    ///
    /// ```
    /// let name = |text: &str| text.parse::<acme_messages::ServerName>();
    /// assert!(name("*.example.com")?.covers(&name("www.example.com")?));
    /// assert!(!name("*.example.com")?.covers(&name("example.com")?));
    /// # Ok::<_, acme_messages::InvalidName>(())
    /// ```
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dns(own), Self::Dns(other)) if own.is_wildcard() && !other.is_wildcard() => {
                let above = other.as_str().split_once('.').map(|it| it.1);
                above == Some(own.base())
            }
            _ => self == other,
        }
    }

    /// The server name that a tls-alpn-01 validation of this identifier sends:
    /// the name itself, or an address' reverse name ([RFC 8738, section 6]).
    ///
    /// ```
    /// let name: acme_messages::ServerName = "192.0.2.1".parse()?;
    /// assert_eq!(name.validation_sni(), "1.2.0.192.in-addr.arpa");
    /// # Ok::<_, acme_messages::InvalidName>(())
    /// ```
    ///
    /// [RFC 8738, section 6]: https://www.rfc-editor.org/rfc/rfc8738#section-6
    #[must_use]
    pub fn validation_sni(&self) -> String {
        match self {
            Self::Dns(name) => name.base().to_owned(),
            Self::Ip(IpAddr::V4(address)) => {
                let [a, b, c, d] = address.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            Self::Ip(IpAddr::V6(address)) => reverse_v6(*address),
        }
    }
}

fn reverse_v6(address: Ipv6Addr) -> String {
    let mut name = String::with_capacity(72);
    for byte in address.octets().iter().rev() {
        name.push_str(&format!("{:x}.{:x}.", byte & 0xf, byte >> 4));
    }
    name.push_str("ip6.arpa");
    name
}

impl FromStr for ServerName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(address) => Ok(Self::Ip(address)),
            Err(_) => text.parse().map(Self::Dns),
        }
    }
}

impl From<DnsName> for ServerName {
    fn from(name: DnsName) -> Self {
        Self::Dns(name)
    }
}

impl From<IpAddr> for ServerName {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

/// A text is no name that a certificate can be for
/// ([RFC 1123, section 2.1](https://www.rfc-editor.org/rfc/rfc1123#section-2.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// A label holds something other than letters, digits and inner hyphens.
    #[error("a label holds something other than letters, digits and inner hyphens")]
    BadCharacter,
    /// UTS 46 has no A-label for a label, or an `xn--` label stands for nothing.
    #[error("a label is not valid Unicode for a name, or its xn-- form stands for nothing")]
    BadUnicode,
    /// A label is empty.
    #[error("a label is empty")]
    EmptyLabel,
    /// The name is not ASCII; write it as A-labels (`xn--…`).
    #[error("the name is not ASCII; write it as A-labels (xn--…)")]
    NotAscii,
    /// The last label is a number, yet the name is no address.
    #[error("the last label is a number, yet the name is no address")]
    NumericTop,
    /// The name or a label is too long.
    #[error("the name has over 253 characters, or a label over 63")]
    TooLong,
}
