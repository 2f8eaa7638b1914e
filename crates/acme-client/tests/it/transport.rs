//! Transports that record, lose and invent answers.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use acme_client::{
    Cryptography, HttpTransport, TransportError,
    messages::jose::{BoxFuture, base64url},
};
use bytes::Bytes;
use http::{Request, Response};

/// What a meddling transport does with a request.
pub(crate) enum Meddle {
    /// Sends it and gives the answer back.
    Pass,
    /// Sends it and loses the answer.
    LoseAnswer,
    /// Loses it.
    LoseRequest,
    /// Finds nobody to send it to.
    NoConnection,
    /// Never ends.
    Hang,
    /// Sends it and never ends.
    DeliverAndHang,
    /// Answers by itself.
    Answer(Response<Bytes>),
    /// Changes the answer.
    Change(Change),
}

/// One request that passed by.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) user_agent: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) nonce: Option<String>,
    /// The nonce of the answer, if there was one.
    pub(crate) answer_nonce: Option<String>,
}

type Change = Box<dyn FnOnce(&mut Response<Bytes>) + Send>;
type Rule = Box<dyn FnMut(&Request<Bytes>) -> Meddle + Send>;

/// Stands between the client and another transport, or none.
#[derive(Clone)]
pub(crate) struct Meddler {
    next: Option<Arc<dyn HttpTransport>>,
    rule: Arc<Mutex<Rule>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    delivered: Arc<AtomicBool>,
}

impl Meddler {
    pub(crate) fn over(next: impl HttpTransport) -> Self {
        Self {
            next: Some(Arc::new(next)),
            ..Self::alone(|_| Meddle::Pass)
        }
    }

    /// Nobody behind it: each request is answered by the rule.
    pub(crate) fn alone(rule: impl FnMut(&Request<Bytes>) -> Meddle + Send + 'static) -> Self {
        Self {
            next: None,
            rule: Arc::new(Mutex::new(Box::new(rule))),
            seen: Arc::default(),
            delivered: Arc::default(),
        }
    }

    pub(crate) fn rule(&self, rule: impl FnMut(&Request<Bytes>) -> Meddle + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    /// Meddles once, with the first request whose URL contains this.
    pub(crate) fn once(&self, part: &'static str, meddle: Meddle) {
        let mut meddle = Some(meddle);
        self.rule(move |request| match request.uri().path().contains(part) {
            true => meddle.take().unwrap_or(Meddle::Pass),
            false => Meddle::Pass,
        });
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Whether a request has arrived whose answer never comes.
    pub(crate) fn delivered(&self) -> bool {
        self.delivered.load(Ordering::SeqCst)
    }

    /// The nonces sent so far.
    pub(crate) fn nonces(&self) -> Vec<String> {
        self.seen().into_iter().filter_map(|it| it.nonce).collect()
    }
}

fn lost() -> TransportError {
    TransportError::new(
        "the connection broke",
        std::io::Error::other("as the test wants"),
    )
}

fn header(headers: &http::HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().unwrap().to_owned())
}

/// What a signed request says, read without a look at its signature.
pub(crate) fn payload(body: &[u8]) -> serde_json::Value {
    let jws: serde_json::Value = serde_json::from_slice(body).unwrap();
    let payload = base64url::decode(jws["payload"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap_or_default()
}

/// The nonce in the protected header of a JWS.
fn nonce(body: &[u8]) -> Option<String> {
    let jws: serde_json::Value = serde_json::from_slice(body).ok()?;
    let protected = base64url::decode(jws["protected"].as_str()?).unwrap();
    let protected: serde_json::Value = serde_json::from_slice(&protected).unwrap();
    Some(protected["nonce"].as_str()?.to_owned())
}

impl HttpTransport for Meddler {
    fn cryptography(&self) -> Option<Arc<dyn Cryptography>> {
        self.next.as_ref()?.cryptography()
    }

    fn product(&self) -> Option<&str> {
        self.next.as_ref()?.product()
    }

    fn send(
        &self,
        request: Request<Bytes>,
        max_body: usize,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let at = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(Seen {
                method: request.method().to_string(),
                url: request.uri().to_string(),
                user_agent: header(request.headers(), "user-agent"),
                body: request.body().clone(),
                nonce: nonce(request.body()),
                answer_nonce: None,
            });
            seen.len() - 1
        };
        let meddle = (self.rule.lock().unwrap())(&request);
        Box::pin(async move {
            let mut response = match meddle {
                Meddle::LoseRequest => return Err(lost()),
                Meddle::NoConnection => {
                    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                    return Err(TransportError::unsent("there is no connection", refused));
                }
                Meddle::Hang => std::future::pending().await,
                Meddle::Answer(ref response) => response.clone(),
                _ => self.next.as_ref().unwrap().send(request, max_body).await?,
            };
            match meddle {
                Meddle::DeliverAndHang => {
                    self.delivered.store(true, Ordering::SeqCst);
                    std::future::pending().await
                }
                Meddle::LoseAnswer => return Err(lost()),
                Meddle::Change(change) => change(&mut response),
                _ => {}
            }
            let nonce = header(response.headers(), "replay-nonce");
            self.seen.lock().unwrap()[at].answer_nonce = nonce;
            Ok(response)
        })
    }
}

impl fmt::Debug for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meddler").finish_non_exhaustive()
    }
}

pub(crate) fn answer(status: u16, kind: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header("content-type", kind)
        .body(body.into())
        .unwrap()
}
