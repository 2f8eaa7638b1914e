//! How challenges are looked at.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use acme_messages::{ServerName, dns_persist::Version};

use crate::ca::limits;

/// How challenges are looked at ([RFC 8555, section 8]).
///
/// [RFC 8555, section 8]: https://www.rfc-editor.org/rfc/rfc8555#section-8
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ValidationConfig {
    /// Where http-01 knocks, and follows redirects to port 80; port 80 by default.
    pub http_01_port: u16,
    /// Where http-01 follows redirects to port 443; port 443 by default.
    pub https_port: u16,
    /// Where tls-alpn-01 knocks; port 443 by default.
    pub tls_alpn_01_port: u16,
    /// Where names point to; by default all at 127.0.0.1, but loopback addresses
    /// at themselves.
    pub resolver: Resolver,
    /// The DNS server that is asked for records, over UDP and TCP; none by default, and then no
    /// challenge that needs one is met.
    ///
    /// It may be a resolver or responsible for the names itself, as a
    /// [`TestDns`](crate::TestDns) is.
    pub dns_server: Option<SocketAddr>,
    /// The longest that one try at the DNS server may take, of three; 3 s by default, real time
    /// as [`timeout`](Self::timeout) is.
    pub dns_timeout: Duration,
    /// The draft that dns-persist-01 follows; by default that of [`Version::Draft01`], as at Boulder
    /// and Pebble. The issuers are the [CAA identities](crate::AnswerConfig::caa_identities).
    ///
    /// The challenge is on offer once [`OrderConfig::challenges`](crate::OrderConfig::challenges)
    /// has it.
    pub dns_persist_version: Version,
    /// Whether the CAA records of a name must let this CA issue, under one of its
    /// [CAA identities](crate::AnswerConfig::caa_identities) ([RFC 8659], [RFC 8657]); no by
    /// default. It takes the DNS server, whatever the challenge.
    ///
    /// [RFC 8659]: https://www.rfc-editor.org/rfc/rfc8659
    /// [RFC 8657]: https://www.rfc-editor.org/rfc/rfc8657
    pub caa: bool,
    /// From how many places a validation looks at once, each on connections of its own; 1 by
    /// default and 100 at most. Let's Encrypt has five, Pebble three.
    pub perspectives: u32,
    /// How many of these may fail, the first one apart, which never may; none by default, as at
    /// Pebble. Boulder lets one fail of up to six, two of more.
    pub tolerated_failures: u32,
    /// The addresses that the places look from, in their order and again from the first; by default
    /// the system chooses. One of another family than what is looked at is passed over.
    ///
    /// On Linux the host has all of 127.0.0.0/8.
    pub sources: Vec<IpAddr>,
    /// Whether each challenge is met without a look, as with Pebble's `PEBBLE_VA_ALWAYS_VALID`; no
    /// by default.
    pub always_valid: bool,
    /// Whether a challenge whose name could not be reached or looked up stays `pending`, with the
    /// error, and is looked at anew each time the client says that it is met
    /// ([RFC 8555, section 8.2]), as at step-ca; no by default: then it is invalid.
    ///
    /// [RFC 8555, section 8.2]: https://www.rfc-editor.org/rfc/rfc8555#section-8.2
    pub tries_again_on_request: bool,
    /// The longest that one validation may take; 10 s by default, real time
    /// whatever the clock, since real sockets are waited for.
    pub timeout: Duration,
}

impl Default for ValidationConfig {
    fn default() -> Self {
        Self {
            http_01_port: 80,
            https_port: 443,
            tls_alpn_01_port: 443,
            resolver: Resolver::new(loopback),
            dns_server: None,
            dns_timeout: limits::DNS_TIMEOUT,
            dns_persist_version: Version::Draft01,
            caa: false,
            perspectives: 1,
            tolerated_failures: 0,
            sources: Vec::new(),
            always_valid: false,
            tries_again_on_request: false,
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

/// Where names point to.
#[derive(Clone)]
pub struct Resolver(Source);

#[derive(Clone)]
enum Source {
    Dns,
    Function(Arc<Resolve>),
}

type Resolve = dyn Fn(&ServerName) -> Option<IpAddr> + Send + Sync;

/// What a [`Resolver`] says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ca) enum Addresses {
    /// The DNS server is to be asked.
    AskDns,
    /// There is one address, or none.
    Known(Option<IpAddr>),
}

impl Resolver {
    /// Looks names up by a function; `None` says that there is no such name.
    pub fn new<F, R>(resolve: F) -> Self
    where
        F: Fn(&ServerName) -> R + Send + Sync + 'static,
        R: Into<Option<IpAddr>>,
    {
        Self(Source::Function(Arc::new(move |name| resolve(name).into())))
    }

    /// Asks the CA's [DNS server](ValidationConfig::dns_server) for AAAA and A records; an address
    /// is its own.
    ///
    /// As at Boulder the first IPv6 address is knocked at before the first IPv4 address.
    #[must_use]
    pub const fn dns() -> Self {
        Self(Source::Dns)
    }

    pub(in crate::ca) fn addresses(&self, name: &ServerName) -> Addresses {
        match &self.0 {
            Source::Dns => Addresses::AskDns,
            Source::Function(resolve) => Addresses::Known(resolve(name)),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Dns => "Resolver(dns)",
            Source::Function(_) => "Resolver(..)",
        })
    }
}
