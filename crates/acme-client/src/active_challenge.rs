//! A challenge whose answer is up, and comes down on every way out.

use std::{sync::Arc, time::Duration};

use acme_messages::Clock;
use acme_responders::{ChallengeContext, Responder, ResponderError};
use tokio::runtime::Handle;

/// How long the taking down of an answer is waited for; it goes on behind.
const STOP_WAIT: Duration = Duration::from_secs(30);

/// Holds a responder to its word: whoever lets go of this stops it.
#[derive(Debug)]
pub(crate) struct ActiveChallenge {
    /// What is up; nothing where a proof stands by itself.
    answer: Option<Answer>,
    settled: bool,
    /// Where it was put up, for who lets go of it elsewhere.
    runtime: Option<Handle>,
}

#[derive(Clone, Debug)]
struct Answer {
    responder: Arc<dyn Responder>,
    context: Arc<ChallengeContext>,
}

impl ActiveChallenge {
    /// Puts the answer up. A start that fails, or is cancelled, is stopped too.
    pub(crate) async fn start(
        responder: Arc<dyn Responder>,
        context: ChallengeContext,
    ) -> Result<Self, ResponderError> {
        let context = Arc::new(context);
        let answer = Answer { responder, context };
        let active = Self {
            answer: Some(answer.clone()),
            settled: false,
            runtime: Handle::try_current().ok(),
        };
        answer.responder.start(&answer.context).await?;
        Ok(active)
    }

    /// A challenge whose proof stands already: there is nothing to put up and to take down.
    pub(crate) const fn standing() -> Self {
        Self {
            answer: None,
            settled: false,
            runtime: None,
        }
    }

    /// The CA has made up its mind already: nobody will ask for the answer.
    pub(crate) const fn settle(&mut self) {
        self.settled = true;
    }

    /// Whether the CA has made up its mind already.
    pub(crate) const fn has_settled(&self) -> bool {
        self.settled
    }

    /// Completes once someone has asked for the answer, or nobody will; never where that cannot
    /// be told.
    pub(crate) async fn asked(&self) {
        if self.settled {
            return;
        }
        match &self.answer {
            Some(it) => it.responder.asked(&it.context).await,
            None => std::future::pending().await,
        }
    }

    /// Takes the answer down and waits until it is, within reason.
    pub(crate) async fn stop(mut self, clock: &dyn Clock) {
        let Some(answer) = self.answer.clone() else {
            return;
        };
        let stopped = tokio::select! {
            biased; // Most are stopped at once, and then no timer is set.
            stopped = answer.responder.stop(&answer.context) => stopped,
            () = clock.sleep(STOP_WAIT) => return, // The drop starts it anew.
        };
        self.answer = None;
        report(&answer.context, stopped);
    }
}

impl Drop for ActiveChallenge {
    fn drop(&mut self) {
        let Some(Answer { responder, context }) = self.answer.take() else {
            return;
        };
        // Dropped by cancellation, on a thread of the runtime or on another.
        if let Some(runtime) = Handle::try_current().ok().or(self.runtime.take()) {
            runtime.spawn(async move {
                let stopped = responder.stop(&context).await;
                report(&context, stopped);
            });
        }
    }
}

fn report(context: &ChallengeContext, stopped: Result<(), ResponderError>) {
    if let Err(error) = stopped {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(
            name = %context.name(),
            challenge = %context.challenge_type(),
            cause,
            "the answer to a challenge could not be taken away"
        );
    }
}
