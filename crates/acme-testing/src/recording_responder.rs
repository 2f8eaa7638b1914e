//! A responder that writes down what it is told.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use acme_messages::{ChallengeType, jose::BoxFuture};
use acme_responders::{ChallengeContext, Responder, ResponderError};
use tokio::sync::watch;

use crate::NullResponder;

/// Records each start and stop, in order, and passes it on.
///
/// [`new`](Self::new) passes on to nobody: no challenge is answered, and
/// [`asked`](Responder::asked) never completes.
/// [`over`](Self::over) puts it before a responder that answers.
///
/// ```
/// use acme_testing::{RecordingResponder, ResponderCall, messages, responders};
/// use messages::{ChallengeType, KeyAuthorization, ServerName, Token};
/// use responders::{ChallengeContext, Responder};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let responder = RecordingResponder::new(ChallengeType::Http01);
/// let key = messages::jose::PrivateKey::generate(messages::jose::KeyType::EcdsaP256)?;
/// let token = Token::parse("abc")?;
/// let challenge = ChallengeContext::new(
///     "example.com".parse()?,
///     ChallengeType::Http01,
///     token.clone(),
///     KeyAuthorization::new(&token, &key.thumbprint()),
/// );
/// responder.start(&challenge).await?;
/// responder.stop(&challenge).await?;
///
/// let calls = responder.calls();
/// assert!(matches!(&calls[0], ResponderCall::Start(it) if it.name() == challenge.name()));
/// assert!(matches!(&calls[1], ResponderCall::Stop(_)));
/// assert_eq!(responder.under_way(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RecordingResponder {
    next: Box<dyn Responder>,
    calls: Mutex<Vec<ResponderCall>>,
    counts: watch::Sender<Counts>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    calls: usize,
    under_way: usize,
}

/// One call of a [`RecordingResponder`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ResponderCall {
    /// It was to answer this challenge.
    Start(ChallengeContext),
    /// It was to answer this challenge no longer.
    Stop(ChallengeContext),
}

impl RecordingResponder {
    /// A responder for challenges of this type that only records.
    #[must_use]
    pub fn new(kind: ChallengeType) -> Self {
        Self::over(NullResponder::new(kind))
    }

    /// Records what passes on its way to `next`.
    pub fn over(next: impl Responder) -> Self {
        Self {
            next: Box::new(next),
            calls: Mutex::default(),
            counts: watch::Sender::default(),
        }
    }

    /// The calls so far, in their order.
    #[must_use]
    pub fn calls(&self) -> Vec<ResponderCall> {
        self.lock().clone()
    }

    /// How many challenges were started and not stopped.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.counts.borrow().under_way
    }

    /// Waits until at least `count` calls have come.
    pub async fn wait_for_calls(&self, count: usize) {
        let mut counts = self.counts.subscribe();
        // The sender lives as long as this responder: there is no error to meet.
        let _ = counts.wait_for(|now| now.calls >= count).await;
    }

    /// Waits until each challenge that was started was told to stop.
    pub async fn wait_until_idle(&self) {
        let mut counts = self.counts.subscribe();
        let _ = counts.wait_for(|now| now.under_way == 0).await;
    }

    fn record(&self, call: ResponderCall) {
        let mut calls = self.lock();
        calls.push(call);
        let mut tokens = HashSet::new();
        for call in calls.iter() {
            match call {
                ResponderCall::Start(it) => tokens.insert(it.token()),
                ResponderCall::Stop(it) => tokens.remove(it.token()),
            };
        }
        self.counts.send_replace(Counts {
            calls: calls.len(),
            under_way: tokens.len(),
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ResponderCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Responder for RecordingResponder {
    fn challenge_type(&self) -> ChallengeType {
        self.next.challenge_type()
    }

    fn start<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        self.record(ResponderCall::Start(challenge.clone()));
        self.next.start(challenge)
    }

    fn stop<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        self.record(ResponderCall::Stop(challenge.clone()));
        self.next.stop(challenge)
    }

    fn asked<'a>(&'a self, challenge: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        self.next.asked(challenge)
    }
}
