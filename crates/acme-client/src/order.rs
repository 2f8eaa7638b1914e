//! Orders: a handle, and what the CA last said of them ([RFC 8555, section 7.4]).
//!
//! [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

use std::time::Duration;

use acme_messages::{
    self as messages, Authorization, CertificateChain, CertificateSigningRequest, Challenge,
    FinalizeRequest, OrderStatus, ProblemType,
};

use crate::{
    Account, Client, Error, ErrorKind, Operation,
    patience::Patience,
    post::Repeat,
    reply::Reply,
    retry::{self, Attempts},
};

/// How long the CA may take over all authorizations of an order, and over issuing.
pub const ORDER_DEADLINE: Duration = Duration::from_secs(300);

/// The wait before the second look at an order, where the CA names none; it doubles.
pub const FIRST_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The longest wait between two looks at an order, where the CA names none.
pub const MAX_POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The shortest wait believed from a `Retry-After` between two looks.
pub(crate) const MIN_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The longest wait believed from a `Retry-After` between two looks: some CAs
/// say a day where they mean seconds.
pub const MAX_POLL_RETRY_AFTER: Duration = Duration::from_secs(60);

/// An order: its URL is its identity, its state is what the CA said last.
#[derive(Clone, Debug)]
pub struct Order {
    account: Account,
    url: String,
    state: messages::Order,
    retry_after: Option<Duration>,
}

