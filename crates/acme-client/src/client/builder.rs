//! Settings of a client.

use std::{sync::Arc, time::Duration};

use acme_messages::Clock;
use http::HeaderValue;

use super::{Client, Inner, url};
use crate::{
    Cryptography, Error, ErrorKind, HttpTransport, Operation, Pacing, Randomness, RetryPolicy,
    SystemClock, SystemRandomness, directory_cache::DirectoryCache, nonce_pool::NoncePool,
    pacing::Experience,
};

/// How long one request may take: CAs give up on their own side after 30 seconds,
/// and their answer says more than a timeout of ours would.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(40);

/// The longest body taken in an answer, in bytes: an order of a hundred names is a tenth of it.
pub const MAX_BODY: usize = 1 << 18;

/// How often a request is signed anew after `badNonce`.
pub const BAD_NONCE_RETRIES: u32 = 5;

/// How many authorizations of one order the CA is asked about at once.
pub const PARALLEL_AUTHORIZATIONS: usize = 4;

/// What a client goes by.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) user_agent: HeaderValue,
    pub(crate) accept_language: HeaderValue,
    pub(crate) request_timeout: Duration,
    pub(crate) max_body: usize,
    pub(crate) bad_nonce_retries: u32,
    pub(crate) retries: RetryPolicy,
    pub(crate) pacing: Pacing,
    pub(crate) parallel_authorizations: usize,
    pub(crate) http_to_loopback: bool,
}

/// Settings of a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    directory_url: String,
    transport: Arc<dyn HttpTransport>,
    cryptography: Option<Arc<dyn Cryptography>>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    product: Option<String>,
    language: String,
    settings: Settings,
}

impl ClientBuilder {
    pub(super) fn new(directory_url: String, transport: Arc<dyn HttpTransport>) -> Self {
        Self {
            directory_url,
            cryptography: transport.cryptography(),
            transport,
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness),
            product: None,
            language: "en".to_owned(),
            settings: Settings {
                user_agent: HeaderValue::from_static(OWN_NAME),
                accept_language: HeaderValue::from_static("en"),
                request_timeout: REQUEST_TIMEOUT,
                max_body: MAX_BODY,
                bad_nonce_retries: BAD_NONCE_RETRIES,
                retries: RetryPolicy::default(),
                pacing: Pacing::default(),
                parallel_authorizations: PARALLEL_AUTHORIZATIONS,
                http_to_loopback: false,
            },
        }
    }

    /// Where time comes from; real time by default.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where the pauses before a request is sent again are drawn from; the system by default.
    #[must_use]
    pub fn randomness(mut self, randomness: Arc<dyn Randomness>) -> Self {
        self.randomness = randomness;
        self
    }

    /// The product that uses this client, as `name/version`; it goes before our
    /// own name in `User-Agent` ([RFC 8555, section 6.1]).
    ///
    /// [RFC 8555, section 6.1]: https://www.rfc-editor.org/rfc/rfc8555#section-6.1
    #[must_use]
    pub fn user_agent(mut self, product: impl Into<String>) -> Self {
        self.product = Some(product.into());
        self
    }

    /// The languages of the CA's words for people, as in `Accept-Language`
    /// ([RFC 8555, section 6.1]); `en` by default.
    ///
    /// [RFC 8555, section 6.1]: https://www.rfc-editor.org/rfc/rfc8555#section-6.1
    #[must_use]
    pub fn accept_language(mut self, languages: impl Into<String>) -> Self {
        self.language = languages.into();
        self
    }

    /// How long one request may take; [`REQUEST_TIMEOUT`] by default.
    #[must_use]
    pub const fn request_timeout(mut self, timeout: Duration) -> Self {
        self.settings.request_timeout = timeout;
        self
    }

    /// The longest body taken in an answer, in bytes; [`MAX_BODY`] by default.
    #[must_use]
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.settings.max_body = bytes;
        self
    }

    /// What account keys in memory sign with, and chains are checked with; the transport's by
    /// default. With `None` keys sign by themselves, and their bytes go nowhere else.
    #[must_use]
    pub fn cryptography(mut self, cryptography: Option<Arc<dyn Cryptography>>) -> Self {
        self.cryptography = cryptography;
        self
    }

    /// How often a request is signed anew after `badNonce`; [`BAD_NONCE_RETRIES`] by default.
    #[must_use]
    pub const fn bad_nonce_retries(mut self, retries: u32) -> Self {
        self.settings.bad_nonce_retries = retries;
        self
    }

    /// How requests are sent again after the network's and the CA's own troubles.
    #[must_use]
    pub const fn retries(mut self, retries: RetryPolicy) -> Self {
        self.settings.retries = retries;
        self
    }

    /// How often the CA is looked at while it works, and how long it may take.
    #[must_use]
    pub const fn pacing(mut self, pacing: Pacing) -> Self {
        self.settings.pacing = pacing;
        self
    }

    /// How many authorizations of one order the CA is asked about at once;
    /// [`PARALLEL_AUTHORIZATIONS`] by default, 1 at least.
    #[must_use]
    pub const fn parallel_authorizations(mut self, width: usize) -> Self {
        self.settings.parallel_authorizations = if width == 0 { 1 } else { width };
        self
    }

    /// Speaks plain HTTP to addresses of this machine, as a CA in a test does.
    ///
    /// The transport must speak it too. Nobody but who listens on this machine reads along;
    /// to all other hosts it stays https.
    #[must_use]
    pub const fn danger_http_to_loopback(mut self, allow: bool) -> Self {
        self.settings.http_to_loopback = allow;
        self
    }

    /// Builds the client. Nothing is sent yet.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidUrl`] when the directory URL is not https.
    /// - [`ErrorKind::Request`] when the product's name or a language cannot stand in a header.
    pub fn build(mut self) -> Result<Client, Error> {
        url::check(
            Operation::Directory,
            &self.directory_url,
            self.settings.http_to_loopback,
        )?;
        let products = [
            self.product.as_deref(),
            Some(OWN_NAME),
            self.transport.product(),
        ];
        let products: Vec<_> = products.into_iter().flatten().collect();
        self.settings.user_agent = header(products.join(" "))?;
        self.settings.accept_language = header(self.language)?;
        Ok(Client(Arc::new(Inner {
            directory_url: self.directory_url,
            directory: DirectoryCache::default(),
            nonces: NoncePool::default(),
            transport: self.transport,
            cryptography: self.cryptography,
            clock: self.clock,
            randomness: self.randomness,
            experience: Experience::default(),
            settings: self.settings,
        })))
    }
}

/// What goes into each `User-Agent`.
const OWN_NAME: &str = concat!("acme-client/", env!("CARGO_PKG_VERSION"));

fn header(text: String) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(text).map_err(|error| {
        Error::new(ErrorKind::Request, Operation::Directory)
            .with_detail("the product's name or a language cannot stand in a header")
            .with_source(error)
    })
}
