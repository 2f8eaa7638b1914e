//! Proofs that may have failed although the order does not say so.

use std::collections::VecDeque;

use acme_messages::{self as messages, AuthorizationStatus, ChallengeStatus};

use super::failure::authorization_failed;
use crate::{Error, Order};

/// The proofs of an order that the CA was told of, as far as it has not settled them.
///
/// An order becomes invalid with its authorizations ([RFC 8555, section 7.1.6]), but not at every
/// CA: then only they tell.
///
/// [RFC 8555, section 7.1.6]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.6
#[derive(Debug, Default)]
pub(crate) struct Doubts(VecDeque<Proof>);

/// The URLs of a challenge that was answered and of its authorization.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) authorization: String,
    pub(super) challenge: String,
}

impl Doubts {
    /// Adds one whose answer the CA was told of.
    pub(super) fn add(&mut self, proof: Proof) {
        self.0.push_back(proof);
    }

    /// Looks for proofs that have failed: no further than to the first that the CA still works
    /// on, so that one that is slow is asked for one of them at a time, each in its turn.
    pub(crate) async fn failure(&mut self, order: &Order) -> Option<Error> {
        while let Some(proof) = self.0.pop_front() {
            match proof.look(order).await {
                Some(state) if proof.has_failed(&state) => {
                    return Some(self.failure_with(order, state).await);
                }
                Some(state) if state.status == AuthorizationStatus::Valid => {}
                _ => {
                    self.0.push_back(proof);
                    return None;
                }
            }
        }
        None
    }

    /// All that have failed, after the first is known.
    async fn failure_with(&mut self, order: &Order, first: messages::Authorization) -> Error {
        let mut failed = vec![first];
        for proof in self.0.drain(..) {
            let state = proof.look(order).await;
            failed.extend(state.filter(|it| proof.has_failed(it)));
        }
        authorization_failed(&failed.iter().collect::<Vec<_>>())
    }
}

impl Proof {
    /// What the CA says of it, if it says anything: the order will be looked at again anyway.
    async fn look(&self, order: &Order) -> Option<messages::Authorization> {
        match order.authorization(&self.authorization).await {
            Ok(authorization) => Some(authorization.state().clone()),
            Err(error) => {
                tracing::debug!(%error, "an authorization cannot be seen");
                None
            }
        }
    }

    fn has_failed(&self, state: &messages::Authorization) -> bool {
        match state.status {
            AuthorizationStatus::Valid => false,
            // The one challenge that was answered is settled for good.
            AuthorizationStatus::Pending => state
                .challenges
                .iter()
                .any(|it| it.url == self.challenge && it.status == ChallengeStatus::Invalid),
            AuthorizationStatus::Deactivated
            | AuthorizationStatus::Expired
            | AuthorizationStatus::Invalid
            | AuthorizationStatus::Revoked => true,
            // What nobody knows may still turn out well.
            _ => false,
        }
    }
}
