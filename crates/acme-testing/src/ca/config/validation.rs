//! How challenges are looked at.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use acme_messages::ServerName;

use crate::ca::limits;

/// How challenges are looked at ([RFC 8555, section 8]).
///
/// [RFC 8555, section 8]: https://www.rfc-editor.org/rfc/rfc8555#section-8
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ValidationConfig {
    /// Where http-01 knocks; port 80 by default.
    pub http_01_port: u16,
    /// Where tls-alpn-01 knocks; port 443 by default.
    pub tls_alpn_01_port: u16,
    /// Where names point to; by default all at 127.0.0.1, but loopback addresses
    /// at themselves.
    pub resolver: Resolver,
    /// The longest that one validation may take; 10 s by default, real time
    /// whatever the clock, since real sockets are waited for.
    pub timeout: Duration,
}

impl Default for ValidationConfig {
    fn default() -> Self {
        Self {
            http_01_port: 80,
            tls_alpn_01_port: 443,
            resolver: Resolver::new(loopback),
            timeout: limits::VALIDATION_TIMEOUT,
        }
    }
}

/// Loopback for whatever is asked; a loopback address stays what it is.
fn loopback(name: &ServerName) -> IpAddr {
    match name {
        ServerName::Ip(address) if address.is_loopback() => *address,
        _ => Ipv4Addr::LOCALHOST.into(),
    }
}

/// Where names point to: `None` says that there is no such name.
#[derive(Clone)]
pub struct Resolver(Arc<Resolve>);

type Resolve = dyn Fn(&ServerName) -> Option<IpAddr> + Send + Sync;

impl Resolver {
    /// Looks names up by a function.
    pub fn new<F, R>(resolve: F) -> Self
    where
        F: Fn(&ServerName) -> R + Send + Sync + 'static,
        R: Into<Option<IpAddr>>,
    {
        Self(Arc::new(move |name| resolve(name).into()))
    }

    /// Where a name points to.
    #[must_use]
    pub fn resolve(&self, name: &ServerName) -> Option<IpAddr> {
        (self.0)(name)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver(..)")
    }
}
