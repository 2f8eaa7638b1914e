//! The whole: a port, its certificates, and the service that keeps them valid.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use acme_client::{CertificateAuthority, SystemClock};
use acme_messages::Clock;
use acme_responders::{Http01Responder, Responder, TlsAlpn01Responder};
use acme_service::{DEFAULT_CHECK_INTERVAL, IssuingService, RenewalPolicy, ServiceHandle};
use acme_store::CertificateStore;
use rustls::{ServerConfig, crypto::CryptoProvider};
use tokio::net::TcpListener;

use crate::{
    CertificateResolver, ListenerCloser, TlsListener, serving::Serving,
    serving_store::ServingStore, sync::Sync,
};

/// A TLS endpoint that obtains, renews and swaps its own certificates.
///
/// ```no_run
/// use std::sync::Arc;
/// use acme_client::{AcmeAuthority, Client, HyperTransport, messages::directory_urls};
/// use acme_endpoint::{AutoTlsEndpoint, ListenSpec};
/// use acme_store::{DirectoryStore, load_or_create_account_key};
///
/// # async fn example(provider: Arc<rustls::crypto::CryptoProvider>)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// let transport = HyperTransport::builder().crypto_provider(provider.clone()).build()?;
/// let client = Client::builder(directory_urls::LETS_ENCRYPT_STAGING, transport).build()?;
/// let key = load_or_create_account_key("/srv/www/certs").await?;
/// let authority = AcmeAuthority::builder(client, Arc::new(key))
///     .agree_to_terms_of_service(true)
///     .build();
/// let store = DirectoryStore::open("/srv/www/certs").await?;
///
/// let (mut listener, handle) = AutoTlsEndpoint::builder(Arc::new(store), Arc::new(authority))
///     .crypto_provider(provider)
///     .start(ListenSpec::tcp(443).bind()?)
///     .await?;
/// println!("listening on {}", handle.local_addr());
/// while let Some((stream, peer)) = listener.accept().await {
///     println!("{peer} asked for {:?}", stream.get_ref().1.server_name());
/// }
/// # Ok(()) }
/// ```
#[doc(alias = "AutoTLSEndpoint")]
#[derive(Debug)]
pub struct AutoTlsEndpoint(());

/// Settings of an [`AutoTlsEndpoint`].
#[derive(Debug)]
pub struct AutoTlsEndpointBuilder {
    store: Arc<dyn CertificateStore>,
    authority: Arc<dyn CertificateAuthority>,
    provider: Option<Arc<CryptoProvider>>,
    protocols: Vec<Vec<u8>>,
    responders: Vec<Arc<dyn Responder>>,
    http_01: Option<TcpListener>,
    redirect_port: Option<u16>,
    policy: RenewalPolicy,
    check_interval: Duration,
    clock: Arc<dyn Clock>,
}

impl AutoTlsEndpoint {
    /// Starts the settings: where certificates live, and who issues them.
    pub fn builder(
        store: Arc<dyn CertificateStore>,
        authority: Arc<dyn CertificateAuthority>,
    ) -> AutoTlsEndpointBuilder {
        AutoTlsEndpointBuilder {
            store,
            authority,
            provider: None,
            protocols: Vec::new(),
            responders: Vec::new(),
            http_01: None,
            redirect_port: None,
            policy: RenewalPolicy::default(),
            check_interval: DEFAULT_CHECK_INTERVAL,
            clock: Arc::new(SystemClock),
        }
    }
}

impl AutoTlsEndpointBuilder {
    /// The cryptography of TLS; by default the one the process installed.
    #[must_use]
    pub fn crypto_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// The protocols that the application speaks, for ALPN; none by default.
    #[must_use]
    pub fn protocols<P: Into<Vec<u8>>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Adds another way to prove a name, tried where tls-alpn-01 is not on offer.
    #[must_use]
    pub fn responder(mut self, responder: Arc<dyn Responder>) -> Self {
        self.responders.push(responder);
        self
    }

    /// Answers http-01 on this listener, which CAs reach on port 80, and sends
    /// everything else there to https; see [`redirect_port`](Self::redirect_port).
    #[must_use]
    pub fn http_01(mut self, listener: TcpListener) -> Self {
        self.http_01 = Some(listener);
        self
    }

    /// The https port that visitors of the http-01 listener are sent to: the public
    /// one, where another is forwarded to this endpoint; its own by default.
    #[must_use]
    pub const fn redirect_port(mut self, port: u16) -> Self {
        self.redirect_port = Some(port);
        self
    }

