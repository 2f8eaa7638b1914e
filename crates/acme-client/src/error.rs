//! The one error of this crate: it answers what a caller must decide.

use std::{fmt, time::Duration};

use acme_messages::Problem;

/// What went wrong, while doing what, and whether waiting helps.
///
/// `Display` is one line without the cause; the cause is in `source()`.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    operation: Operation,
    url: Option<String>,
    status: Option<u16>,
    problem: Option<Problem>,
    retry_after: Option<Duration>,
    detail: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of thing went wrong.
///
/// | kind | whose fault | what a caller should do |
/// |---|---|---|
/// | `AuthorizationFailed` | the set-up of the names | show the problem; a new order after a while |
/// | `BadResponse` | the CA, or something in between | again later |
/// | `InvalidChain` | the CA | keep the old certificate; again later |
/// | `InvalidUrl` | the configuration, or the CA | mend the URL |
/// | `NoSupportedChallenge` | the configuration | add a responder for an offered type |
/// | `OrderFailed` | see the problem | a new order after a while |
/// | `Problem` | see the problem's kind | see the problem's kind |
/// | `Request` | the caller | mend the request |
/// | `Responder` | the responder | mend it, then again |
/// | `Sign` | the key's keeper | mend it, then again |
/// | `TermsNotAgreed` | the caller | read the terms, then agree |
/// | `Timeout` | the network, or the CA | again later |
/// | `Transport` | the network, or the CA | again later |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The CA looked at a name and did not find the answer; see the problem.
    AuthorizationFailed,
    /// An answer was not what the protocol says.
    BadResponse,
    /// The certificate is not what was ordered, or its chain does not hold together.
    InvalidChain,
    /// A URL is not one to send a signed request to: not https, or malformed.
    InvalidUrl,
    /// None of the challenges that the CA offers has a responder here.
    NoSupportedChallenge,
    /// The order became invalid; see the problem.
    OrderFailed,
    /// The CA refused, and said why.
    Problem,
    /// The request could not be made from what the caller gave.
    Request,
    /// A responder could not start.
    Responder,
    /// The key could not sign.
    Sign,
    /// The CA has terms of service that were not agreed to.
    TermsNotAgreed,
    /// It took longer than allowed.
    Timeout,
    /// The CA could not be reached, or the connection broke.
    Transport,
}

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Looking at an authorization.
    Authorization,
    /// Fetching a certificate.
    Certificate,
    /// Saying that a challenge can be validated.
    Challenge,
    /// Fetching the directory.
    Directory,
    /// Finalizing an order.
    Finalize,
    /// Making or finding an account.
    NewAccount,
    /// Fetching a nonce.
    NewNonce,
    /// Placing an order.
    NewOrder,
    /// Looking at an order.
    Order,
    /// Fetching renewal information.
    RenewalInfo,
}

impl Operation {
    /// The operation's name in logs, metrics and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Certificate => "certificate",
            Self::Challenge => "challenge",
            Self::Directory => "directory",
            Self::Finalize => "finalize",
            Self::NewAccount => "newAccount",
            Self::NewNonce => "newNonce",
            Self::NewOrder => "newOrder",
            Self::Order => "order",
            Self::RenewalInfo => "renewalInfo",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    /// What kind of thing went wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What was being done.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        self.0.operation
    }

    /// Where the request went.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The CA's own words.
    #[must_use]
    pub const fn problem(&self) -> Option<&Problem> {
        self.0.problem.as_ref()
    }

    /// How long the CA asks to be left alone.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may succeed later with nothing changed here.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        use acme_messages::ProblemType as Type;
        match self.kind() {
            ErrorKind::Transport | ErrorKind::Timeout => true,
            ErrorKind::Problem => {
                let kind = self.problem().map(|it| &it.kind);
                matches!(
                    kind,
                    Some(Type::RateLimited | Type::ServerInternal | Type::BadNonce)
                ) || self.status() >= Some(500)
            }
            ErrorKind::BadResponse => self.status() >= Some(500),
            _ => false,
        }
    }

    /// An error, for those who implement a [`CertificateAuthority`](crate::CertificateAuthority).
    ///
    /// ```
    /// use std::time::Duration;
    /// use acme_client::{Error, ErrorKind, Operation, messages::{Problem, ProblemType}};
    ///
    /// let problem = Problem::new(ProblemType::RateLimited, "too many orders");
    /// let error = Error::new(ErrorKind::Problem, Operation::NewOrder)
    ///     .with_problem(problem)
    ///     .with_retry_after(Some(Duration::from_secs(60)));
    /// assert!(error.is_transient());
    /// assert_eq!(error.to_string(), "newOrder: the CA refused: rateLimited: too many orders");
    /// ```
    #[must_use]
    pub fn new(kind: ErrorKind, operation: Operation) -> Self {
        Self(Box::new(Inner {
            kind,
            operation,
            url: None,
            status: None,
            problem: None,
            retry_after: None,
            detail: None,
            source: None,
        }))
    }

    /// Adds where the request went.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.0.url = Some(url.into());
        self
    }

    /// Adds the HTTP status of the answer.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds the CA's own words.
    #[must_use]
    pub fn with_problem(mut self, problem: Problem) -> Self {
        self.0.problem = Some(problem);
        self
    }

    /// Adds how long the CA asks to be left alone.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    /// Adds words for people; never a secret.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let what = match inner.kind {
            ErrorKind::AuthorizationFailed => "the CA did not accept the proof",
            ErrorKind::BadResponse => "the CA's answer makes no sense",
            ErrorKind::InvalidChain => "the CA's certificate was refused",
            ErrorKind::InvalidUrl => "not an https URL",
            ErrorKind::NoSupportedChallenge => "no responder for any challenge on offer",
            ErrorKind::OrderFailed => "the order failed",
            ErrorKind::Problem => "the CA refused",
            ErrorKind::Request => "the request cannot be made",
            ErrorKind::Responder => "a responder failed",
            ErrorKind::Sign => "the key could not sign",
            ErrorKind::TermsNotAgreed => "the CA's terms of service are not agreed to",
            ErrorKind::Timeout => "no answer in time",
            ErrorKind::Transport => "the CA cannot be reached",
        };
        write!(f, "{}: {what}", inner.operation)?;
        if let Some(status) = inner.status {
            write!(f, " (status {status})")?;
        }
        if let Some(problem) = &inner.problem {
            write!(f, ": {problem}")?;
        }
        if let Some(detail) = &inner.detail {
            write!(f, ": {detail}")?;
        }
        if let Some(url) = &inner.url {
            write!(f, " [{url}]")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|it| it as _)
    }
}