impl Order {
    pub(crate) fn new(account: Account, url: String, reply: &Reply) -> Result<Self, Error> {
        Ok(Self {
            account,
            url,
            state: reply.json()?,
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

    /// The account that placed it.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Looks at one of the order's authorizations.
    ///
    /// # Errors
    /// - Those of a request; see [`ErrorKind`].
    pub async fn authorization(&self, url: &str) -> Result<Authorization, Error> {
        self.fetch(Operation::Authorization, url).await?.json()
    }

    /// Tells the CA that a challenge can be validated now ([RFC 8555, section 7.5.1]).
    ///
    /// # Errors
    /// - Those of a request; see [`ErrorKind`].
    ///
    /// [RFC 8555, section 7.5.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.5.1
    #[doc(alias = "answer_challenge")]
    pub async fn validate(&self, challenge: &Challenge) -> Result<Challenge, Error> {
        let reply = self
            .account
            .client()
            .post(
                Operation::Challenge,
                &self.account.sender(),
                &challenge.url,
                b"{}",
                Repeat::Safe,
            )
            .await?;
        reply.json()
    }

    /// Looks at the order again.
    ///
    /// # Errors
    /// - Those of a request; see [`ErrorKind`].
    pub async fn refresh(&mut self) -> Result<&messages::Order, Error> {
        let reply = self.fetch(Operation::Order, &self.url).await?;
        self.update(&reply)?;
        Ok(&self.state)
    }

    /// Looks at the order until it leaves a state, as often as the CA likes.
    ///
    /// A look that fails for a reason that may pass is taken again.
    /// A wait asked for is believed up to [`MAX_POLL_RETRY_AFTER`].
    ///
    /// # Errors
    /// - [`ErrorKind::Timeout`] when it is still there after [`ORDER_DEADLINE`].
    /// - Those of a request; see [`ErrorKind`].
    #[doc(alias = "poll_until_valid")]
    pub async fn leaves(&mut self, status: &OrderStatus) -> Result<&messages::Order, Error> {
        if self.state.status == *status {
            self.poll(status, true).await?;
        }
        Ok(&self.state)
    }

    /// As [`leaves`](Self::leaves), with a look at once or after a pause.
    pub(crate) async fn poll(&mut self, status: &OrderStatus, paused: bool) -> Result<(), Error> {
        let client = self.account.client().clone();
        let still = Error::new(ErrorKind::Timeout, Operation::Order)
            .with_url(&self.url)
            .with_detail(format!("the order is still {status}"));
        // Looks that are slow count too, whatever the wall clock says.
        let deadline = client.clock().sleep(ORDER_DEADLINE);
        tokio::select! {
            polled = self.look_until(&client, status, paused) => match polled {
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
        paused: bool,
    ) -> Result<bool, Error> {
        let mut patience = Patience::for_order();
        let mut pause = paused;
        loop {
            if pause {
                let asked = self.retry_after.take();
                let asked = asked.map(|it| it.min(MAX_POLL_RETRY_AFTER));
                if !patience.wait(client, asked).await {
                    return Ok(false);
                }
            }
            match self.refresh().await {
                Ok(state) if state.status != *status => return Ok(true),
                Ok(_) => pause = true,
                Err(error) => {
                    patience.endure(client, error).await?;
                    pause = false;
                }
            }
        }
    }

    /// Sends the signing request of an order that is ready.
    ///
    /// When the answer is lost, or the CA is not ready yet, the order itself
    /// is asked: the request is sent again only if it certainly had no effect.
    ///
    /// # Errors
    /// - Those of a request; see [`ErrorKind`].
    pub async fn finalize(
        &mut self,
        csr: &CertificateSigningRequest,
    ) -> Result<&messages::Order, Error> {
        let request = FinalizeRequest {
            csr: csr.to_base64url(),
        };
        let payload = crate::to_json(Operation::Finalize, &request)?;
        let client = self.account.client().clone();
        let sender = self.account.sender();
        let mut attempts = Attempts::default();
        loop {
            let sent = client.post(
                Operation::Finalize,
                &sender,
                &self.state.finalize,
                &payload,
                Repeat::Unsafe,
            );
            let error = match sent.await {
                Ok(reply) => {
                    self.update(&reply)?;
                    return Ok(&self.state);
                }
                Err(error) if outcome_unknown(&error) => error,
                Err(error) => return Err(error),
            };
            // The order's own state says more than a lost or late answer.
            self.look(&client).await?;
            if self.state.status != OrderStatus::Ready {
                return Ok(&self.state);
            }
            retry::again(&client, &mut attempts, error).await?;
        }
    }

    /// One look, however long the CA's troubles keep it from answering.
    async fn look(&mut self, client: &Client) -> Result<(), Error> {
        let mut patience = Patience::for_order();
        loop {
            match self.refresh().await {
                Ok(_) => return Ok(()),
                Err(error) => patience.endure(client, error).await?,
            }
        }
    }

    /// Fetches the certificate of an order that is valid.
    ///
    /// # Errors
    /// - [`ErrorKind::BadResponse`] when the order names no certificate.
    /// - [`ErrorKind::InvalidChain`] when the chain cannot be read.
    /// - Those of a request; see [`ErrorKind`].
    pub async fn certificate(&self) -> Result<CertificateChain, Error> {
        let url = self.state.certificate.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::BadResponse, Operation::Certificate)
                .with_url(&self.url)
                .with_detail("the order is valid but names no certificate")
        })?;
        // The certificate is there and counted: a passing trouble does not lose it.
        let mut patience = Patience::for_order();
        let reply = loop {
            match self.fetch(Operation::Certificate, url).await {
                Ok(reply) => break reply,
                Err(error) => patience.endure(self.account.client(), error).await?,
            }
        };
        CertificateChain::from_pem(reply.body()).map_err(|error| {
            Error::new(ErrorKind::InvalidChain, Operation::Certificate)
                .with_url(url)
                .with_detail(error.to_string())
                .with_source(error)
        })
    }

    async fn fetch(&self, operation: Operation, url: &str) -> Result<Reply, Error> {
        self.account
            .client()
            .post_as_get(operation, &self.account.sender(), url)
            .await
    }

    fn update(&mut self, reply: &Reply) -> Result<(), Error> {
        self.state = reply.json()?;
        self.retry_after = reply.retry_after();
        Ok(())
    }
}

/// Whether a finalize may have worked all the same, or came too early.
fn outcome_unknown(error: &Error) -> bool {
    let problem = error.problem().map(|it| &it.kind);
    problem == Some(&ProblemType::OrderNotReady)
        || matches!(error.kind(), ErrorKind::Transport | ErrorKind::Timeout)
        || error.status() >= Some(500)
}
