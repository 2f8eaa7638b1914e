//! Faults on demand: what a CA does that naive clients do not expect.

mod answer;
mod chain;
mod failure;
mod json;
mod plan;
mod rule;
mod text;

use std::{fmt, time::Duration};

pub use chain::ChainFault;
pub use failure::Failure;
pub use rule::{FaultRule, InvalidFault};

pub(super) use answer::Outcome;
pub(super) use plan::{Faults, Stage};

/// Something that goes wrong, or merely not as usual, in a request or its answer.
///
/// By itself a fault strikes every request it fits; a [`FaultRule`] says which
/// operations, how often, and how many times.
/// [`TestCa::inject`](super::TestCa::inject) takes either.
///
/// Several faults may strike one answer, in the order they were injected.
/// Of those that answer in the CA's place (the first six below) the first one does.
///
/// ```
/// use acme_testing::{Fault, Operation};
///
/// # fn example(ca: &acme_testing::TestCa) {
/// ca.inject(Fault::Shuffle);
/// ca.inject(Fault::BadNonce.rate(0.05));
/// ca.inject(Fault::DropAnswer.on(Operation::Finalize).times(1));
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// `badNonce` for a nonce that is good, which is spent.
    BadNonce,
    /// The connection is closed before the request is looked at.
    DropRequest,
    /// A problem of the CA's own, or the bare status of a front end.
    Fail(Failure),
    /// The HTML page of a front end with this status, such as 502; nothing was looked at.
    Html(u16),
    /// `rateLimited` with status 429, and when to come back if that is told.
    RateLimited(Option<Duration>),
    /// The request is taken, and nothing ever comes back.
    Silence,

    /// What comes once a certificate is downloaded.
    Chain(ChainFault),
    /// `Content-Type` goes on with `; charset=utf-8`.
    Charset,
    /// The body ends halfway, and the connection with it.
    CutBody,
    /// The request is processed; then the connection is closed without an answer.
    DropAnswer,
    /// The status is right, the body is empty.
    EmptyBody,
    /// The body goes on with spaces, for ever.
    EndlessBody,
    /// A challenge that is not final tells an error of an attempt that will be
    /// repeated (RFC 8555, section 8.2).
    ErrorWhileProcessing,
    /// The status is right, the body is an HTML page.
    HtmlBody,
    /// An order that is invalid is still called pending, and an authorization too, whose
    /// challenges are told as they are.
    InvalidStaysPending,
    /// `Replay-Nonce` is not base64url (RFC 8555, section 6.5.1: to be passed over).
    MangledNonce,
    /// A problem document without `type`, which stands for `about:blank`.
    NoProblemType,
    /// There is no `Link`.
    NoLinks,
    /// There is no `Location`.
    NoLocation,
    /// There is no `Replay-Nonce`.
    NoNonce,
    /// There is no `Retry-After`.
    NoRetryAfter,
    /// Another order's authorizations stand in an order, whose lists must not change.
    OtherAuthorizations,
    /// `Retry-After` as the date that lies this far ahead (RFC 9110, section 10.2.3).
    RetryAfterDate(Duration),
    /// `Retry-After` as this text, however absurd.
    RetryAfterText(String),
    /// Arrays come in another order each time.
    Shuffle,
    /// The body comes byte by byte, with this pause, in real time, before each.
    SlowBody(Duration),
    /// Half of the body comes, and then nothing.
    StalledBody,
    /// An order that is ready is still called pending.
    StaysPending,
    /// An order that is valid is called processing; a challenge that is final too,
    /// with its authorization pending.
    StaysProcessing,
    /// Challenges of types that nobody knows, one of them without a token, and
    /// tokens missing where a type needs none.
    UnknownChallenges,
    /// Members that nobody knows, one of them a URL, as Boulder's directory has.
    UnknownMembers,
    /// A problem of a type that nobody knows.
    UnknownProblemType,
    /// A status that nobody knows.
    UnknownStatus,
    /// `Replay-Nonce` is one that was spent before.
    UsedNonce,
    /// An authorization that is not a wildcard's says `"wildcard": false`.
    WildcardFalse,
    /// Renewal information whose window ends before it starts (RFC 9773, section 4.2).
    WrongWindow,
}

impl Fault {
    /// A rule for this fault: only requests of this operation.
    pub fn on(self, operation: super::Operation) -> FaultRule {
        FaultRule::from(self).on(operation)
    }

    /// A rule for this fault: only the next `count` requests that it fits.
    pub fn times(self, count: u32) -> FaultRule {
        FaultRule::from(self).times(count)
    }

    /// A rule for this fault: this share of the requests that it fits, from 0 to 1.
    pub fn rate(self, rate: f64) -> FaultRule {
        FaultRule::from(self).rate(rate)
    }

    /// The names of all faults that can be written down, for messages.
    #[must_use]
    pub fn names() -> String {
        text::names()
    }

    /// The stage of a fault that answers in the CA's place.
    const fn stage(&self) -> Option<Stage> {
        match self {
            Self::DropRequest | Self::Html(_) | Self::Silence => Some(Stage::FrontEnd),
            Self::Fail(failure) if failure.is_bare() => Some(Stage::FrontEnd),
            Self::BadNonce => Some(Stage::Nonce),
            Self::Fail(_) | Self::RateLimited(_) => Some(Stage::Handler),
            _ => None,
        }
    }
}

/// As [`FaultRule`] reads it; of a problem only its type is told.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::show(self, f)
    }
}
