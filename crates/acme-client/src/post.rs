//! Signed requests: the JWS layer of RFC 8555, for those who speak something unusual too.

use std::sync::Arc;

use acme_messages::{
    ProblemType,
    jose::{AsyncSigner, FlattenedJws, Nonce, ProtectedHeader},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tracing::Instrument;

use crate::{Client, Error, ErrorKind, Operation, Reply, nonce_pool::Lease, retry::Attempts};

/// Who a request is from: an account by its URL, or a bare key ([RFC 8555, section 6.2]).
///
/// [RFC 8555, section 6.2]: https://www.rfc-editor.org/rfc/rfc8555#section-6.2
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Sender {
    /// An account: `kid` is its URL, the exact text received.
    Account {
        /// The account's key.
        signer: Arc<dyn AsyncSigner>,
        /// The account's URL.
        url: Arc<str>,
    },
    /// A key by itself, as `jwk`: for `newAccount`, and for revocation with a certificate's key.
    Key(Arc<dyn AsyncSigner>),
}

impl Sender {
    fn signer(&self) -> &dyn AsyncSigner {
        match self {
            Self::Account { signer, .. } | Self::Key(signer) => &**signer,
        }
    }

    fn header(&self, url: &str) -> ProtectedHeader {
        let signer = self.signer();
        match self {
            Self::Account { url: kid, .. } => {
                ProtectedHeader::with_kid(signer.algorithm(), &**kid, url)
            }
            Self::Key(_) => ProtectedHeader::with_jwk(signer.public_jwk().clone(), url),
        }
    }
}

/// Whether a request may be sent again when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing, or nothing more the second time.
    Safe,
    /// It would do its work twice: it is sent again only when nothing of it was sent.
    Unsafe,
}

impl Client {
    /// Signs a payload and sends it; the answer is a success.
    ///
    /// Each attempt is signed anew with a nonce that no other request used.
    /// After `badNonce` that is the nonce of the error itself ([RFC 8555, section 6.5]).
    ///
    /// ```
    /// # #[cfg(feature = "hyper")]
    /// use acme_client::{Client, Error, Operation, Repeat, Sender};
    ///
    /// # #[cfg(feature = "hyper")]
    /// # async fn example(client: &Client, sender: &Sender) -> Result<(), Error> {
    /// // Cancels an automatically renewed order (RFC 8739), which this crate knows nothing about.
    /// let url = "https://ca.example/order/1";
    /// let payload = br#"{"status":"canceled"}"#;
    /// let reply = client.post(Operation::Custom, sender, url, payload, Repeat::Safe).await?;
    /// println!("{} {:?}", reply.status(), reply.retry_after());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidUrl`] when the URL is not https.
    /// - [`ErrorKind::Sign`] when the key cannot sign; nothing was sent then.
    /// - [`ErrorKind::Problem`] and [`ErrorKind::BadResponse`] when the answer is no success;
    ///   a redirect is none.
    /// - [`ErrorKind::Transport`] and [`ErrorKind::Timeout`] when there is no answer.
    ///
    /// [RFC 8555, section 6.5]: https://www.rfc-editor.org/rfc/rfc8555#section-6.5
    pub async fn post(
        &self,
        operation: Operation,
        sender: &Sender,
        url: &str,
        payload: &[u8],
        repeat: Repeat,
    ) -> Result<Reply, Error> {
        let span = tracing::debug_span!("acme.request", operation = operation.as_str(), url);
        self.post_repeatedly(operation, sender, url, payload, repeat)
            .instrument(span)
            .await
    }

    /// Fetches a resource: a POST whose payload is empty ([RFC 8555, section 6.3]).
    ///
    /// # Errors
    /// - As [`post`](Self::post).
    ///
    /// [RFC 8555, section 6.3]: https://www.rfc-editor.org/rfc/rfc8555#section-6.3
    pub async fn post_as_get(
        &self,
        operation: Operation,
        sender: &Sender,
        url: &str,
    ) -> Result<Reply, Error> {
        self.post(operation, sender, url, b"", Repeat::Safe).await
    }

