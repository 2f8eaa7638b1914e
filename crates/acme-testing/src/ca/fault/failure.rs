//! A request that is answered with an error.

use std::time::Duration;

use acme_messages::{Problem, ProblemType};
use http::StatusCode;

use crate::ca::reply::Reply;

/// How a request is to fail; see [`TestCa::fail_next`](crate::TestCa::fail_next).
///
/// A number is a bare status, as a front end answers it: no body, no nonce.
#[derive(Clone, Debug)]
pub struct Failure {
    status: StatusCode,
    problem: Option<Box<Problem>>,
    retry_after: Option<Duration>,
}

impl Failure {
    /// A problem document with this HTTP status.
    ///
    /// A number that is no HTTP status stands for 500.
    #[must_use]
    pub fn problem(status: u16, problem: Problem) -> Self {
        Self {
            problem: Some(Box::new(problem)),
            ..Self::from(status)
        }
    }

    /// Adds a `Retry-After` in seconds.
    #[must_use]
    pub const fn retry_after(mut self, span: Duration) -> Self {
        self.retry_after = Some(span);
        self
    }

    /// Whether a front end fails, before the CA has looked at the request.
    pub(super) const fn is_bare(&self) -> bool {
        self.problem.is_none()
    }

    pub(super) fn kind(&self) -> Option<&ProblemType> {
        self.problem.as_deref().map(|it| &it.kind)
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn rate_limited(retry_after: Option<Duration>) -> Self {
        let problem = Problem::new(ProblemType::RateLimited, "too many requests");
        Self {
            retry_after,
            ..Self::problem(429, problem)
        }
    }

    pub(super) fn into_reply(self) -> Reply {
        let reply = match self.problem {
            Some(problem) => Reply::problem(self.status, *problem),
            None => Reply::empty(self.status),
        };
        reply.retry_after(self.retry_after)
    }
}

impl From<u16> for Failure {
    fn from(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            status,
            problem: None,
            retry_after: None,
        }
    }
}

impl From<Problem> for Failure {
    /// A problem with its own status; 400 when it tells none.
    fn from(problem: Problem) -> Self {
        Self::problem(problem.status.unwrap_or(400), problem)
    }
}
