//! Which answers to challenges are up, so that the end can wait until none is.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use acme_messages::{ChallengeType, Clock, Token, jose::BoxFuture};
use acme_responders::{ChallengeContext, Responder, ResponderError};
use tokio::sync::watch;

/// How long the end waits for answers that do not come down.
const LAST_WAIT: Duration = Duration::from_secs(30);

/// The answers that are up, by their tokens.
#[derive(Clone)]
pub(crate) struct Answers(Arc<watch::Sender<HashSet<Token>>>);

impl Answers {
    /// A responder whose answers are counted.
    pub(crate) fn count(&self, responder: Arc<dyn Responder>) -> Arc<dyn Responder> {
        Arc::new(Counted {
            next: responder,
            answers: self.clone(),
        })
    }

    /// Waits until none is up, within reason.
    pub(crate) async fn all_down(&self, clock: &dyn Clock) {
        let mut up = self.0.subscribe();
        tokio::select! {
            // The sender is here: there is no error to meet.
            _ = up.wait_for(HashSet::is_empty) => {}
            () = clock.sleep(LAST_WAIT) => tracing::warn!("answers to challenges are left behind"),
        }
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(HashSet::new())))
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answers")
            .field(&self.0.borrow().len())
            .finish()
    }
}

#[derive(Debug)]
struct Counted {
    next: Arc<dyn Responder>,
    answers: Answers,
}

impl Responder for Counted {
    fn challenge_type(&self) -> ChallengeType {
        self.next.challenge_type()
    }

    fn start<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        let token = challenge.token().clone();
        self.answers.0.send_if_modified(|up| up.insert(token));
        self.next.start(challenge)
    }

    fn stop<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(async move {
            let stopped = self.next.stop(challenge).await;
            let token = challenge.token();
            self.answers.0.send_if_modified(|up| up.remove(token));
            stopped
        })
    }

    fn asked<'a>(&'a self, challenge: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        self.next.asked(challenge)
    }
}
