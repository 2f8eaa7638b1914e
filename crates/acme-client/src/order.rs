//! Orders: a handle, and what the CA last said of them ([RFC 8555, section 7.4]).
//!
//! [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

mod chain;
mod finalize;

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use acme_messages::{self as messages, OrderStatus};
use futures_util::{StreamExt, TryStreamExt, stream};

pub use chain::MAX_ALTERNATES;
pub(crate) use finalize::check_key;

use crate::{
    Account, Authorization, Client, Error, ErrorKind, Operation, Reply,
    obtain::Doubts,
    pacing::{Patience, Work},
};

/// An order: its URL is its identity, its state is what the CA said last.
///
/// What cannot be done in its state is refused before anything is sent.
///
/// ```
/// # #[cfg(feature = "hyper")]
/// use acme_client::{Account, Error, messages::{self, CertificateChain, NewOrder, OrderStatus}};
///
/// # #[cfg(feature = "hyper")]
/// # async fn example(
/// #     account: &Account,
/// #     csr: &messages::CertificateSigningRequest,
/// # ) -> Result<CertificateChain, Error> {
/// let mut order = account.new_order(&NewOrder::new(csr.names())).await?;
/// for authorization in order.authorizations().await? {
///     for mut challenge in authorization.challenges() {
///         println!("{}: {:?}", challenge.kind(), challenge.context().ok());
///         // Put the answer up, then:
///         challenge.respond().await?;
///     }
/// }
/// order.leaves(&OrderStatus::Pending).await?;
/// order.finalize(csr).await?;
/// order.leaves(&OrderStatus::Processing).await?;
/// order.certificate().await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Order {
    account: Account,
    url: String,
    state: messages::Order,
    retry_after: Option<Duration>,
}

impl Order {
    pub(crate) fn new(account: Account, url: String, reply: &Reply) -> Result<Self, Error> {
        let state: messages::Order = reply.json()?;
        // Of one that is over some CAs say less.
        let over = matches!(state.status, OrderStatus::Valid | OrderStatus::Invalid);
        if !over && (state.identifiers.is_empty() || state.finalize.is_empty()) {
            return Err(reply.bad_response("the order has no names, or no URL to finalize it"));
        }
        Ok(Self {
            account,
            url,
            state,
            retry_after: reply.retry_after(),
        })
    }

    /// The order's URL: keep it to come back after a crash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the CA said last.
    #[must_use]
    pub const fn state(&self) -> &messages::Order {
        &self.state
    }