    /// When certificates are due.
    #[must_use]
    pub const fn policy(mut self, policy: RenewalPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How often the store is looked through; [`DEFAULT_CHECK_INTERVAL`] by default.
    #[must_use]
    pub const fn check_interval(mut self, interval: Duration) -> Self {
        self.check_interval = interval;
        self
    }

    /// Where the service's time comes from; real time by default.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Accepts connections and starts the service.
    ///
    /// It returns once the certificates of the store are loaded, or could not be: what
    /// is there is served, whatever the CA is doing. Wait for the first certificates
    /// with [`initial_check`](acme_service::ServiceHandle::initial_check).
    ///
    /// # Errors
    /// - [`EndpointError::NoCryptoProvider`] when none was given and none is installed.
    /// - [`EndpointError::Tls`] when the provider supports neither TLS 1.2 nor 1.3.
    /// - [`EndpointError::Listen`] when the listener has no address.
    #[doc(alias = "listen")]
    pub async fn start(
        self,
        listener: TcpListener,
    ) -> Result<(TlsListener, EndpointHandle), EndpointError> {
        let provider = self
            .provider
            .or_else(|| CryptoProvider::get_default().cloned())
            .ok_or(EndpointError::NoCryptoProvider)?;
        let local_addr = listener.local_addr().map_err(EndpointError::Listen)?;
        let tls_alpn_01 = TlsAlpn01Responder::new(provider.clone()).map_err(EndpointError::Tls)?;
        let resolver = CertificateResolver::new();
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(EndpointError::Tls)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver.clone()));
        config.alpn_protocols = self.protocols;

        let serving = Serving::new(resolver.clone(), provider);
        let sync = Sync {
            store: self.store.clone(),
            serving: serving.clone(),
            clock: self.clock.clone(),
        };
        // What cannot be read now is read later.
        let _ = sync.look_at_all().await;
        let listener = TlsListener::new(
            listener,
            Arc::new(config),
            resolver.clone(),
            tls_alpn_01.clone(),
        )
        .map_err(EndpointError::Listen)?;

        let http_01 = Http01Responder::new();
        let redirect_port = self.redirect_port.unwrap_or(local_addr.port());
        let http_01_port = self
            .http_01
            .map(|it| serve_http_01(&http_01, it, redirect_port));
        let store = ServingStore {
            store: self.store,
            serving,
        };
        let mut service = IssuingService::builder(Arc::new(store), self.authority)
            .clock(self.clock)
            .policy(self.policy)
            .check_interval(self.check_interval)
            .responder(Arc::new(tls_alpn_01));
        if http_01_port.is_some() {
            service = service.responder(Arc::new(http_01));
        }
        for responder in self.responders {
            service = service.responder(responder);
        }
        let service = service.start();
        if let Ok(events) = service.subscribe() {
            tokio::spawn(sync.run(events));
        }
        let handle = EndpointHandle {
            service,
            resolver,
            local_addr,
            closer: listener.closer(),
            http_01: http_01_port,
        };
        Ok((listener, handle))
    }
}

fn serve_http_01(
    responder: &Http01Responder,
    listener: TcpListener,
    https_port: u16,
) -> ListenerCloser {
    let service = responder.service().https_port(Some(https_port));
    ListenerCloser::spawn(service.serve(listener))
}

/// The way to a running endpoint. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EndpointHandle {
    service: ServiceHandle,
    resolver: CertificateResolver,
    local_addr: SocketAddr,
    closer: ListenerCloser,
    http_01: Option<ListenerCloser>,
}

impl EndpointHandle {
    /// The address that the endpoint listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The service: issue now, follow its events, wait for its first check.
    #[must_use]
    pub const fn service(&self) -> &ServiceHandle {
        &self.service
    }

    /// The certificates that handshakes get.
    #[must_use]
    pub const fn resolver(&self) -> &CertificateResolver {
        &self.resolver
    }

    /// Stops the service, then stops listening: attempts under way get the grace to
    /// finish, and until then the CA finds its answers on the port.
    ///
    /// Both ports are closed when it returns. Connections that were accepted live
    /// on. Shutting down what is shut down changes nothing.
    pub async fn shutdown(&self, grace: Duration) {
        self.service.shutdown(grace).await;
        self.closer.close();
        self.closer.closed().await;
        if let Some(http_01) = &self.http_01 {
            http_01.close();
            http_01.closed().await;
        }
    }
}

/// An endpoint could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The listener cannot be used.
    #[error("the listener cannot be used")]
    Listen(#[source] std::io::Error),
    /// No crypto provider was given and the process has none installed.
    #[error(
        "no crypto provider was given with `crypto_provider`, and the process has none installed"
    )]
    NoCryptoProvider,
    /// rustls refused the provider.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}
