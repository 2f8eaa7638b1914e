//! An answer of a CA, and what it means.

use std::time::Duration;

use acme_messages::{
    Problem, Timestamp,
    jose::Nonce,
    link::{self, Link},
    retry_after,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Response, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Operation};

/// How much of a body that is no JSON is quoted in an error, in characters.
pub const MAX_SNIPPET: usize = 120;

/// The longest wait believed from a `Retry-After`: CAs say a day and mean it.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the nonce is ([RFC 8555, section 6.5.1](https://www.rfc-editor.org/rfc/rfc8555#section-6.5.1)).
static REPLAY_NONCE: HeaderName = HeaderName::from_static("replay-nonce");

/// An answer, its body complete; as the public methods give it, a success.
#[derive(Clone, Debug)]
pub struct Reply {
    operation: Operation,
    url: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    received: Timestamp,
    attempts: u32,
}

impl Reply {
    pub(crate) fn new(
        operation: Operation,
        url: &str,
        response: Response<Bytes>,
        received: Timestamp,
    ) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            operation,
            url: url.to_owned(),
            status: parts.status,
            headers: parts.headers,
            body,
            received,
            attempts: 1,
        }
    }

    /// Tells errors about this answer that it is that to this attempt.
    pub(crate) const fn at_attempt(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The URL that was asked.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The `Location`, the exact text where it is absolute, as ACME's are.
    #[must_use]
    pub fn location(&self) -> Option<String> {
        let text = self.headers.get(header::LOCATION)?.to_str().ok()?;
        link::resolve(&self.url, text)
    }

    /// The `Link` headers.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        let headers = self.headers.get_all(header::LINK).iter();
        link::parse(headers.filter_map(|it| it.to_str().ok()), &self.url)
    }

    /// How long the CA asks to wait, [`MAX_RETRY_AFTER`] at most; `None` also when the header
    /// makes no sense.
    ///
    /// A date counts from the `Date` of the answer, where it has one: clocks differ.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
        let now = self.date().unwrap_or(self.received);
        retry_after::parse(value, now).map(|it| it.min(MAX_RETRY_AFTER))
    }

    /// When it was sent, by the CA's own clock.
    fn date(&self) -> Option<Timestamp> {
        let value = self.headers.get(header::DATE)?.to_str().ok()?;
        let since = retry_after::parse(value, Timestamp::UNIX_EPOCH)?;
        Timestamp::from_second(i64::try_from(since.as_secs()).ok()?).ok()
    }

    /// Reads the body; whatever its media type, it is JSON or it is not.
    ///
    /// # Errors
    /// - [`ErrorKind::BadResponse`] when it is not JSON of this type; the cause says where.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let coding = self.headers.get(header::CONTENT_ENCODING);
            let coding = coding.filter(|it| *it != "identity");
            let detail = match coding {
                _ if self.body.is_empty() => "the body is empty".to_owned(),
                Some(coding) => format!("the body is not what it should be, but {coding:?}"),
                None => "the body is not what it should be".to_owned(),
            };
            let bad = self.bad_response(detail).with_source(error);
            bad.with_body(self.snippet())
        })
    }

    /// The fresh nonce; one of bad syntax is none at all (RFC 8555, section 6.5.1).
    pub(crate) fn nonce(&self) -> Option<Nonce> {
        let text = self.headers.get(&REPLAY_NONCE)?.to_str().ok()?;
        let nonce = text.parse().ok();
        if nonce.is_none() {
            tracing::warn!(url = self.url, "a malformed Replay-Nonce is passed over");
        }
        nonce
    }

    /// The problem in an answer that is an error and says why. A media type that is wrong, or
    /// missing, is no matter where the problem is one of ACME's; a page is none.
    fn problem(&self) -> Option<Problem> {
        let text = self.headers.get(header::CONTENT_TYPE);
        let text = text.and_then(|it| it.to_str().ok()).unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        let is = |all: &[&str]| all.iter().any(|it| essence.eq_ignore_ascii_case(it));
        if is(&["text/html"]) {
            return None;
        }
        let json = is(&["application/problem+json", "application/json"]);
        let problem: Problem = serde_json::from_slice(&self.body).ok()?;
        let acme = problem.kind.short_name() != problem.kind.as_str();
        // Any object reads as a problem that says nothing.
        (acme || json && problem != Problem::default()).then_some(problem)
    }

    /// Tells success from failure; the status first, then the body.
    pub(crate) fn into_success(self) -> Result<Self, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        let location = self.location();
        let error = match self.problem() {
            Some(problem) => Error::new(ErrorKind::Problem, self.operation).with_problem(problem),
            None => {
                let error = Error::new(ErrorKind::BadResponse, self.operation);
                let error = error.with_body(self.snippet());
                match &location {
                    Some(to) if self.status.is_redirection() => {
                        error.with_detail(format!("it sends to {to}, which is not followed"))
                    }
                    _ if self.body.is_empty() => error.with_detail("the body is empty"),
                    _ => error,
                }
            }
        };
        let links = self.links();
        let urls = |relation| link::urls(&links, relation).map(str::to_owned);
        let terms = urls("terms-of-service").next();
        Err(error
            .with_url(&self.url)
            .with_status(self.status.as_u16())
            .with_location(location)
            .with_links(terms, urls("help").collect())
            .with_retry_after(self.retry_after()))
    }

    /// An error that says what in this answer makes no sense.
    pub(crate) fn bad_response(&self, detail: impl Into<String>) -> Error {
        Error::new(ErrorKind::BadResponse, self.operation)
            .with_url(&self.url)
            .with_status(self.status.as_u16())
            .with_attempts(self.attempts)
            .with_detail(detail)
    }

    fn snippet(&self) -> Option<String> {
        // A character has four bytes at most: no more of the body is looked at.
        let start = &self.body[..self.body.len().min(4 * MAX_SNIPPET)];
        let text: String = String::from_utf8_lossy(start)
            .chars()
            .map(|it| if it.is_control() { ' ' } else { it })
            .take(MAX_SNIPPET)
            .collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}
