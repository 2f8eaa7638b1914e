//! A responder that does nothing.

use acme_messages::{ChallengeType, jose::BoxFuture};
use acme_responders::{ChallengeContext, Responder, ResponderError};

/// Says that it responds, and does nothing.
///
/// ```
/// use acme_testing::{NullResponder, messages::ChallengeType, responders::Responder};
///
/// let responder = NullResponder::new(ChallengeType::Http01);
/// assert_eq!(responder.challenge_type(), ChallengeType::Http01);
/// ```
#[derive(Clone, Debug)]
pub struct NullResponder {
    kind: ChallengeType,
}

impl NullResponder {
    /// A responder for challenges of this type.
    #[must_use]
    pub const fn new(kind: ChallengeType) -> Self {
        Self { kind }
    }
}

impl Responder for NullResponder {
    fn challenge_type(&self) -> ChallengeType {
        self.kind.clone()
    }

    fn start<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn stop<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn asked<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}