    /// How long the CA asked to wait when it said that.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The account that placed it.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    pub(crate) fn client(&self) -> &Client {
        self.account.client()
    }

    /// Looks at one of the order's authorizations.
    ///
    /// # Errors
    /// - [`ErrorKind::BadResponse`] when it is for none of the order's names.
    /// - Those of a request; see [`ErrorKind`].
    pub async fn authorization(&self, url: &str) -> Result<Authorization, Error> {
        let authorization = self.account.authorization(url).await?;
        let identifier = &authorization.state().identifier;
        let fits = self.state.identifiers.iter().any(|ordered| {
            let (name, proved) = (&ordered.value, &identifier.value);
            let parent = name.len().checked_sub(proved.len() + 1);
            ordered.kind == identifier.kind
                && (name.eq_ignore_ascii_case(proved)
                    // A wildcard is proved by the name below it, and a name perhaps by
                    // one above it (RFC 9444).
                    || parent.is_some_and(|at| {
                        name.as_bytes()[at] == b'.'
                            && name.as_bytes()[at + 1..].eq_ignore_ascii_case(proved.as_bytes())
                    }))
        });
        if fits {
            return Ok(authorization);
        }
        Err(Error::new(ErrorKind::BadResponse, Operation::Authorization)
            .with_url(url)
            .with_detail(format!(
                "it is for {:?}, which was not ordered",
                identifier.value
            )))
    }

    /// Looks at all of the order's authorizations, some at once.
    ///
    /// # Errors
    /// - As [`authorization`](Self::authorization).
    pub async fn authorizations(&self) -> Result<Vec<Authorization>, Error> {
        let width = self.client().settings().parallel_authorizations;
        // Owned, so that the looks borrow nothing but the order.
        stream::iter(self.state.authorizations.clone())
            .map(|url| async move { self.authorization(&url).await })
            .buffered(width)
            .try_collect()
            .await
    }

    /// Looks at the order again.
    ///
    /// # Errors
    /// - [`ErrorKind::BadResponse`] when its names or its authorizations are others than before.
    /// - Those of a request; see [`ErrorKind`].
    pub async fn refresh(&mut self) -> Result<&messages::Order, Error> {
        let reply = self
            .client()
            .post_as_get(Operation::Order, &self.account.sender(), &self.url)
            .await?;
        self.update(&reply)?;
        Ok(&self.state)
    }

    /// Looks at the order until it leaves a state, as often as the client's
    /// [`Pacing`](crate::Pacing) says; not at all when it is in another.
    ///
    /// A look that fails for a reason that may pass is taken again.
    ///
    /// # Errors
    /// - [`ErrorKind::Timeout`] when it is still there after [`Pacing::deadline`](crate::Pacing).
    /// - Those of a request; see [`ErrorKind`].
    #[doc(alias = "poll_until_valid")]
    pub async fn leaves(&mut self, status: &OrderStatus) -> Result<&messages::Order, Error> {
        if self.state.status == *status {
            let work = match status {
                OrderStatus::Processing => Work::Issuing,
                _ => Work::Asked,
            };
            let patience = Patience::new(self.client(), work);
            self.poll(status, patience, true, Doubts::default()).await?;
        }
        Ok(&self.state)
    }

    /// As [`leaves`](Self::leaves), with a look at once or after a pause, and one now and then at
    /// proofs that may have failed without the order's knowing.
    pub(crate) async fn poll(
        &mut self,
        status: &OrderStatus,
        patience: Patience,
        paused: bool,
        doubts: Doubts,
    ) -> Result<(), Error> {
        let client = self.client().clone();
        let still = Error::new(ErrorKind::Timeout, Operation::Order)
            .with_url(&self.url)
            .with_detail(format!("the order is still {status}"));
        // Looks that are slow count too, whatever the wall clock says.
        let deadline = client.clock().sleep(client.settings().pacing.deadline);
        tokio::select! {
            polled = self.look_until(&client, status, patience, paused, doubts) => match polled {
                Ok(true) => Ok(()),
                Ok(false) => Err(still),
                Err(error) => Err(error),
            },
            () = deadline => Err(still),
        }
    }

    async fn look_until(
        &mut self,
        client: &Client,
        status: &OrderStatus,
        mut patience: Patience,
        paused: bool,
        mut doubts: Doubts,
    ) -> Result<bool, Error> {
        let mut pause = paused;
        loop {
            if pause && !patience.wait(client, self.retry_after.take()).await {
                return Ok(false);
            }
            match self.refresh().await {
                Ok(state) => {
                    let done = state.status != *status;
                    patience.learn(client, done);
                    if done {
                        return Ok(true);
                    }
                    if patience.has_doubts(client)
                        && let Some(failure) = doubts.failure(self).await
                    {
                        return Err(failure);
                    }
                    pause = true;
                }
                Err(error) => {
                    patience.endure_absence(client, error).await?;
                    pause = false;
                }
            }
        }
    }

    /// One look, however long the CA's troubles keep it from answering.
    pub(crate) async fn look(&mut self) -> Result<(), Error> {
        let client = self.client().clone();
        let mut patience = Patience::new(&client, Work::Issuing);
        loop {
            match self.refresh().await {
                Ok(_) => return Ok(()),
                Err(error) => patience.endure_absence(&client, error).await?,
            }
        }
    }

    /// Takes what the CA says now; an order whose names or authorizations have changed is another
    /// ([RFC 8555, section 7.1.3]), their sequence aside.
    ///
    /// What it leaves out stays as it was: of an order that is over some CAs say little, and only
    /// the authorizations that were completed.
    ///
    /// [RFC 8555, section 7.1.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.3
    pub(crate) fn update(&mut self, reply: &Reply) -> Result<(), Error> {
        let mut state: messages::Order = reply.json()?;
        let before = &self.state;
        if !has_same_names(&state, before) || !has_same_authorizations(&state, before) {
            return Err(
                reply.bad_response("the order's names or authorizations are others than before")
            );
        }
        state.authorizations.clone_from(&before.authorizations);
        if state.identifiers.is_empty() {
            state.identifiers.clone_from(&before.identifiers);
        }
        if state.finalize.is_empty() {
            state.finalize.clone_from(&before.finalize);
        }
        self.state = state;
        self.retry_after = reply.retry_after();
        Ok(())
    }

    pub(crate) const fn forget_retry_after(&mut self) {
        self.retry_after = None;
    }

    /// Refuses what cannot be done in the order's state.
    pub(crate) fn demand(&self, status: &OrderStatus, operation: Operation) -> Result<(), Error> {
        if self.state.status == *status {
            return Ok(());
        }
        let error = Error::new(ErrorKind::WrongState, operation).with_url(&self.url);
        Err(error.with_detail(format!("it is {}, not {status}", self.state.status)))
    }
}

/// Whether an order is for the names it was for before, or leaves them out.
fn has_same_names(now: &messages::Order, before: &messages::Order) -> bool {
    let (new, old) = (&now.identifiers, &before.identifiers);
    // Nearly always as it was, and then nothing has to be put in order.
    new == old
        || new.is_empty()
        || new.iter().collect::<HashSet<_>>() == old.iter().collect::<HashSet<_>>()
}

/// Whether an order has the authorizations it had before, or some of them where it is over, or
/// leaves them out.
fn has_same_authorizations(now: &messages::Order, before: &messages::Order) -> bool {
    let (new, old) = (&now.authorizations, &before.authorizations);
    if new == old || new.is_empty() {
        return true;
    }
    let (new, old): (BTreeSet<_>, BTreeSet<_>) = (new.iter().collect(), old.iter().collect());
    match now.status {
        OrderStatus::Valid | OrderStatus::Invalid => new.is_subset(&old),
        _ => new == old,
    }
}
