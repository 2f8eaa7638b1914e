//! Proving the names of an order, some at once.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use acme_messages::{AuthorizationStatus, ChallengeStatus, OrderStatus};
use acme_responders::Responder;
use futures_util::{StreamExt, future::join_all, stream};
use tokio::sync::Semaphore;

use super::{
    doubt::{Doubts, Proof},
    failure::{authorization_failed, explain, why},
};
use crate::{
    Authorization, Challenge, Error, ErrorKind, Operation, Order,
    active_challenge::ActiveChallenge,
    pacing::{Patience, Work},
};

/// How many responders of one order are started at once: slow ones, as those of DNS, wait side by
/// side, while fewer requests are under way to the CA.
pub const PARALLEL_STARTS: usize = 32;

impl Order {
    /// Proves each name that is not proved yet, and waits until the CA has made up its mind.
    ///
    /// The first responder whose type the CA offers is taken.
    /// That of dns-persist-01, a draft, is not started: its challenges have no token, and the
    /// account's record is to stand already.
    /// The order is all that is looked at meanwhile; authorizations only where it stays pending
    /// for [`DOUBT_AFTER`](crate::DOUBT_AFTER) and more, since not every CA lets it fall with them,
    /// and some wait to be told again after a look that failed ([RFC 8555, section 8.2]): they are,
    /// three times.
    /// Responders are stopped on every way out, the cancellation of this future included.
    ///
    /// # Errors
    /// - [`ErrorKind::WrongState`] when the order is not pending; nothing was sent then.
    /// - [`ErrorKind::NoSupportedChallenge`] when a name has no responder that fits.
    /// - [`ErrorKind::BadResponse`] when the challenge that is taken must not be answered.
    /// - [`ErrorKind::Responder`] when one could not start.
    /// - [`ErrorKind::AuthorizationFailed`] when the CA did not accept a proof.
    /// - [`ErrorKind::OrderFailed`] when the order became invalid otherwise.
    /// - Those of a request; see [`ErrorKind`].
    ///
    /// [RFC 8555, section 8.2]: https://www.rfc-editor.org/rfc/rfc8555#section-8.2
    pub async fn prove(&mut self, responders: &[Arc<dyn Responder>]) -> Result<(), Error> {
        self.demand(&OrderStatus::Pending, Operation::Authorization)?;
        // It was said before there was anything to wait for.
        self.forget_retry_after();
        let (active, doubts, failed) = start_all(self, responders).await;
        let outcome = match failed {
            Some(error) => Err(error),
            None => wait(self, &active, doubts).await,
        };
        let client = self.client().clone();
        join_all(active.into_iter().map(|it| it.stop(client.clock()))).await;
        match outcome {
            Ok(()) if self.state().status == OrderStatus::Invalid => Err(explain(self).await),
            // Some CAs leave an order as it was whose authorization fails.
            Err(error) if error.kind() == ErrorKind::Timeout => match why(self).await {
                Some(reason) => Err(reason),
                None => Err(error),
            },
            outcome => outcome,
        }
    }
}

/// What all names of an order share while they are begun.
struct Beginning<'a> {
    order: &'a Order,
    responders: &'a [Arc<dyn Responder>],
    /// Who may send a request.
    requests: Semaphore,
    /// Set after a failure: nothing more is begun.
    over: AtomicBool,
}

/// Starts all that is to be proved; after a failure nothing more is begun.
async fn start_all(
    order: &Order,
    responders: &[Arc<dyn Responder>],
) -> (Vec<ActiveChallenge>, Doubts, Option<Error>) {
    let beginning = Beginning {
        order,
        responders,
        requests: Semaphore::new(order.client().settings().parallel_authorizations),
        over: AtomicBool::new(false),
    };
    let urls: BTreeSet<_> = order.state().authorizations.iter().cloned().collect();
    let mut started = stream::iter(urls)
        .map(|url| beginning.start(url))
        .buffer_unordered(PARALLEL_STARTS);
    let (mut active, mut doubts, mut failed) = (Vec::new(), Doubts::default(), None);
    while let Some(result) = started.next().await {
        match result {
            Ok(None) => {}
            Ok(Some((one, proof))) => {
                active.push(one);
                doubts.add(proof);
            }
            Err(error) => {
                beginning.over.store(true, Ordering::Relaxed);
                failed.get_or_insert(error);
            }
        }
    }
    drop(started);
    (active, doubts, failed)
}

