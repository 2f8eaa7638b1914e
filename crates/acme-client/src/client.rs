//! One CA: its directory, its nonces, and the requests that go there.

mod builder;
mod url;

use std::{fmt, sync::Arc};

use acme_messages::Clock;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, header};
use tracing::Instrument;

pub(crate) use builder::Settings;
pub use builder::{
    BAD_NONCE_RETRIES, ClientBuilder, MAX_BODY, PARALLEL_AUTHORIZATIONS, REQUEST_TIMEOUT,
};

use crate::{
    Cryptography, Error, ErrorKind, HttpTransport, Operation, Randomness, Reply, RetryPolicy,
    TransportError, TransportFailure, directory_cache::DirectoryCache, nonce_pool::NoncePool,
    pacing::Experience, retry::Attempts,
};

/// A CA to talk to. Cheap to clone; clones share nonces, directory and connections.
///
/// ```no_run
/// # #[cfg(feature = "hyper")]
/// use acme_client::{Client, HyperTransport, messages::directory_urls};
///
/// # #[cfg(feature = "hyper")]
/// # async fn example(provider: std::sync::Arc<rustls::crypto::CryptoProvider>)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// let transport = HyperTransport::builder().crypto_provider(provider).build()?;
/// let client = Client::builder(directory_urls::LETS_ENCRYPT_STAGING, transport).build()?;
/// println!("{:?}", client.directory().await?.meta.terms_of_service);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    directory_url: String,
    directory: DirectoryCache,
    nonces: NoncePool,
    transport: Arc<dyn HttpTransport>,
    cryptography: Option<Arc<dyn Cryptography>>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    experience: Experience,
    settings: Settings,
}

impl Client {
    /// Starts a client for the CA with this directory, the URL used verbatim.
    #[doc(alias = "from_url")]
    pub fn builder(
        directory_url: impl Into<String>,
        transport: impl HttpTransport,
    ) -> ClientBuilder {
        ClientBuilder::new(directory_url.into(), Arc::new(transport))
    }

    /// The directory's URL.
    #[must_use]
    pub fn directory_url(&self) -> &str {
        &self.0.directory_url
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn randomness(&self) -> &dyn Randomness {
        &*self.0.randomness
    }

    pub(crate) fn nonces(&self) -> &NoncePool {
        &self.0.nonces
    }

    pub(crate) fn directory_cache(&self) -> &DirectoryCache {
        &self.0.directory
    }

    pub(crate) fn cryptography(&self) -> Option<&dyn Cryptography> {
        self.0.cryptography.as_deref()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn retries(&self) -> RetryPolicy {
        self.0.settings.retries
    }

    pub(crate) fn experience(&self) -> &Experience {
        &self.0.experience
    }

    /// Fetches what needs no signature: the directory, renewal information, and no more
    /// ([RFC 8555, section 6.3]). The answer is a success.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidUrl`] when the URL is not https.
    /// - [`ErrorKind::Problem`] and [`ErrorKind::BadResponse`] when the answer is no success;
    ///   a redirect is none.
    /// - [`ErrorKind::Transport`] and [`ErrorKind::Timeout`] when there is no answer.
    ///
    /// [RFC 8555, section 6.3]: https://www.rfc-editor.org/rfc/rfc8555#section-6.3
    pub async fn get(&self, operation: Operation, url: &str) -> Result<Reply, Error> {
        let repeatedly = async {
            let mut attempts = Attempts::new(self);
            let mut sent = 0;
            loop {
                sent += 1;
                let result = self.send(operation, Method::GET, url).await;
                match result.and_then(Reply::into_success) {
                    Ok(reply) => return Ok(reply.at_attempt(sent)),
                    Err(error) => attempts.pause(self, error.with_attempts(sent)).await?,
                }
            }
        };
        let span = tracing::debug_span!("acme.request", operation = operation.as_str(), url);
        repeatedly.instrument(span).await
    }

    /// Asks for the headers alone, once, and gives the answer back whatever its status.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidUrl`] when the URL is not https.
    /// - [`ErrorKind::Transport`] and [`ErrorKind::Timeout`] when there is no answer.
    pub async fn head(&self, operation: Operation, url: &str) -> Result<Reply, Error> {
        self.send(operation, Method::HEAD, url).await
    }

    async fn send(&self, operation: Operation, method: Method, url: &str) -> Result<Reply, Error> {
        self.exchange(operation, method, url, HeaderMap::new(), Bytes::new())
            .await
    }

    /// One request and its answer, whatever its status; the answer's nonce is the caller's.
    pub(crate) async fn exchange(
        &self,
        operation: Operation,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply, Error> {
        let settings = self.settings();
        let uri = url::check(operation, url, settings.http_to_loopback)?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let headers = request.headers_mut();
        // RFC 9110, section 12.5.3: who says nothing gets bodies in any coding.
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        headers.insert(header::USER_AGENT, settings.user_agent.clone());
        headers.insert(header::ACCEPT_LANGUAGE, settings.accept_language.clone());
        let answer = self.0.transport.send(request, settings.max_body);
        let timeout = self.clock().sleep(settings.request_timeout);
        let response = tokio::select! {
            answer = answer => answer.map_err(|error| unanswered(operation, error).with_url(url))?,
            () = timeout => {
                return Err(Error::new(ErrorKind::Timeout, operation).with_url(url));
            }
        };
        if response.body().len() > settings.max_body {
            let error = unanswered(operation, TransportError::body_too_long());
            return Err(error.with_url(url).with_status(response.status().as_u16()));
        }
        let reply = Reply::new(operation, url, response, self.clock().now());
        tracing::debug!(status = reply.status().as_u16(), "answered");
        Ok(reply)
    }
}

fn unanswered(operation: Operation, error: TransportError) -> Error {
    let kind = match error.failure() {
        TransportFailure::BodyTooLong => ErrorKind::BadResponse,
        _ => ErrorKind::Transport,
    };
    Error::new(kind, operation)
        .with_unsent(error.failure() == TransportFailure::Unsent)
        .with_source(error)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("directory_url", &self.0.directory_url)
            .finish_non_exhaustive()
    }
}
