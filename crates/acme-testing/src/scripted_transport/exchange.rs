//! One request that is expected, and its answer.

use std::fmt;

use acme_client::{TransportError, messages::Problem};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;
use serde_json::Value;

use crate::{InjectedFault, ReceivedRequest};

type Check = Box<dyn Fn(&ReceivedRequest) -> bool + Send>;
type AnswerWith = Box<dyn FnOnce(&ReceivedRequest) -> Response<Bytes> + Send>;

/// A request that a [`ScriptedTransport`](crate::ScriptedTransport) expects, and what it answers:
/// status 200 and nothing else unless told otherwise.
///
/// ```
/// use acme_testing::Exchange;
/// use serde_json::json;
///
/// let exchange = Exchange::post("https://ca.example/account")
///     .payload(json!({ "termsOfServiceAgreed": true }))
///     .checked("a key", |it| it.protected().is_some_and(|it| it.jwk.is_some()))
///     .status(201)
///     .header("location", "https://ca.example/account/1")
///     .nonce("bm9uY2U")
///     .json(json!({ "status": "valid" }));
/// assert_eq!(exchange.to_string(), "POST https://ca.example/account");
/// ```
pub struct Exchange {
    method: Method,
    url: String,
    checks: Vec<(String, Check)>,
    answer: Response<Bytes>,
    instead: Option<Instead>,
}

/// What is done instead of giving the answer that was put together.
enum Instead {
    AnswerWith(AnswerWith),
    Lose,
}

impl Exchange {
    /// Expects a GET of this URL.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// Expects a HEAD of this URL.
    pub fn head(url: impl Into<String>) -> Self {
        Self::new(Method::HEAD, url)
    }

    /// Expects a POST to this URL whose body is a JWS for it
    /// ([RFC 8555, section 6.2](https://www.rfc-editor.org/rfc/rfc8555#section-6.2)).
    pub fn post(url: impl Into<String>) -> Self {
        let exchange = Self::new(Method::POST, url);
        let signed = exchange.url.clone();
        exchange.checked("a JWS for this URL", move |request| {
            request.protected().is_some_and(|it| it.url == signed)
        })
    }

    /// Expects a POST-as-GET of this URL
    /// ([RFC 8555, section 6.3](https://www.rfc-editor.org/rfc/rfc8555#section-6.3)).
    pub fn post_as_get(url: impl Into<String>) -> Self {
        Self::post(url).checked("an empty payload", ReceivedRequest::is_post_as_get)
    }

    fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            checks: Vec::new(),
            answer: Response::new(Bytes::new()),
            instead: None,
        }
    }

    /// Expects this JSON for a payload, the order of its members aside.
    #[must_use]
    pub fn payload(self, expected: Value) -> Self {
        self.checked(format!("the payload {expected}"), move |request| {
            request.payload_json::<Value>().as_ref() == Some(&expected)
        })
    }

    /// Expects something more of the request; `what` says it in a few words.
    #[must_use]
    pub fn checked(
        mut self,
        what: impl Into<String>,
        check: impl Fn(&ReceivedRequest) -> bool + Send + 'static,
    ) -> Self {
        self.checks.push((what.into(), Box::new(check)));
        self
    }

    /// Answers with this status.
    ///
    /// # Panics
    /// - When it is no status.
    #[track_caller]
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("a status is a number from 100 to 999");
        *self.answer.status_mut() = status;
        self
    }

    /// Adds a header to the answer.
    ///
    /// # Panics
    /// - When the name or the value cannot be one.
    #[track_caller]
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("the name of a header");
        let value = HeaderValue::try_from(value).expect("the value of a header");
        self.answer.headers_mut().append(name, value);
        self
    }

    /// Adds a nonce to the answer.
    ///
    /// # Panics
    /// - When it cannot be the value of a header.
    #[track_caller]
    #[must_use]
    pub fn nonce(self, nonce: &str) -> Self {
        self.header("replay-nonce", nonce)
    }

    /// Answers with this body, and says nothing about its type.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.answer.body_mut() = body.into();
        self
    }

    /// Answers with this JSON.
    ///
    /// # Panics
    /// - When the value has no JSON, as a map whose keys are no texts.
    #[track_caller]
    #[must_use]
    pub fn json(self, value: impl Serialize) -> Self {
        self.typed("application/json", &value)
    }

    /// Answers with this problem, and its status if it has one
    /// ([RFC 9457, section 3](https://www.rfc-editor.org/rfc/rfc9457#section-3)).
    ///
    /// # Panics
    /// - When its status is none.
    #[track_caller]
    #[must_use]
    pub fn problem(self, problem: &Problem) -> Self {
        let exchange = match problem.status {
            Some(status) => self.status(status),
            None => self,
        };
        exchange.typed("application/problem+json", problem)
    }

    /// Answers with what this makes of the request, whatever else is said of the answer.
    #[must_use]
    pub fn answer_with(
        mut self,
        answer: impl FnOnce(&ReceivedRequest) -> Response<Bytes> + Send + 'static,
    ) -> Self {
        self.instead = Some(Instead::AnswerWith(Box::new(answer)));
        self
    }

    /// Loses the answer: the request came, and the connection broke.
    #[must_use]
    pub fn lost(mut self) -> Self {
        self.instead = Some(Instead::Lose);
        self
    }

    #[track_caller]
    fn typed(self, kind: &'static str, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("what is answered has a JSON");
        let mut exchange = self.body(body);
        let headers = exchange.answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        exchange
    }

    /// Why a request is not the one expected.
    pub(super) fn refuses(&self, request: &ReceivedRequest) -> Option<String> {
        if *request.method() != self.method || request.url() != self.url {
            return Some("another method or URL".to_owned());
        }
        let failed = self.checks.iter().find(|(_, check)| !check(request));
        failed.map(|(what, _)| format!("{what} is missing"))
    }

    pub(super) fn answer(
        self,
        request: &ReceivedRequest,
    ) -> Result<Response<Bytes>, TransportError> {
        match self.instead {
            None => Ok(self.answer),
            Some(Instead::AnswerWith(answer)) => Ok(answer(request)),
            Some(Instead::Lose) => Err(TransportError::new("the connection broke", InjectedFault)),
        }
    }
}

/// Writes the method and the URL.
impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks: Vec<_> = self.checks.iter().map(|(what, _)| what).collect();
        f.debug_struct("Exchange")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("checks", &checks)
            .finish_non_exhaustive()
    }
}
