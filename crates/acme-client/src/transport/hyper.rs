//! The transport on hyper and rustls.

mod connector;
mod proxy;

use std::{error::Error, fmt, io, iter, sync::Arc, time::Duration};

use acme_messages::jose::BoxFuture;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::{BuilderVerifierExt, Verifier};

use super::{HttpTransport, TransportError};
use crate::Cryptography;
use connector::{Bounded, Dial};

pub use proxy::{InvalidProxy, Proxy};

/// How long connecting may take, TLS included: a CA that does not answer by then is down.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an idle connection is kept: an order's polls are closer together.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the CA may be silent on an HTTP/2 connection before it is asked whether it is there,
/// and then to say that it is: a firewall that forgets a connection says so to nobody, and one
/// that is dead would be used for each request to come.
const SILENCE: Duration = Duration::from_secs(10);

/// https over hyper, HTTP/1.1 or HTTP/2 as the CA offers, connections kept.
///
/// Servers are trusted as the platform does, unless the builder is told otherwise.
/// A request is sent a second time only when the connection it was meant for turned out to be
/// closed before any of it was written; what an HTTP/2 server refuses unseen counts as not sent.
#[derive(Clone)]
pub struct HyperTransport {
    client: Client<Bounded, Full<Bytes>>,
    provider: Arc<CryptoProvider>,
}

impl HyperTransport {
    /// Starts a transport.
    #[must_use]
    pub fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder::default()
    }
}

/// Settings of a [`HyperTransport`].
#[derive(Clone, Debug)]
pub struct HyperTransportBuilder {
    provider: Option<Arc<CryptoProvider>>,
    only_roots: Option<Vec<CertificateDer<'static>>>,
    extra_roots: Vec<CertificateDer<'static>>,
    proxy: Option<Proxy>,
    connect_timeout: Duration,
    http: bool,
}

impl Default for HyperTransportBuilder {
    fn default() -> Self {
        Self {
            provider: None,
            only_roots: None,
            extra_roots: Vec::new(),
            proxy: None,
            connect_timeout: CONNECT_TIMEOUT,
            http: false,
        }
    }
}

impl HyperTransportBuilder {
    /// The cryptography of TLS, lent to account keys and for the check of chains too, as
    /// [`Cryptography`] says; by default the one the process installed.
    #[must_use]
    pub fn crypto_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Trusts these roots for the CA's own https, and no others.
    #[must_use]
    pub fn only_roots(mut self, roots: Vec<CertificateDer<'static>>) -> Self {
        self.only_roots = Some(roots);
        self
    }

    /// As [`only_roots`](Self::only_roots), from a PEM text.
    ///
    /// # Errors
    /// - [`HyperTransportError::BadRoots`] when the text holds no certificate, or a damaged one.
    pub fn only_roots_pem(self, pem: &[u8]) -> Result<Self, HyperTransportError> {
        read_roots(pem).map(|roots| self.only_roots(roots))
    }

    /// Trusts these roots for the CA's own https beside those of the platform: for a CA of one's
    /// own and public ones through one transport.
    #[must_use]
    pub fn extra_roots(mut self, roots: Vec<CertificateDer<'static>>) -> Self {
        self.extra_roots = roots;
        self
    }

    /// As [`extra_roots`](Self::extra_roots), from a PEM text.
    ///
    /// # Errors
    /// - [`HyperTransportError::BadRoots`] when the text holds no certificate, or a damaged one.
    pub fn extra_roots_pem(self, pem: &[u8]) -> Result<Self, HyperTransportError> {
        read_roots(pem).map(|roots| self.extra_roots(roots))
    }

    /// Goes through a proxy; directly by default, whatever the environment says.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// How long connecting may take, TLS included; [`CONNECT_TIMEOUT`] by default.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Speaks plain HTTP too, where a URL says so: for a CA in a test.
    ///
    /// A [`Client`](crate::Client) has a setting of its own for that.
    #[must_use]
    pub const fn danger_plain_http(mut self, allow: bool) -> Self {
        self.http = allow;
        self
    }

