//! A responder that fails, hangs or panics.

use acme_messages::{ChallengeType, jose::BoxFuture};
use acme_responders::{ChallengeContext, Responder, ResponderError};

use crate::{InjectedFault, Mishap, NullResponder, mishap::panic_as_told};

/// Fails, hangs or panics when it is started or stopped; otherwise passes on.
///
/// [`new`](Self::new) passes on to nobody, [`over`](Self::over) to a responder
/// that answers. Put a [`RecordingResponder`](crate::RecordingResponder) before
/// it to see what it was told.
///
/// ```
/// use acme_testing::{Mishap, FaultyResponder, messages, responders};
/// use messages::{ChallengeType, KeyAuthorization, Token, jose};
/// use responders::{ChallengeContext, Responder};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = jose::PrivateKey::generate(jose::KeyType::EcdsaP256)?;
/// let token = Token::parse("abc")?;
/// let proof = KeyAuthorization::new(&token, &key.thumbprint());
/// let name = "example.com".parse()?;
/// let challenge = ChallengeContext::new(name, ChallengeType::Dns01, token, proof);
///
/// let responder = FaultyResponder::new(ChallengeType::Dns01).in_stop(Mishap::Fail);
/// responder.start(&challenge).await?;
/// assert!(responder.stop(&challenge).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FaultyResponder {
    next: Box<dyn Responder>,
    start: Option<Mishap>,
    stop: Option<Mishap>,
}

impl FaultyResponder {
    /// A responder for challenges of this type that answers nothing.
    #[must_use]
    pub fn new(kind: ChallengeType) -> Self {
        Self::over(NullResponder::new(kind))
    }

    /// A responder that does what `next` does where nothing goes wrong.
    pub fn over(next: impl Responder) -> Self {
        Self {
            next: Box::new(next),
            start: None,
            stop: None,
        }
    }

    /// What goes wrong whenever it is started.
    #[must_use]
    pub const fn in_start(mut self, mishap: Mishap) -> Self {
        self.start = Some(mishap);
        self
    }

    /// What goes wrong whenever it is stopped.
    #[must_use]
    pub const fn in_stop(mut self, mishap: Mishap) -> Self {
        self.stop = Some(mishap);
        self
    }
}

impl Responder for FaultyResponder {
    fn challenge_type(&self) -> ChallengeType {
        self.next.challenge_type()
    }

    fn start<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        spoil(self.start, || self.next.start(challenge))
    }

    fn stop<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        spoil(self.stop, || self.next.stop(challenge))
    }

    fn asked<'a>(&'a self, challenge: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        self.next.asked(challenge)
    }
}

/// The work is not even begun where it is not to be done.
fn spoil<'a>(
    mishap: Option<Mishap>,
    work: impl FnOnce() -> BoxFuture<'a, Result<(), ResponderError>> + Send + 'a,
) -> BoxFuture<'a, Result<(), ResponderError>> {
    Box::pin(async move {
        match mishap {
            None => return work().await,
            Some(Mishap::Hang) => std::future::pending().await,
            Some(Mishap::Panic) => panic_as_told("the responder"),
            Some(Mishap::FailAfterwards) => work().await?,
            Some(Mishap::Fail) => {}
        }
        Err(ResponderError::new(InjectedFault))
    })
}
