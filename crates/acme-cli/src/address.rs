//! Addresses with a port, as options take them.

use std::net::SocketAddr;

/// Reads an address and its port.
pub(crate) fn parse(text: &str) -> Result<SocketAddr, String> {
    let expected =
        |_| "expected an IP address and a port, such as 127.0.0.1:5002 or [::1]:5002".to_owned();
    text.parse().map_err(expected)
}
