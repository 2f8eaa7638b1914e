//! One CA: its directory, its nonces, and the requests that go there.

use std::{fmt, sync::Arc, time::Duration};

use acme_messages::{Clock, Directory, Timestamp};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, header};
use tokio::sync::Mutex;

use crate::{
    Error, ErrorKind, HttpTransport, Operation, SystemClock,
    nonce_pool::NoncePool,
    reply::Reply,
    retry::{self, Attempts},
};

/// How long one request may take: CAs give up on their own side after 30 seconds,
/// and their answer says more than a timeout of ours would.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(40);

/// The longest body taken in an answer, in bytes: an order of a hundred names is a tenth of it.
pub const MAX_BODY: usize = 1 << 18;

/// How often a request is signed anew after `badNonce`.
pub const BAD_NONCE_RETRIES: u32 = 5;

/// How long a directory is believed.
pub const DIRECTORY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

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
    directory: Mutex<Option<(Timestamp, Arc<Directory>)>>,
    nonces: NoncePool,
    transport: Arc<dyn HttpTransport>,
    clock: Arc<dyn Clock>,
    user_agent: HeaderValue,
    request_timeout: Duration,
    bad_nonce_retries: u32,
}

/// Settings of a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    directory_url: String,
    transport: Arc<dyn HttpTransport>,
    clock: Arc<dyn Clock>,
    user_agent: Option<String>,
    request_timeout: Duration,
    bad_nonce_retries: u32,
}

impl ClientBuilder {
    /// Where time comes from; real time by default.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The product that uses this client, as `name/version`; it goes before our
    /// own name in `User-Agent` ([RFC 8555, section 6.1]).
    ///
    /// [RFC 8555, section 6.1]: https://www.rfc-editor.org/rfc/rfc8555#section-6.1
    #[must_use]
    pub fn user_agent(mut self, product: impl Into<String>) -> Self {
        self.user_agent = Some(product.into());
        self
    }

    /// How long one request may take; [`REQUEST_TIMEOUT`] by default.
    #[must_use]
    pub const fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How often a request is signed anew after `badNonce`; [`BAD_NONCE_RETRIES`] by default.
    #[must_use]
    pub const fn bad_nonce_retries(mut self, retries: u32) -> Self {
        self.bad_nonce_retries = retries;
        self
    }

    /// Builds the client. Nothing is sent yet.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidUrl`] when the directory URL is not https.
    /// - [`ErrorKind::Request`] when the product's name cannot stand in a header.
    pub fn build(self) -> Result<Client, Error> {
        check_url(Operation::Directory, &self.directory_url)?;
        let own = concat!("acme-client/", env!("CARGO_PKG_VERSION"));
        let user_agent = match self.user_agent {
            Some(product) => format!("{product} {own}"),
            None => own.to_owned(),
        };
        let user_agent = HeaderValue::try_from(user_agent).map_err(|error| {
            Error::new(ErrorKind::Request, Operation::Directory)
                .with_detail("the user agent cannot stand in a header")
                .with_source(error)
        })?;
        Ok(Client(Arc::new(Inner {
            directory_url: self.directory_url,
            directory: Mutex::default(),
            nonces: NoncePool::default(),
            transport: self.transport,
            clock: self.clock,
            user_agent,
            request_timeout: self.request_timeout,
            bad_nonce_retries: self.bad_nonce_retries,
        })))
    }
}

impl Client {
    /// Starts a client for the CA with this directory, the URL used verbatim.
    #[doc(alias = "from_url")]
    pub fn builder(
        directory_url: impl Into<String>,
        transport: impl HttpTransport,
    ) -> ClientBuilder {
        ClientBuilder {
            directory_url: directory_url.into(),
            transport: Arc::new(transport),
            clock: Arc::new(SystemClock),
            user_agent: None,
            request_timeout: REQUEST_TIMEOUT,
            bad_nonce_retries: BAD_NONCE_RETRIES,
        }
    }

    /// The directory's URL.
    #[must_use]
    pub fn directory_url(&self) -> &str {
        &self.0.directory_url
    }

    /// The directory: fetched once, and again after [`DIRECTORY_LIFETIME`].
    ///
    /// A directory that has aged is used on when a new one cannot be had.
    ///
    /// # Errors
    /// - Those of a request; see [`ErrorKind`].
    pub async fn directory(&self) -> Result<Arc<Directory>, Error> {
        let mut kept = self.0.directory.lock().await;
        let now = self.0.clock.now();
        if let Some((since, directory)) = &*kept
            && now.duration_since(*since).unsigned_abs() < DIRECTORY_LIFETIME
        {
            return Ok(directory.clone());
        }
        match self.fetch_directory().await {
            Ok(directory) => {
                let directory = Arc::new(directory);
                *kept = Some((now, directory.clone()));
                Ok(directory)
            }
            Err(error) => match &*kept {
                Some((_, directory)) => {
                    tracing::warn!(%error, "the directory could not be refreshed");
                    Ok(directory.clone())
                }
                None => Err(error),
            },
        }
    }

    async fn fetch_directory(&self) -> Result<Directory, Error> {
        self.get(Operation::Directory, &self.0.directory_url)
            .await?
            .json()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn nonces(&self) -> &NoncePool {
        &self.0.nonces
    }

    pub(crate) fn bad_nonce_retries(&self) -> u32 {
        self.0.bad_nonce_retries
    }

    /// GET with retries: only the directory and renewal information are fetched so.
    pub(crate) async fn get(&self, operation: Operation, url: &str) -> Result<Reply, Error> {
        let mut attempts = Attempts::default();
        loop {
            let result = self
                .exchange(operation, Method::GET, url, HeaderMap::new(), Bytes::new())
                .await
                .and_then(Reply::into_success);
            match result {
                Ok(reply) => return Ok(reply),
                Err(error) => retry::pause(self, &mut attempts, error).await?,
            }
        }
    }

    /// One request and its answer, whatever its status; the answer's nonce is kept
    /// unless the answer is an error, whose nonce belongs to its retry.
    pub(crate) async fn exchange(
        &self,
        operation: Operation,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply, Error> {
        let uri = check_url(operation, url)?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, self.0.user_agent.clone());
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
        let answer = self.0.transport.send(request, MAX_BODY);
        let timeout = self.0.clock.sleep(self.0.request_timeout);
        let response = tokio::select! {
            answer = answer => answer.map_err(|error| {
                Error::new(ErrorKind::Transport, operation)
                    .with_url(url)
                    .with_source(error)
            })?,
            () = timeout => {
                return Err(Error::new(ErrorKind::Timeout, operation).with_url(url));
            }
        };
        if response.body().len() > MAX_BODY {
            let error = Error::new(ErrorKind::BadResponse, operation).with_url(url);
            return Err(error
                .with_status(response.status().as_u16())
                .with_detail(format!("the body is longer than {MAX_BODY} bytes")));
        }
        let reply = Reply::new(operation, url, response, self.0.clock.now());
        tracing::debug!(%operation, url, status = reply.status().as_u16(), "answered");
        Ok(reply)
    }
}

/// Signed requests go to https only; everything else is refused before it is sent.
fn check_url(operation: Operation, url: &str) -> Result<http::Uri, Error> {
    let refuse = || Error::new(ErrorKind::InvalidUrl, operation).with_url(url);
    let uri: http::Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| refuse().with_source(error))?;
    if uri.scheme_str() != Some("https") || uri.host().is_none_or(str::is_empty) {
        return Err(refuse());
    }
    Ok(uri)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("directory_url", &self.0.directory_url)
            .finish_non_exhaustive()
    }
}
