//! The one error of this crate: it answers what a caller must decide.

mod kind;

use std::{
    fmt::{self, Write},
    sync::Arc,
    time::Duration,
};

use acme_messages::{Identifier, Problem, ProblemType};

pub use kind::{ErrorKind, Fault, Operation};

/// What went wrong, while doing what, and whether waiting helps.
///
/// `Display` is one line without the cause, of bounded length and without control characters,
/// whatever the CA says; the cause is in `source()`.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: ErrorKind,
    operation: Operation,
    url: Option<String>,
    attempts: u32,
    status: Option<u16>,
    problem: Option<Problem>,
    retry_after: Option<Duration>,
    body: Option<String>,
    location: Option<String>,
    terms: Option<String>,
    help: Vec<String>,
    unsent: bool,
    detail: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// What kind of thing went wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whose fault it is: who has to act.
    ///
    /// A problem is sorted by its kind; one that says nothing of names or of the
    /// request is the CA's.
    #[must_use]
    pub fn fault(&self) -> Fault {
        use ProblemType as Type;
        match self.problem().map(|it| &it.kind) {
            Some(
                Type::Caa
                | Type::Connection
                | Type::Dns
                | Type::IncorrectResponse
                | Type::Tls
                | Type::OnionCaaRequired,
            ) => Fault::Names,
            Some(
                Type::AlreadyReplaced
                | Type::AlreadyRevoked
                | Type::BadCsr
                | Type::BadPublicKey
                | Type::BadRevocationReason
                | Type::BadSignatureAlgorithm
                | Type::ExternalAccountRequired
                | Type::InvalidContact
                | Type::InvalidProfile
                | Type::Malformed
                | Type::RateLimited
                | Type::RejectedIdentifier
                | Type::UnsupportedContact
                | Type::UnsupportedIdentifier
                | Type::UserActionRequired,
            ) => Fault::Caller,
            _ => self.kind().fault(),
        }
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

    /// How often the request was sent, `badNonce` included; 0 when it was not.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.0.attempts
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

    /// The problems of single identifiers, with the identifier where the CA names it
    /// ([RFC 8555, section 6.7.1]).
    ///
    /// [RFC 8555, section 6.7.1]: https://www.rfc-editor.org/rfc/rfc8555#section-6.7.1
    pub fn subproblems(&self) -> impl Iterator<Item = (Option<&Identifier>, &Problem)> {
        let all = self.problem().into_iter();
        all.flat_map(|it| &it.subproblems)
            .map(|it| (it.identifier.as_ref(), it))
    }

    /// How long the CA asks to be left alone, a day at most.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How a body that was no JSON begins: a proxy's page, most likely.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.0.body.as_deref()
    }

    /// The `Location` of the answer: where a redirect leads that was not followed, or
    /// the account that has a key already ([RFC 8555, section 7.3.5]).
    ///
    /// [RFC 8555, section 7.3.5]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.5
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    /// The terms of service that a person must agree to ([RFC 8555, section 7.3.3]);
    /// where to do that is in the problem's `instance`.
    ///
    /// [RFC 8555, section 7.3.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.3
    #[must_use]
    pub fn terms_of_service(&self) -> Option<&str> {
        self.0.terms.as_deref()
    }

    /// Where the CA explains its limits ([RFC 8555, section 6.6]).
    ///
    /// [RFC 8555, section 6.6]: https://www.rfc-editor.org/rfc/rfc8555#section-6.6
    #[must_use]
    pub fn help(&self) -> &[String] {
        &self.0.help
    }

    /// Whether the same call may succeed later with nothing changed here.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        use ProblemType as Type;
        match self.kind() {
            ErrorKind::Transport | ErrorKind::Timeout | ErrorKind::Undecided => true,
            ErrorKind::Problem | ErrorKind::BadResponse => {
                self.has_problem(&Type::RateLimited)
                    || self.has_problem(&Type::ServerInternal)
                    || self.has_problem(&Type::BadNonce)
                    || self.status() >= Some(500)
                    || matches!(self.status(), Some(408 | 429))
            }
            _ => false,
        }
    }

    /// Whether the CA's problem is of this kind.
    #[must_use]
    pub fn has_problem(&self, kind: &ProblemType) -> bool {
        self.problem().is_some_and(|it| it.kind == *kind)
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
            attempts: 0,
            status: None,
            problem: None,
            retry_after: None,
            body: None,
            location: None,
            terms: None,
            help: Vec::new(),
            unsent: false,
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

    /// Adds how often the request was sent.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
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
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    pub(crate) fn with_body(mut self, body: Option<String>) -> Self {
        self.0.body = body;
        self
    }

    pub(crate) fn with_location(mut self, location: Option<String>) -> Self {
        self.0.location = location;
        self
    }

    pub(crate) fn with_links(mut self, terms: Option<String>, help: Vec<String>) -> Self {
        self.0.terms = terms;
        self.0.help = help;
        self
    }

    pub(crate) fn with_unsent(mut self, unsent: bool) -> Self {
        self.0.unsent = unsent;
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The same error, for another who waited for the same answer.
    pub(crate) fn share(&self) -> Self {
        Self(self.0.clone())
    }

    /// Whether the CA may have done what it was asked although no answer came.
    pub(crate) fn is_answer_lost(&self) -> bool {
        matches!(self.kind(), ErrorKind::Transport | ErrorKind::Timeout) && !self.0.unsent
    }

    /// Whether there is nothing at a URL that the CA gave: not all of its machines may know it yet.
    pub(crate) fn is_absence(&self) -> bool {
        self.status() == Some(404) && !self.has_problem(&ProblemType::AccountDoesNotExist)
    }

    /// Whether certainly nothing left this machine.
    pub(crate) fn is_unsent(&self) -> bool {
        self.0.unsent
    }
}

/// The most characters of a part of the line that may be a stranger's words.
const MAX_PART: usize = 2000;

/// Writes a stranger's text: control characters become spaces, and the end of a long one is cut.
fn write_part(f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>) -> fmt::Result {
    struct Part<'a, 'b>(&'a mut fmt::Formatter<'b>, usize);

    impl Write for Part<'_, '_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for character in text.chars() {
                match self.1 {
                    0 => return Ok(()),
                    1 => self.0.write_char('…')?,
                    _ if character.is_control() => self.0.write_char(' ')?,
                    _ => self.0.write_char(character)?,
                }
                self.1 -= 1;
            }
            Ok(())
        }
    }

    Part(f, MAX_PART).write_fmt(text)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        write!(f, "{}: {}", inner.operation, inner.kind.words())?;
        if let Some(status) = inner.status {
            write!(f, " (status {status})")?;
        }
        if let Some(problem) = &inner.problem {
            write_part(f, format_args!(": {problem}"))?;
        }
        if let Some(detail) = &inner.detail {
            write_part(f, format_args!(": {detail}"))?;
        }
        if let Some(body) = &inner.body {
            write!(f, ": the body begins {body:?}")?;
        }
        if inner.attempts > 1 {
            write!(f, " after {} attempts", inner.attempts)?;
        }
        if let Some(url) = &inner.url {
            write_part(f, format_args!(" [{url}"))?;
            f.write_char(']')?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|it| it as _)
    }
}