    async fn post_repeatedly(
        &self,
        operation: Operation,
        sender: &Sender,
        url: &str,
        payload: &[u8],
        repeat: Repeat,
    ) -> Result<Reply, Error> {
        let mut attempts = Attempts::new(self);
        let (mut sent, mut bad_nonces) = (0, 0);
        let mut next_nonce = None;
        loop {
            let nonce = match next_nonce.take() {
                Some(nonce) => nonce,
                None => self.nonce().await?,
            };
            let used = nonce.clone();
            sent += 1;
            let result = self.post_once(operation, sender, url, payload, nonce).await;
            let error = match result {
                Ok((Ok(reply), nonce)) => {
                    self.nonces().keep(nonce, self.clock().now());
                    return Ok(reply.at_attempt(sent));
                }
                Ok((Err(error), nonce)) => {
                    if error.has_problem(&ProblemType::BadNonce)
                        && bad_nonces < self.settings().bad_nonce_retries
                    {
                        bad_nonces += 1;
                        self.nonces().clear();
                        next_nonce = nonce.filter(|it| *it != used);
                        continue;
                    }
                    self.nonces().keep(nonce, self.clock().now());
                    error
                }
                Err(error) => error,
            };
            let error = error.with_attempts(sent);
            if repeat == Repeat::Unsafe && !error.is_unsent() {
                return Err(error);
            }
            attempts.pause(self, error).await?;
        }
    }

    async fn post_once(
        &self,
        operation: Operation,
        sender: &Sender,
        url: &str,
        payload: &[u8],
        nonce: Nonce,
    ) -> Result<(Result<Reply, Error>, Option<Nonce>), Error> {
        // A key may take its time to sign: whoever gives up meanwhile puts the nonce back.
        let lease = Lease::new(self.nonces(), nonce.clone(), self.clock().now());
        let protected = sender.header(url).nonce(nonce.clone());
        let jws = FlattenedJws::sign_async(sender.signer(), protected, payload)
            .await
            .map_err(|error| {
                Error::new(ErrorKind::Sign, operation)
                    .with_url(url)
                    .with_source(error)
            })?;
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/jose+json"),
        );
        if operation == Operation::Certificate {
            headers.insert(
                header::ACCEPT,
                HeaderValue::from_static("application/pem-certificate-chain"),
            );
        }
        let body = Bytes::from(jws.to_json());
        lease.spend();
        let answer = self.exchange(operation, Method::POST, url, headers, body);
        match answer.await {
            Ok(reply) => {
                let nonce = reply.nonce();
                Ok((reply.into_success(), nonce))
            }
            Err(error) => {
                if error.is_unsent() {
                    self.nonces().keep(Some(nonce), self.clock().now());
                }
                Err(error)
            }
        }
    }

    /// The nonce of an answer to HEAD, or that of an answer to GET where something between this
    /// machine and the CA knows no HEAD ([RFC 8555, section 7.2]).
    ///
    /// [RFC 8555, section 7.2]: https://www.rfc-editor.org/rfc/rfc8555#section-7.2
    async fn nonce_of(&self, head: &Reply) -> Option<Nonce> {
        if let Some(nonce) = head.nonce() {
            return Some(nonce);
        }
        let refused = [StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_IMPLEMENTED];
        if !head.status().is_success() && !refused.contains(&head.status()) {
            return None;
        }
        let (operation, method) = (Operation::NewNonce, Method::GET);
        let get = self.exchange(
            operation,
            method,
            head.url(),
            HeaderMap::new(),
            Bytes::new(),
        );
        get.await.ok()?.nonce()
    }

    /// A nonce that nobody has used: one at hand, or a fresh one.
    async fn nonce(&self) -> Result<Nonce, Error> {
        if let Some(nonce) = self.nonces().take(self.clock().now()) {
            return Ok(nonce);
        }
        let mut directory = self.directory().await?;
        let mut attempts = Attempts::new(self);
        let mut sent = 0;
        loop {
            sent += 1;
            let url = &directory.new_nonce;
            let error = match self.head(Operation::NewNonce, url).await {
                // Any status will do, as long as there is a nonce.
                Ok(reply) => match self.nonce_of(&reply).await {
                    Some(nonce) => return Ok(nonce),
                    None => match reply.into_success() {
                        Ok(reply) => reply.bad_response("there is no Replay-Nonce"),
                        Err(error) => error,
                    },
                },
                Err(error) => error,
            };
            if sent == 1
                && let Some(new) = self
                    .moved(&error, &directory, |it| Some(it.new_nonce.clone()))
                    .await
            {
                directory = new;
                continue;
            }
            attempts.pause(self, error.with_attempts(sent)).await?;
        }
    }
}
