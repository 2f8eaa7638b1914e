//! dns-persist-01: a TXT record that stands already ([draft-ietf-acme-dns-persist]).
//!
//! [draft-ietf-acme-dns-persist]: https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/

use acme_messages::{ChallengeType, jose::BoxFuture};

use crate::{ChallengeContext, Responder, ResponderError};

/// Says that dns-persist-01 may be taken: the account's record stands at each name
/// ([draft-ietf-acme-dns-persist](https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/)).
///
/// **Unstable**, as the draft and [`dns_persist`](acme_messages::dns_persist) are, which makes
/// the records: an operator, or a program of yours, puts them up once.
/// Nothing is put up for an order, so there is nothing to start and to stop: the challenge has
/// no token, and the CA is told at once.
///
/// Where a CA offers the type and no record stands, the proof fails: other responders are not
/// tried for that name. It belongs behind those that are to go first.
///
/// ```
/// use acme_responders::{DnsPersist01Responder, Responder, messages::ChallengeType};
///
/// assert_eq!(DnsPersist01Responder.challenge_type(), ChallengeType::DnsPersist01);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DnsPersist01Responder;

impl Responder for DnsPersist01Responder {
    fn challenge_type(&self) -> ChallengeType {
        ChallengeType::DnsPersist01
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
