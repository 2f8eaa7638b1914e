//! Signed requests: the JWS layer of RFC 8555, for those who speak something unusual too.

use std::sync::Arc;

use acme_messages::{
    ProblemType,
    jose::{AsyncSigner, FlattenedJws, Nonce, ProtectedHeader},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};

use crate::{
    Client, Error, ErrorKind, Operation,
    reply::Reply,
    retry::{self, Attempts},
};

/// Who a request is from: an account by its URL, or a bare key.
#[derive(Clone, Debug)]
pub(crate) enum Sender {
    Account {
        signer: Arc<dyn AsyncSigner>,
        url: Arc<str>,
    },
    Key(Arc<dyn AsyncSigner>),
}

impl Sender {
    fn signer(&self) -> &dyn AsyncSigner {
        match self {
            Self::Account { signer, .. } | Self::Key(signer) => &**signer,
        }
    }

    fn header(&self, url: &str, nonce: Nonce) -> ProtectedHeader {
        let signer = self.signer();
        match self {
            Self::Account { url: kid, .. } => {
                ProtectedHeader::with_kid(signer.algorithm(), &**kid, url)
            }
            Self::Key(_) => ProtectedHeader::with_jwk(signer.public_jwk().clone(), url),
        }
        .nonce(nonce)
    }
}

/// Whether a request may be sent again when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing, or nothing more the second time.
    Safe,
    /// It would do its work twice.
    Unsafe,
}

impl Client {
    /// Signs a payload and sends it; the answer is a success.
    ///
    /// Each attempt is signed anew with a nonce that no other request used.
    /// After `badNonce` that is the nonce of the error itself.
    pub(crate) async fn post(
        &self,
        operation: Operation,
        sender: &Sender,
        url: &str,
        payload: &[u8],
        repeat: Repeat,
    ) -> Result<Reply, Error> {
        let mut attempts = Attempts::default();
        let mut bad_nonces = 0;
        let mut next_nonce = None;
        loop {
            let nonce = match next_nonce.take() {
                Some(nonce) => nonce,
                None => self.nonce().await?,
            };
            let used = nonce.clone();
            let result = self.post_once(operation, sender, url, payload, nonce).await;
            let error = match result {
                Ok((Ok(reply), nonce)) => {
                    self.nonces().keep(nonce);
                    return Ok(reply);
                }
                Ok((Err(error), nonce)) => {
                    let problem = error.problem().map(|it| &it.kind);
                    if problem == Some(&ProblemType::BadNonce)
                        && bad_nonces < self.bad_nonce_retries()
                    {
                        bad_nonces += 1;
                        self.nonces().clear();
                        next_nonce = nonce.filter(|it| *it != used);
                        continue;
                    }
                    self.nonces().keep(nonce);
                    error
                }
                Err(error) => error,
            };
            match repeat {
                Repeat::Safe => retry::pause(self, &mut attempts, error).await?,
                Repeat::Unsafe => return Err(error),
            }
        }
    }

    /// Fetches a resource: a POST whose payload is empty ([RFC 8555, section 6.3]).
    ///
    /// [RFC 8555, section 6.3]: https://www.rfc-editor.org/rfc/rfc8555#section-6.3
    pub(crate) async fn post_as_get(
        &self,
        operation: Operation,
        sender: &Sender,
        url: &str,
    ) -> Result<Reply, Error> {
        self.post(operation, sender, url, b"", Repeat::Safe).await
    }

    async fn post_once(
        &self,
        operation: Operation,
        sender: &Sender,
        url: &str,
        payload: &[u8],
        nonce: Nonce,
    ) -> Result<(Result<Reply, Error>, Option<Nonce>), Error> {
        let jws = FlattenedJws::sign_async(sender.signer(), &sender.header(url, nonce), payload)
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
        let reply = self
            .exchange(operation, Method::POST, url, headers, body)
            .await?;
        let nonce = reply.nonce();
        Ok((reply.into_success(), nonce))
    }

    /// A nonce that nobody has used: one at hand, or a fresh one.
    async fn nonce(&self) -> Result<Nonce, Error> {
        if let Some(nonce) = self.nonces().take() {
            return Ok(nonce);
        }
        let url = self.directory().await?.new_nonce.clone();
        let mut attempts = Attempts::default();
        loop {
            let result = self
                .exchange(
                    Operation::NewNonce,
                    Method::HEAD,
                    &url,
                    HeaderMap::new(),
                    Bytes::new(),
                )
                .await;
            let error = match result {
                // Any status will do, as long as there is a nonce.
                Ok(reply) => match reply.nonce() {
                    Some(nonce) => return Ok(nonce),
                    None => match reply.into_success() {
                        Ok(reply) => reply.bad_response("there is no Replay-Nonce"),
                        Err(error) => error,
                    },
                },
                Err(error) => error,
            };
            retry::pause(self, &mut attempts, error).await?;
        }
    }
}
