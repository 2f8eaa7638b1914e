//! From names to a certificate in one call, in the fewest requests.

mod doubt;
mod failure;
mod proof;

use std::collections::BTreeSet;

use acme_messages::{OrderStatus, ProblemType};

pub(crate) use doubt::Doubts;
pub(crate) use failure::authorization_failed;
pub use proof::PARALLEL_STARTS;

use crate::{
    Account, CertificateRequest, Client, Error, ErrorKind, IssuedCertificate, JournalEntry,
    Operation, Order, order::check_key,
};
use failure::order_failed;

/// How often an order that keeps coming back as ready is finalized.
const MAX_FINALIZATIONS: usize = 3;

/// How many states an order may go through: four lead to a certificate, and the machines of a CA
/// may disagree for a while.
const MAX_STATES: usize = 16;

impl Account {
    /// Orders a certificate, proves its names, and fetches it.
    ///
    /// Valid authorizations are not proved again; an order that is ready at once
    /// is finalized at once. Responders are stopped on every way out, the
    /// cancellation of this future included.
    ///
    /// # Errors
    /// - [`ErrorKind::Request`] when the key is the account's own; nothing was sent then.
    /// - [`ErrorKind::Timeout`] when it takes longer than the request allows.
    /// - [`ErrorKind::UnknownProfile`] when the CA does not offer the profile.
    /// - [`ErrorKind::Undecided`] when the order may have been placed, and may not.
    /// - [`ErrorKind::Journal`] when the order could not be written down.
    /// - [`ErrorKind::NoSupportedChallenge`] when a name has no responder that fits.
    /// - [`ErrorKind::Responder`] when one could not start.
    /// - [`ErrorKind::AuthorizationFailed`] when the CA did not accept a proof.
    /// - [`ErrorKind::OrderFailed`] when the order became invalid otherwise.
    /// - [`ErrorKind::InvalidChain`] when the certificate is not what was ordered.
    /// - Those of a request; see [`ErrorKind`].
    #[tracing::instrument(
        name = "acme.obtain",
        skip_all,
        fields(ca = self.client().directory_url(), names = ?request.names()),
        err(level = "debug")
    )]
    pub async fn obtain(&self, request: &CertificateRequest) -> Result<IssuedCertificate, Error> {
        // On the heap, since it is long, and copied on its way to where it stays.
        let obtaining = Box::pin(self.obtain_in_its_time(request));
        in_time(self.client(), request, obtaining).await
    }

    async fn obtain_in_its_time(
        &self,
        request: &CertificateRequest,
    ) -> Result<IssuedCertificate, Error> {
        check_key(self, request.csr(), Operation::NewOrder)?;
        if let Some(url) = request.order_to_resume()
            && let Some(issued) = self.resume(url, request).await?
        {
            return Ok(issued);
        }
        let order = self.place(request).await?;
        if let Some(journal) = request.order_journal() {
            let directory_url = self.client().directory_url();
            let entry = JournalEntry::new(request, directory_url, self.url(), order.url());
            journal.record(&entry).await.map_err(|error| {
                Error::new(ErrorKind::Journal, Operation::NewOrder)
                    .with_url(order.url())
                    .with_source(error)
            })?;
        }
        self.complete(order, request).await
    }

    /// Takes up an order that was placed before, in whatever state it is, and finishes it;
    /// `None` when it is of no use any more: the CA has it no longer, it or an authorization of it
    /// is invalid, or it was placed for other names or finalized with another key. A new one is
    /// not placed.
    ///
    /// # Errors
    /// - As [`obtain`](Self::obtain).
    pub async fn resume(
        &self,
        order_url: &str,
        request: &CertificateRequest,
    ) -> Result<Option<IssuedCertificate>, Error> {
        let of_no_use = |why: &dyn std::fmt::Display| {
            tracing::info!(order = order_url, %why, "the order cannot be taken up");
            Ok(None)
        };
        let order = match self.order(order_url).await {
            Ok(order) => order,
            Err(error) if error.is_transient() || error.status().is_none() => return Err(error),
            Err(error) if error.has_problem(&ProblemType::AccountDoesNotExist) => {
                return Err(error);
            }
            Err(error) => return of_no_use(&error),
        };
        let unnamed = order.state().identifiers.is_empty();
        if let Err(error) = check_identifiers(&order, request)
            && !(unnamed && order.state().status == OrderStatus::Valid)
        {
            return of_no_use(&error);
        }
        if order.state().status == OrderStatus::Invalid {
            return of_no_use(&"it is invalid");
        }
        match self.complete(order, request).await {
            Ok(issued) => Ok(Some(issued)),
            Err(error) if is_spent(&error) => of_no_use(&error),
            Err(error) => Err(error),
        }
    }

    /// Places the order that a request asks for.
    async fn place(&self, request: &CertificateRequest) -> Result<Order, Error> {
        let mut new = request.order(self.url());
        // RFC 9773, section 5: not to a CA that has no renewal information.
        if new.replaces.is_some() && self.client().directory().await?.renewal_info.is_none() {
            new.replaces = None;
        }
        let order = match self.new_order(&new).await {
            // CAs word it in many ways that they do not take the one replaced.
            Err(error) if new.replaces.is_some() && is_refusal(&error) => {
                tracing::info!(%error, "the order is placed without what it replaces");
                new.replaces = None;
                self.new_order(&new).await?
            }
            placed => placed?,
        };
        check_identifiers(&order, request)?;
        Ok(order)
    }

    async fn complete(
        &self,
        mut order: Order,
        request: &CertificateRequest,
    ) -> Result<IssuedCertificate, Error> {
        let mut finalized = 0;
        for _ in 0..MAX_STATES {
            match order.state().status {
                OrderStatus::Pending if finalized == 0 => {
                    order.prove(request.responders()).await?;
                }
                // It was ready once: another of the CA's machines lags behind.
                OrderStatus::Pending => order.leaves(&OrderStatus::Pending).await.map(drop)?,
                OrderStatus::Ready if finalized < MAX_FINALIZATIONS => {
                    finalized += 1;
                    order.finalize(request.csr()).await?;
                }
                OrderStatus::Processing => {
                    order.leaves(&OrderStatus::Processing).await.map(drop)?
                }
                OrderStatus::Valid => break,
                _ => return Err(order_failed(&order)),
            }
        }
        if order.state().status != OrderStatus::Valid {
            return Err(order_failed(&order));
        }
        order.names_certificate().await?;
        let (chain, alternates) = order.checked_chains(request).await?;
        Ok(IssuedCertificate {
            chain,
            alternates,
            order_url: order.url().to_owned(),
            account_url: Some(self.url().to_owned()),
            key: request.key().cloned(),
        })
    }
}

