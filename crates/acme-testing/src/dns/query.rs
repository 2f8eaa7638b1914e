//! What the server was asked.

use std::net::IpAddr;

/// One question that the server got.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsQuery {
    /// The name as it was spelt, without a final dot; the root is `.`.
    pub name: String,
    /// The type of the records asked for, as in `TXT`; `TYPE65280` where it has no name.
    pub record_type: String,
    /// The address it came from.
    pub sender: IpAddr,
    /// Whether it came over TCP.
    pub tcp: bool,
}
