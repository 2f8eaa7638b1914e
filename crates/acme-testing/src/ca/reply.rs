//! Answers and refusals before they become HTTP.

use std::time::Duration;

use acme_messages::{Problem, ProblemType};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, LINK, LOCATION, RETRY_AFTER},
};
use http_body_util::Full;
use serde::Serialize;

/// What a handler returns.
pub(super) type Answer = Result<Reply, Refusal>;

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) problem: Option<ProblemType>,
    /// Whether a front end answers: without nonce and links.
    pub(super) bare: bool,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            problem: None,
            bare: false,
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    pub(super) fn bare(status: StatusCode) -> Self {
        Self {
            bare: true,
            ..Self::empty(status)
        }
    }

    pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        Self::typed(status, "application/json", value)
    }

    pub(super) fn problem(status: StatusCode, mut problem: Problem) -> Self {
        problem.status = Some(status.as_u16());
        let reply = Self::typed(status, "application/problem+json", &problem);
        Self {
            problem: Some(problem.into_details().kind),
            ..reply
        }
    }

    fn typed(status: StatusCode, media_type: &'static str, value: &impl Serialize) -> Self {
        // Our own types of strings and numbers: serialization has nothing to refuse.
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self {
            body,
            ..Self::empty(status)
        }
        .header(CONTENT_TYPE, media_type)
    }

    pub(super) fn text(media_type: &'static str, body: String) -> Self {
        let body = body.into_bytes();
        Self {
            body,
            ..Self::empty(StatusCode::OK)
        }
        .header(CONTENT_TYPE, media_type)
    }

    pub(super) fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        // URLs, numbers and names of this CA's own making are all visible ASCII.
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.append(name, value);
        }
        self
    }

    pub(super) fn location(self, url: impl AsRef<str>) -> Self {
        self.header(LOCATION, url)
    }

    pub(super) fn link(self, url: &str, relation: &str) -> Self {
        self.header(LINK, format!("<{url}>;rel=\"{relation}\""))
    }

    pub(super) fn retry_after(self, span: Option<Duration>) -> Self {
        match span {
            Some(span) => self.header(RETRY_AFTER, span.as_secs().to_string()),
            None => self,
        }
    }

    pub(super) fn into_response(self, with_body: bool) -> Response<Full<Bytes>> {
        let body = if with_body { self.body } else { Vec::new() };
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// A reply that says no.
#[derive(Debug)]
pub(super) struct Refusal(Box<Reply>);

impl Refusal {
    pub(super) fn new(status: StatusCode, kind: ProblemType, detail: impl Into<String>) -> Self {
        Self::with(status, Problem::new(kind, detail))
    }

    pub(super) fn with(status: StatusCode, problem: Problem) -> Self {
        Self(Box::new(Reply::problem(status, problem)))
    }

    pub(super) fn bad_request(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, kind, detail)
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::bad_request(ProblemType::Malformed, detail)
    }

    /// By [RFC 8555, section 6.7] the kind for a lack of rights; 403 at every CA.
    ///
    /// [RFC 8555, section 6.7]: https://www.rfc-editor.org/rfc/rfc8555#section-6.7
    pub(super) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, ProblemType::Unauthorized, detail)
    }

    pub(super) fn not_found() -> Self {
        let detail = "there is no such resource";
        Self::new(StatusCode::NOT_FOUND, ProblemType::Malformed, detail)
    }

    pub(super) fn method_not_allowed(allowed: &'static str) -> Self {
        let detail = format!("the methods here are {allowed}");
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, ProblemType::Malformed, detail).header(ALLOW, allowed)
    }

    pub(super) fn header(self, name: HeaderName, value: impl AsRef<str>) -> Self {
        Self(Box::new(self.0.header(name, value)))
    }

    pub(super) fn link(self, url: &str, relation: &str) -> Self {
        Self(Box::new(self.0.link(url, relation)))
    }

    pub(super) fn into_reply(self) -> Reply {
        *self.0
    }
}

impl From<Reply> for Refusal {
    fn from(reply: Reply) -> Self {
        Self(Box::new(reply))
    }
}
