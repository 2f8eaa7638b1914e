//! How a CA is set up and started.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use acme_messages::{
    ChallengeType, Clock, ServerName,
    jose::{KeyError, MacKey},
};
use rustls::crypto::CryptoProvider;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

use super::{
    TestCa,
    authority::Authority,
    clock::SystemClock,
    config::{Resolver, TestCaConfig},
    server,
};
use crate::{CertificateValidity, FaultRule, PkiError, TestPki, TestPkiBuilder};

/// Sets up a [`TestCa`].
#[derive(Debug)]
#[must_use]
pub struct TestCaBuilder {
    provider: Option<Arc<CryptoProvider>>,
    clock: Arc<dyn Clock>,
    listen: SocketAddr,
    seed: u64,
    plain: bool,
    pki: TestPkiBuilder,
    faults: Vec<FaultRule>,
    config: TestCaConfig,
}

impl TestCaBuilder {
    pub(super) fn new() -> Self {
        Self {
            provider: None,
            clock: Arc::new(SystemClock),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 0,
            plain: false,
            pki: TestPki::builder(),
            faults: Vec::new(),
            config: TestCaConfig::default(),
        }
    }

    /// The provider of the CA's TLS, as server and as validator; the
    /// process-wide default, if there is one, stands in. None is ever installed.
    pub fn crypto_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// The address to listen on; a free loopback port by default.
    pub const fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The clock that certificates and expiries go by; the system's by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What the random faults are drawn from; 0 by default.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Speaks HTTP without TLS, for clients that can be told so; the address
    /// listened on must be a loopback one.
    ///
    /// RFC 8555 wants HTTPS of every server ([section 6.1]); this is for looking
    /// on with a packet dump, and for benchmarks without TLS.
    ///
    /// [section 6.1]: https://www.rfc-editor.org/rfc/rfc8555#section-6.1
    pub const fn danger_plain_http(mut self) -> Self {
        self.plain = true;
        self
    }

    /// The roots, intermediates and keys it issues with; one root and one
    /// intermediate on P-256 by default.
    pub fn pki(mut self, pki: TestPkiBuilder) -> Self {
        self.pki = pki;
        self
    }

    /// An account elsewhere that new accounts can be bound to: its key identifier,
    /// and its MAC key ([RFC 8555, section 7.3.4]).
    ///
    /// ```
    /// use acme_testing::{TestCa, messages::jose::MacKey};
    ///
    /// let key = MacKey::from_text("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W")?;
    /// let builder = TestCa::builder()
    ///     .external_account("customer-7", key)
    ///     .configure(|config| config.accounts.external_account_required = true);
    /// # let _ = builder;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [RFC 8555, section 7.3.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4
    pub fn external_account(mut self, key_id: impl Into<String>, key: MacKey) -> Self {
        let accounts = &mut self.config.accounts.external_accounts;
        accounts.insert(key_id.into(), key);
        self
    }

    /// A fault that strikes from the start; see [`TestCa::inject`].
    pub fn inject(mut self, fault: impl Into<FaultRule>) -> Self {
        self.faults.push(fault.into());
        self
    }

