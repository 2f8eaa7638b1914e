//! The transport on hyper and rustls.

use std::{fmt, sync::Arc, time::Duration};

use acme_messages::jose::BoxFuture;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;

use super::{HttpTransport, TransportError};

/// How long connecting may take: a CA that does not answer by then is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an idle connection is kept: an order's polls are closer together.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// https over hyper, HTTP/1.1 or HTTP/2 as the CA offers, connections kept.
///
/// Servers are trusted as the platform does, unless the builder is told otherwise.
#[derive(Clone)]
pub struct HyperTransport {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl HyperTransport {
    /// Starts a transport.
    #[must_use]
    pub fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder::default()
    }
}

/// Settings of a [`HyperTransport`].
#[derive(Clone, Debug, Default)]
pub struct HyperTransportBuilder {
    provider: Option<Arc<CryptoProvider>>,
    only_roots: Option<Vec<CertificateDer<'static>>>,
}

impl HyperTransportBuilder {
    /// The cryptography of TLS; by default the one the process installed.
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
        let roots = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| HyperTransportError::BadRoots)?;
        if roots.is_empty() {
            return Err(HyperTransportError::BadRoots);
        }
        Ok(self.only_roots(roots))
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
            None => builder
                .with_platform_verifier()
                .map_err(HyperTransportError::Tls)?
                .with_no_client_auth(),
            Some(roots) => builder
                .with_webpki_verifier(webpki_verifier(roots, provider)?)
                .with_no_client_auth(),
        };
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        http.set_nodelay(true);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(https);
        Ok(HyperTransport { client })
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
                .map_err(|error| TransportError::new("the request was not answered", error))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, max_body)
                .collect()
                .await
                .map_err(|error| TransportError::new("the answer's body broke off", error))?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        })
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
    #[error("the root certificates cannot be used")]
    BadRoots,
    /// No crypto provider was given and the process has none installed.
    #[error("no crypto provider was given, and the process has none installed")]
    NoCryptoProvider,
    /// rustls or the platform's verifier refused.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}
