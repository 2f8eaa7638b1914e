//! URLs as CAs give them.

use acme_messages::DnsName;
use proptest::{collection::vec, prelude::*, string::string_regex};

use super::{dns_label, name};

/// An https URL: a [name](super::dns_name) for a host, and a path of 1 to 10 segments, each of
/// 1 to 63 characters ([RFC 3986, section 3](https://www.rfc-editor.org/rfc/rfc3986#section-3)).
#[doc(alias = "urls")]
pub fn url() -> impl Strategy<Value = String> {
    (name::text(DnsName::MAX_LENGTH), path(21, 10))
        .prop_map(|(host, path)| format!("https://{host}/{path}"))
}

/// A short [URL](url), for documents that have many.
pub(super) fn short_url() -> impl Strategy<Value = String> {
    (dns_label(), path(8, 3)).prop_map(|(label, path)| format!("https://{label}.example/{path}"))
}

/// Segments of some characters each, which may be written as three.
fn path(length: usize, segments: usize) -> impl Strategy<Value = String> {
    let characters = "([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})";
    let segment = string_regex(&format!("{characters}{{1,{length}}}"));
    let segment = segment.expect("this expression is one");
    vec(segment, 1..=segments).prop_map(|segments| segments.join("/"))
}