    /// Sets anything that has no setter of its own here; see [`TestCaConfig`].
    pub fn configure(mut self, change: impl FnOnce(&mut TestCaConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Where http-01 knocks; port 80 by default.
    pub const fn http_01_port(mut self, port: u16) -> Self {
        self.config.validation.http_01_port = port;
        self
    }

    /// Where tls-alpn-01 knocks; port 443 by default.
    pub const fn tls_alpn_01_port(mut self, port: u16) -> Self {
        self.config.validation.tls_alpn_01_port = port;
        self
    }

    /// Where names point to; `None` answers that there is no such name.
    ///
    /// By default all point at 127.0.0.1, but loopback addresses at themselves.
    pub fn resolve<F, R>(mut self, resolve: F) -> Self
    where
        F: Fn(&ServerName) -> R + Send + Sync + 'static,
        R: Into<Option<IpAddr>>,
    {
        self.config.validation.resolver = Resolver::new(resolve);
        self
    }

    /// The one address that all names point to.
    pub fn resolve_to(self, address: IpAddr) -> Self {
        self.resolve(move |_| address)
    }

    /// The lifetime of certificates; 90 days by default, seconds if need be.
    pub const fn validity(mut self, lifetime: Duration) -> Self {
        self.config.issuance.validity = lifetime;
        self
    }

    /// The terms of service that new accounts must agree to; there are some by default.
    pub fn terms_of_service(mut self, url: impl Into<String>) -> Self {
        self.config.accounts.terms_of_service = Some(url.into());
        self
    }

    /// No terms of service.
    pub fn without_terms_of_service(mut self) -> Self {
        self.config.accounts.terms_of_service = None;
        self
    }

    /// The challenges on offer, where the identifier allows them; by default
    /// http-01, tls-alpn-01 and dns-01.
    pub fn challenges(mut self, kinds: impl IntoIterator<Item = ChallengeType>) -> Self {
        self.config.orders.challenges = kinds.into_iter().collect();
        self
    }

    /// The longest that one validation may take; 10 s by default, real time
    /// whatever the clock, since real sockets are waited for.
    pub const fn validation_timeout(mut self, span: Duration) -> Self {
        self.config.validation.timeout = span;
        self
    }

    /// The share of good nonces that are refused, between 0 (the default) and
    /// 1; Pebble's is 0.05.
    pub const fn nonce_reject_rate(mut self, rate: f64) -> Self {
        self.config.answers.nonce_reject_rate = rate;
        self
    }

    /// How many answers, that of `finalize` being the first, call an order
    /// `processing` before it is `valid`; 0 by default.
    pub const fn processing_polls(mut self, answers: u32) -> Self {
        self.config.issuance.processing_polls = answers;
        self
    }

    /// Whether a new order gets the account's valid authorizations; no by default.
    pub const fn authorization_reuse(mut self, reuse: bool) -> Self {
        self.config.orders.reuse_valid = reuse;
        self
    }

    /// Whether a look at an order, an authorization or a challenge waits while
    /// a validation of it is under way; yes by default, so that the number of
    /// requests in a test does not depend on who is faster.
    pub const fn polls_wait(mut self, wait: bool) -> Self {
        self.config.answers.polls_wait = wait;
        self
    }

    /// The `Retry-After` of what is not final yet; none by default.
    pub const fn retry_after(mut self, span: Duration) -> Self {
        self.config.answers.retry_after = Some(span);
        self
    }

    /// Starts the CA on the running tokio runtime.
    ///
    /// # Errors
    /// - [`TestCaError::NoCryptoProvider`] when none was given and the process has no default.
    /// - [`TestCaError::NotLoopback`] when it was to speak plain HTTP elsewhere.
    /// - [`TestCaError::Bind`] when the address cannot be listened on.
    /// - [`TestCaError::Tls`] when the provider cannot serve TLS with a P-256 key.
    /// - [`TestCaError::Pki`] and [`TestCaError::Key`] when its keys cannot be made.
    pub async fn start(self) -> Result<TestCa, TestCaError> {
        let provider = self
            .provider
            .or_else(|| CryptoProvider::get_default().cloned())
            .ok_or(TestCaError::NoCryptoProvider)?;
        let bind = |source| TestCaError::Bind {
            address: self.listen,
            source,
        };
        let listener = TcpListener::bind(self.listen).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;

        let (scheme, acceptor, https_root) = if self.plain {
            if !address.ip().is_loopback() {
                return Err(TestCaError::NotLoopback(address));
            }
            ("http", None, String::new())
        } else {
            let https = TestPki::new()?;
            let names = server::names(address.ip());
            let (chain, key) = https.issue_server(&names, CertificateValidity::FOREVER)?;
            let acceptor = server::acceptor(&provider, &chain, &key)?;
            ("https", Some(acceptor), https.root_pem())
        };
        let (jobs, queue) = mpsc::unbounded_channel();
        let authority = Arc::new(Authority::new(
            format!("{scheme}://{}", server::reachable(address)),
            self.clock,
            self.pki.build()?,
            provider,
            self.config,
            self.seed,
            jobs,
        ));
        for fault in self.faults {
            authority.faults.add(fault);
        }
        let (stop, stopped) = watch::channel(());
        let serve = server::run(listener, acceptor, Arc::clone(&authority), queue, stopped);
        let task = tokio::spawn(serve);
        tracing::debug!(%address, "test CA listens");
        Ok(TestCa {
            authority,
            https_root,
            stop,
            task,
        })
    }
}

/// A CA could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestCaError {
    /// The address cannot be listened on.
    #[error("the test CA cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The key of its HTTPS certificate could not be written for rustls.
    #[error("the test CA's key could not be encoded")]
    Key(#[source] KeyError),
    /// No crypto provider was given, and the process has no default one.
    #[error(
        "the test CA needs a rustls crypto provider: give one with `crypto_provider`, since the process has no default one"
    )]
    NoCryptoProvider,
    /// Plain HTTP is for loopback addresses only.
    #[error("the test CA speaks plain HTTP on loopback only, and {0} is not")]
    NotLoopback(SocketAddr),
    /// Its certificates could not be made.
    #[error("the test CA's certificates could not be made")]
    Pki(#[source] PkiError),
    /// The crypto provider cannot serve TLS with its key.
    #[error("the test CA cannot serve TLS")]
    Tls(#[source] rustls::Error),
}

impl From<PkiError> for TestCaError {
    fn from(error: PkiError) -> Self {
        Self::Pki(error)
    }
}