    /// Builds the transport. Nothing is connected yet.
    ///
    /// # Errors
    /// - [`HyperTransportError::NoCryptoProvider`] when none was given and none is installed.
    /// - [`HyperTransportError::BadRoots`] when a root is not a usable trust anchor.
    /// - [`HyperTransportError::Tls`] when the platform's trust cannot be loaded.
    pub fn build(self) -> Result<HyperTransport, HyperTransportError> {
        let provider = self
            .provider
            .or_else(|| CryptoProvider::get_default().cloned())
            .ok_or(HyperTransportError::NoCryptoProvider)?;
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(HyperTransportError::Tls)?;
        let config = match self.only_roots {
            Some(roots) => builder
                .with_webpki_verifier(webpki_verifier(roots, provider.clone())?)
                .with_no_client_auth(),
            None if self.extra_roots.is_empty() => builder
                .with_platform_verifier()
                .map_err(HyperTransportError::Tls)?
                .with_no_client_auth(),
            None => {
                let verifier = Verifier::new_with_extra_roots(self.extra_roots, provider.clone());
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(
                        verifier.map_err(HyperTransportError::Tls)?,
                    ))
                    .with_no_client_auth()
            }
        };
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(self.connect_timeout));
        http.set_nodelay(true);
        let https = HttpsConnectorBuilder::new().with_tls_config(config);
        let https = match self.http {
            true => https.https_or_http(),
            false => https.https_only(),
        };
        let https = https
            .enable_http1()
            .enable_http2()
            .wrap_connector(Dial::new(http, self.proxy));
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .http2_keep_alive_interval(SILENCE)
            .http2_keep_alive_timeout(SILENCE)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(Bounded::new(https, self.connect_timeout));
        Ok(HyperTransport { client, provider })
    }
}

fn read_roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, HyperTransportError> {
    let roots = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    match roots {
        Ok(roots) if !roots.is_empty() => Ok(roots),
        _ => Err(HyperTransportError::BadRoots),
    }
}

fn webpki_verifier(
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<rustls::client::WebPkiServerVerifier>, HyperTransportError> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root).map_err(|_| HyperTransportError::BadRoots)?;
    }
    rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider)
        .build()
        .map_err(|_| HyperTransportError::BadRoots)
}

/// Whether the server says that it has done nothing with a request: it is going away, or refuses
/// the stream ([RFC 9113, section 8.7]). Each does so that limits the requests of a connection.
///
/// [RFC 9113, section 8.7]: https://www.rfc-editor.org/rfc/rfc9113#section-8.7
fn is_unprocessed(error: &(dyn Error + 'static)) -> bool {
    let causes = iter::successors(Some(error), |it| (*it).source());
    causes
        .filter_map(|it| it.downcast_ref::<h2::Error>())
        .any(|it| {
            let going = it.is_go_away() && it.reason() == Some(h2::Reason::NO_ERROR);
            let refused = it.is_reset() && it.reason() == Some(h2::Reason::REFUSED_STREAM);
            it.is_remote() && (going || refused)
        })
}

/// What a CA meets whose own HTTPS is vouched for by itself, as most inside a company.
const NO_ROOT: &str = "the CA's HTTPS leads to no root that is trusted here, which \
                       `extra_roots_pem` and `only_roots_pem` are for";

/// Whether a connection failed because nobody vouches for the server.
fn leads_to_no_root(error: &(dyn Error + 'static)) -> bool {
    let mut causes = iter::successors(Some(error), |it| match it.downcast_ref::<io::Error>() {
        // What it was made of is not among its sources.
        Some(made_of) => made_of.get_ref().map(|it| it as _),
        None => (*it).source(),
    });
    let unknown = rustls::CertificateError::UnknownIssuer;
    let unknown = rustls::Error::InvalidCertificate(unknown);
    causes.any(|it| it.downcast_ref() == Some(&unknown))
}

impl HttpTransport for HyperTransport {
    fn send(
        &self,
        request: Request<Bytes>,
        max_body: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let response = self
                .client
                .request(request.map(Full::new))
                .await
                .map_err(|error| {
                    if leads_to_no_root(&error) {
                        TransportError::unsent(NO_ROOT, error)
                    } else if error.is_connect() {
                        TransportError::unsent("there is no connection", error)
                    } else if is_unprocessed(&error) {
                        TransportError::unsent("the connection took no more requests", error)
                    } else {
                        TransportError::new("the request was not answered", error)
                    }
                })?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, max_body)
                .collect()
                .await
                .map_err(|error| match error.is::<LengthLimitError>() {
                    true => TransportError::body_too_long(),
                    false => TransportError::new("the answer's body broke off", error),
                })?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        })
    }

    fn cryptography(&self) -> Option<Arc<dyn Cryptography>> {
        Some(self.provider.clone())
    }

    fn product(&self) -> Option<&str> {
        Some("hyper/1")
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").finish_non_exhaustive()
    }
}

/// A transport could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HyperTransportError {
    /// A root certificate is missing, damaged, or no trust anchor.
    #[error("there is no root certificate in PEM, or a damaged one")]
    BadRoots,
    /// No crypto provider was given and the process has none installed.
    #[error(
        "no crypto provider was given with `crypto_provider`, and the process has none installed"
    )]
    NoCryptoProvider,
    /// rustls or the platform's verifier refused.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}
