//! Answers and refusals before they become HTTP.

use std::time::Duration;

use acme_messages::{Problem, ProblemType};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, LINK, LOCATION, RETRY_AFTER},
};
use serde::Serialize;
use serde_json::Value;

use super::delivery::{AnswerBody, Delivery};

/// The media type of a certificate with its chain ([RFC 8555, section 9.1]).
///
/// [RFC 8555, section 9.1]: https://www.rfc-editor.org/rfc/rfc8555#section-9.1
pub(super) const PEM_CHAIN: &str = "application/pem-certificate-chain";

/// What a handler returns.
pub(super) type Answer = Result<Reply, Refusal>;

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) problem: Option<ProblemType>,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
    pub(super) delivery: Delivery,
}

/// What an answer says.
#[derive(Debug, Default)]
pub(super) enum Content {
    #[default]
    Nothing,
    Json(Value),
    Text(String),
}

impl Reply {
    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            problem: None,
            headers: HeaderMap::new(),
            content: Content::Nothing,
            delivery: Delivery::Whole,
        }
    }

    /// The page of a front end.
    pub(super) fn html(status: StatusCode) -> Self {
        let page = format!("<html><body><h1>{status}</h1></body></html>\n");
        Self {
            status,
            ..Self::text("text/html", page)
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
        let value = serde_json::to_value(value).unwrap_or_default();
        Self {
            content: Content::Json(value),
            ..Self::empty(status)
        }
        .header(CONTENT_TYPE, media_type)
    }

    pub(super) fn text(media_type: &'static str, body: String) -> Self {
        Self {
            content: Content::Text(body),
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

    /// Puts a header in the place of all of its name.
    pub(super) fn set_header(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }

    /// Whether it is a certificate with its chain.
    pub(super) fn is_chain(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE);
        kind.is_some_and(|it| it == PEM_CHAIN)
    }

    /// Whether it shows something that a client will look at again.
    pub(super) fn is_unfinished(&self) -> bool {
        let Content::Json(body) = &self.content else {
            return false;
        };
        let unfinished = matches!(body["status"].as_str(), Some("pending" | "processing"));
        unfinished || self.problem.is_some() || body.get("suggestedWindow").is_some()
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

    pub(super) fn into_response(self, with_body: bool) -> Response<AnswerBody> {
        let body = match self.content {
            _ if !with_body => Bytes::new(),
            Content::Nothing => Bytes::new(),
            Content::Json(value) => Bytes::from(value.to_string()),
            Content::Text(text) => Bytes::from(text),
        };
        let delivery = if with_body {
            self.delivery
        } else {
            Delivery::Whole
        };
        let mut response = Response::new(AnswerBody::new(body, delivery));
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