/// Gives up what takes longer than the request allows.
pub(crate) async fn in_time(
    client: &Client,
    request: &CertificateRequest,
    obtaining: impl Future<Output = Result<IssuedCertificate, Error>>,
) -> Result<IssuedCertificate, Error> {
    let Some(limit) = request.time_limit() else {
        return obtaining.await;
    };
    tokio::select! {
        obtained = obtaining => obtained,
        () = client.clock().sleep(limit) => {
            Err(Error::new(ErrorKind::Timeout, Operation::Order)
                .with_detail(format!("there is no certificate after {limit:?}")))
        }
    }
}

/// Whether an order that was taken up can come to nothing: its certificate is another's, or one of
/// its authorizations had failed before.
fn is_spent(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::InvalidChain => true,
        ErrorKind::AuthorizationFailed => error.is_unsent(),
        _ => false,
    }
}

/// Whether the CA refused an order for what it says, which may be what it replaces.
fn is_refusal(error: &Error) -> bool {
    let other = [
        ProblemType::AccountDoesNotExist,
        ProblemType::RateLimited,
        ProblemType::UserActionRequired,
    ];
    error.kind() == ErrorKind::Problem
        && !error.is_transient()
        && !other.iter().any(|it| error.has_problem(it))
}

/// An order for other names than were asked for is somebody else's (RFC 8555, section 7.1.3).
fn check_identifiers(order: &Order, request: &CertificateRequest) -> Result<(), Error> {
    let got = order.state().identifiers.iter();
    let got: Option<Vec<_>> = got.map(|it| it.server_name().ok()).collect();
    let wanted: BTreeSet<_> = request.names().iter().collect();
    if got.is_some_and(|it| it.iter().collect::<BTreeSet<_>>() == wanted) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::BadResponse, Operation::NewOrder)
        .with_url(order.url())
        .with_detail("the order is for other names than were asked for"))
}
