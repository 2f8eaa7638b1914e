//! What can be set before the CA starts and changed while it runs.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use acme_messages::{ChallengeType, ServerName, SuggestedWindow};

use super::limits;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) http_01_port: u16,
    pub(super) tls_alpn_01_port: u16,
    pub(super) resolver: Resolver,
    pub(super) validity: Duration,
    pub(super) terms_of_service: Option<String>,
    pub(super) challenges: Vec<ChallengeType>,
    pub(super) validation_timeout: Duration,
    pub(super) nonce_reject_rate: f64,
    pub(super) processing_polls: u32,
    pub(super) authorization_reuse: bool,
    pub(super) polls_wait: bool,
    pub(super) retry_after: Option<Duration>,
    pub(super) renewal_window: Option<SuggestedWindow>,
    pub(super) renewal_retry_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            http_01_port: 80,
            tls_alpn_01_port: 443,
            resolver: Resolver::new(loopback),
            validity: limits::DEFAULT_VALIDITY,
            terms_of_service: Some("https://ca.example/terms".to_owned()),
            challenges: vec![
                ChallengeType::Http01,
                ChallengeType::TlsAlpn01,
                ChallengeType::Dns01,
            ],
            validation_timeout: limits::VALIDATION_TIMEOUT,
            nonce_reject_rate: 0.0,
            processing_polls: 0,
            authorization_reuse: false,
            polls_wait: true,
            retry_after: None,
            renewal_window: None,
            renewal_retry_after: limits::RENEWAL_RETRY_AFTER,
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
pub(super) struct Resolver(Arc<Resolve>);

type Resolve = dyn Fn(&ServerName) -> Option<IpAddr> + Send + Sync;

impl Resolver {
    pub(super) fn new<F, R>(resolve: F) -> Self
    where
        F: Fn(&ServerName) -> R + Send + Sync + 'static,
        R: Into<Option<IpAddr>>,
    {
        Self(Arc::new(move |name| resolve(name).into()))
    }

    pub(super) fn resolve(&self, name: &ServerName) -> Option<IpAddr> {
        (self.0)(name)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver(..)")
    }
}