impl Beginning<'_> {
    /// Looks at one authorization and, if it is to be proved, puts an answer up and says so.
    async fn start(&self, url: String) -> Result<Option<(ActiveChallenge, Proof)>, Error> {
        let permit = self.requests.acquire().await;
        if self.over.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let client = self.order.client();
        let mut patience = Patience::new(client, Work::Told);
        let authorization = loop {
            match self.order.authorization(&url).await {
                Err(error) if error.is_absence() => patience.endure_absence(client, error).await?,
                seen => break seen?,
            }
        };
        drop(permit);
        match authorization.state().status {
            AuthorizationStatus::Valid => return Ok(None),
            AuthorizationStatus::Pending => {}
            // It had failed before anything was said here.
            _ => return Err(authorization_failed(&[authorization.state()]).with_unsent(true)),
        }
        let (mut challenge, responder) = choose(&authorization, self.responders)?;
        let mut active = match challenge.stands().await? {
            true => ActiveChallenge::standing(),
            false => ActiveChallenge::start(responder.clone(), challenge.context()?)
                .await
                .map_err(|error| {
                    let name = &authorization.state().identifier.value;
                    Error::new(ErrorKind::Responder, Operation::Challenge)
                        .with_detail(format!("{} for {name}", challenge.kind()))
                        .with_source(error)
                })?,
        };
        let permit = self.requests.acquire().await;
        let told = match self.over.load(Ordering::Relaxed) {
            // RFC 8555, section 7.5.1: an answer that nobody will ask for is taken down.
            true => Ok(()),
            false => loop {
                let told = match challenge.respond().await {
                    Err(error) if error.is_absence() => {
                        patience.endure_absence(client, error).await
                    }
                    told => break told,
                };
                if told.is_err() {
                    break told;
                }
            },
        };
        drop(permit);
        if let Err(error) = told {
            active.stop(client.clock()).await;
            return Err(error);
        }
        let status = &challenge.state().status;
        if matches!(status, ChallengeStatus::Valid | ChallengeStatus::Invalid) {
            active.settle();
        }
        let proof = Proof::new(url, challenge.url().to_owned());
        Ok(Some((active, proof)))
    }
}

/// The first responder, in the caller's order, whose type is on offer.
fn choose<'a>(
    authorization: &Authorization,
    responders: &'a [Arc<dyn Responder>],
) -> Result<(Challenge, &'a Arc<dyn Responder>), Error> {
    for responder in responders {
        if let Some(challenge) = authorization.challenge(&responder.challenge_type()) {
            return Ok((challenge, responder));
        }
    }
    // One that has failed already would have fitted: that is what there is to tell.
    if authorization.challenges().any(|it| {
        responders
            .iter()
            .any(|its| its.challenge_type() == *it.kind())
    }) {
        return Err(authorization_failed(&[authorization.state()]).with_unsent(true));
    }
    let list = |kinds: Vec<String>| match kinds.is_empty() {
        true => "none".to_owned(),
        false => kinds.join(", "),
    };
    let offered = authorization.challenges().map(|it| it.kind().to_string());
    let available = responders.iter().map(|it| it.challenge_type().to_string());
    Err(
        Error::new(ErrorKind::NoSupportedChallenge, Operation::Authorization).with_detail(format!(
            "{} is offered {}; responders are there for {}",
            authorization.state().identifier.value,
            list(offered.collect()),
            list(available.collect()),
        )),
    )
}

/// Waits until the CA has made up its mind about the order.
///
/// Its side is not looked at before it has asked for the answers ([RFC 8555, section 7.5.1]),
/// unless it takes longer than expected.
///
/// [RFC 8555, section 7.5.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.5.1
async fn wait(order: &mut Order, active: &[ActiveChallenge], doubts: Doubts) -> Result<(), Error> {
    let client = order.client().clone();
    let told = Patience::new(&client, Work::Told);
    let settled = active.iter().all(ActiveChallenge::has_settled);
    let asked = join_all(active.iter().map(ActiveChallenge::asked));
    let (patience, paused) = tokio::select! {
        biased;
        _ = asked => (Patience::new(&client, Work::Asked), !settled),
        () = client.clock().sleep(told.first_wait()) => (told.after_first_wait(), false),
    };
    order
        .poll(&OrderStatus::Pending, patience, paused, doubts)
        .await
}
