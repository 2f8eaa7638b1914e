//! An answer of a CA, and what it means.

use std::time::Duration;

use acme_messages::{Problem, Timestamp, jose::Nonce, retry_after};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind, Operation};

/// How much of a body that is no JSON is quoted in an error, in characters.
const SNIPPET: usize = 120;

/// The longest wait believed from a `Retry-After`: CAs say a day and mean it.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// An answer, its body complete.
#[derive(Debug)]
pub(crate) struct Reply {
    operation: Operation,
    url: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    received: Timestamp,
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
        }
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The fresh nonce; one of bad syntax is none at all (RFC 8555, section 6.5.1).
    pub(crate) fn nonce(&self) -> Option<Nonce> {
        let text = self.headers.get("replay-nonce")?.to_str().ok()?;
        text.parse().ok()
    }

    /// The `Location`, resolved against nothing: ACME's are absolute.
    pub(crate) fn location(&self) -> Option<&str> {
        self.headers.get(header::LOCATION)?.to_str().ok()
    }

    /// How long the CA asks to wait, clamped.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
        retry_after::parse(value, self.received).map(|it| it.min(MAX_RETRY_AFTER))
    }

    /// The problem in an answer that is an error and says why.
    fn problem(&self) -> Option<Problem> {
        let text = self.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let essence = text.split(';').next().unwrap_or_default().trim();
        let json = ["application/problem+json", "application/json"];
        json.iter()
            .any(|it| essence.eq_ignore_ascii_case(it))
            .then(|| serde_json::from_slice(&self.body).ok())
            .flatten()
    }

    /// Tells success from failure; the status first, then the body.
    pub(crate) fn into_success(self) -> Result<Self, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        let error = match self.problem() {
            Some(problem) => Error::new(ErrorKind::Problem, self.operation).with_problem(problem),
            None => Error::new(ErrorKind::BadResponse, self.operation).with_detail(self.snippet()),
        };
        Err(error
            .with_url(&self.url)
            .with_status(self.status.as_u16())
            .with_retry_after(self.retry_after()))
    }

    /// Reads the body of a success.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.bad_response(self.snippet()).with_source(error))
    }

    /// An error that says what in this answer makes no sense.
    pub(crate) fn bad_response(&self, detail: impl Into<String>) -> Error {
        Error::new(ErrorKind::BadResponse, self.operation)
            .with_url(&self.url)
            .with_status(self.status.as_u16())
            .with_detail(detail)
    }

    fn snippet(&self) -> String {
        let text: String = String::from_utf8_lossy(&self.body)
            .chars()
            .map(|it| if it.is_control() { ' ' } else { it })
            .take(SNIPPET)
            .collect();
        match text.trim() {
            "" => "the body is empty".to_owned(),
            text => format!("the body begins {text:?}"),
        }
    }
}
