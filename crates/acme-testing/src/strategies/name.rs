//! Names that certificates are for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use acme_messages::{DnsName, ServerName};
use proptest::{collection::vec, prelude::*};

/// The most labels of a name.
const MAX_LABELS: usize = 10;

/// A label of a DNS name in lower case: 1 to 25 letters, digits and inner hyphens, not all
/// digits, and no hyphens at both the third and the fourth place, where `xn--` has them
/// ([RFC 5890, section 2.3.1](https://www.rfc-editor.org/rfc/rfc5890#section-2.3.1)).
#[doc(alias = "dns_labels")]
pub fn dns_label() -> impl Strategy<Value = String> {
    "[a-z0-9]([a-z0-9-]{0,23}[a-z0-9])?".prop_filter("a number, or reserved", |label| {
        label.get(2..4) != Some("--") && !label.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A DNS name of 1 to 10 [labels](dns_label), in at most
/// [`DnsName::MAX_LENGTH`] characters; no wildcard.
#[doc(alias = "dns_names")]
pub fn dns_name() -> impl Strategy<Value = DnsName> {
    text(DnsName::MAX_LENGTH).prop_map(|name| parsed(&name))
}

/// A wildcard: `*.` before a [name](dns_name), the whole in at most
/// [`DnsName::MAX_LENGTH`] characters.
pub fn wildcard_name() -> impl Strategy<Value = DnsName> {
    text(DnsName::MAX_LENGTH - "*.".len()).prop_map(|name| parsed(&format!("*.{name}")))
}

/// An address of either version.
pub fn ip_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<Ipv4Addr>().prop_map(IpAddr::V4),
        any::<Ipv6Addr>().prop_map(IpAddr::V6),
    ]
}

/// What a certificate can be for: a name, a wildcard or an address.
pub fn server_name() -> impl Strategy<Value = ServerName> {
    prop_oneof![
        3 => dns_name().prop_map(ServerName::Dns),
        1 => wildcard_name().prop_map(ServerName::Dns),
        1 => ip_address().prop_map(ServerName::Ip),
    ]
}

/// Labels with dots between them, as many from the end as fit.
pub(super) fn text(limit: usize) -> impl Strategy<Value = String> {
    vec(dns_label(), 1..=MAX_LABELS).prop_map(move |labels| {
        let mut labels = &labels[..];
        while labels.join(".").len() > limit {
            labels = &labels[1..];
        }
        labels.join(".")
    })
}

fn parsed(text: &str) -> DnsName {
    text.parse()
        .expect("labels with dots between them are a name")
}
