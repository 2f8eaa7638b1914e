//! Proofs that may have failed although the order does not say so.

use std::collections::VecDeque;

use acme_messages::{self as messages, AuthorizationStatus, ChallengeStatus};

use super::failure::authorization_failed;
use crate::{Authorization, Challenge, Error, Order};

/// How often the CA is told again that a challenge is met whose validation failed and which it
/// left open; it is given up after that.
const MAX_REPEATS: u32 = 3;

/// The proofs of an order that the CA was told of, as far as it has not settled them.
///
/// An order becomes invalid with its authorizations ([RFC 8555, section 7.1.6]), but not at every
/// CA: then only they tell. And some CAs wait to be told again after a look that failed (section
/// 8.2), of which the order does not tell either.
///
/// [RFC 8555, section 7.1.6]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.6
#[derive(Debug, Default)]
pub(crate) struct Doubts(VecDeque<Proof>);

/// A challenge that was answered.
#[derive(Debug)]
pub(super) struct Proof {
    /// The URL of its authorization.
    authorization: String,
    /// Its own URL.
    challenge: String,
    /// How often the CA was told again.
    repeats: u32,
}

/// What the CA says of a proof.
enum Verdict {
    Proved,
    /// Nothing yet, or nothing that is understood.
    Open,
    /// It failed, and the CA was told again.
    Repeated,
    Failed(Box<Authorization>),
}

impl Doubts {
    /// Adds one whose answer the CA was told of.
    pub(super) fn add(&mut self, proof: Proof) {
        self.0.push_back(proof);
    }

    /// Looks for proofs that have failed: no further than to the first that the CA still works
    /// on, so that one that is slow is asked for one of them at a time, each in its turn.
    pub(crate) async fn failure(&mut self, order: &Order) -> Option<Error> {
        for _ in 0..self.0.len() {
            let mut proof = self.0.pop_front()?;
            match proof.verdict(order).await {
                Verdict::Failed(first) => return Some(self.failure_with(order, *first).await),
                Verdict::Proved => {}
                Verdict::Repeated => self.0.push_back(proof),
                Verdict::Open => {
                    self.0.push_back(proof);
                    return None;
                }
            }
        }
        None
    }

    /// All that have failed, after the first is known.
    async fn failure_with(&mut self, order: &Order, first: Authorization) -> Error {
        let mut failed = vec![first];
        for proof in self.0.drain(..) {
            let seen = proof.look(order).await;
            failed.extend(seen.filter(|it| proof.has_failed(it.state())));
        }
        authorization_failed(&failed.iter().map(Authorization::state).collect::<Vec<_>>())
    }
}

impl Proof {
    pub(super) const fn new(authorization: String, challenge: String) -> Self {
        Self {
            authorization,
            challenge,
            repeats: 0,
        }
    }

    async fn verdict(&mut self, order: &Order) -> Verdict {
        let Some(seen) = self.look(order).await else {
            return Verdict::Open;
        };
        if self.has_failed(seen.state()) {
            return Verdict::Failed(Box::new(seen));
        }
        if seen.state().status == AuthorizationStatus::Valid {
            return Verdict::Proved;
        }
        let mut challenges = seen.challenges();
        let Some(mut challenge) = challenges.find(|it| self.awaits_repetition(it)) else {
            return Verdict::Open;
        };
        self.repeats += 1;
        if let Err(error) = challenge.respond().await {
            tracing::debug!(%error, "the CA cannot be told again");
        }
        Verdict::Repeated
    }

    /// What the CA says of it, if it says anything: the order will be looked at again anyway.
    async fn look(&self, order: &Order) -> Option<Authorization> {
        match order.authorization(&self.authorization).await {
            Ok(authorization) => Some(authorization),
            Err(error) => {
                tracing::debug!(%error, "an authorization cannot be seen");
                None
            }
        }
    }

    fn has_failed(&self, state: &messages::Authorization) -> bool {
        match state.status {
            AuthorizationStatus::Valid => false,
            // The one challenge that was answered is settled for good, or was tried enough.
            AuthorizationStatus::Pending => state.challenges.iter().any(|it| {
                it.url == self.challenge
                    && (it.status == ChallengeStatus::Invalid
                        || is_left_open(it) && self.repeats == MAX_REPEATS)
            }),
            AuthorizationStatus::Deactivated
            | AuthorizationStatus::Expired
            | AuthorizationStatus::Invalid
            | AuthorizationStatus::Revoked => true,
            // What nobody knows may still turn out well.
            _ => false,
        }
    }

    fn awaits_repetition(&self, challenge: &Challenge) -> bool {
        challenge.url() == self.challenge && is_left_open(challenge.state())
    }
}

/// Whether a validation failed, and the next one is to be asked for
/// ([RFC 8555, section 8.2]); a CA that goes on by itself says `processing`.
///
/// [RFC 8555, section 8.2]: https://www.rfc-editor.org/rfc/rfc8555#section-8.2
fn is_left_open(challenge: &messages::Challenge) -> bool {
    challenge.status == ChallengeStatus::Pending && challenge.error.is_some()
}
