//! Orders: a handle, and what the CA last said of them ([RFC 8555, section 7.4]).
//!
//! [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

use std::time::Duration;

use acme_messages::{
    self as messages, Authorization, CertificateChain, CertificateSigningRequest, Challenge,
    FinalizeRequest, OrderStatus, ProblemType,
};

use crate::{Account, Error, ErrorKind, Operation, post::Repeat, reply::Reply};

/// How long the CA may take over all authorizations of an order, and over issuing.
pub const ORDER_DEADLINE: Duration = Duration::from_secs(300);

/// The wait before the second look at an order, where the CA names none; it doubles.
pub const FIRST_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The longest wait between two looks at an order, where the CA names none.
pub const MAX_POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The shortest wait believed from a `Retry-After` between two looks.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// An order: its URL is its identity, its state is what the CA said last.
#[derive(Clone, Debug)]
pub struct Order {
    account: Account,
    url: String,
    state: messages::Order,
    retry_after: Option<Duration>,
}

impl Order {
    pub(crate) fn new(account: Account, url: String, state: messages::Order) -> Self {
        Self {
            account,
            url,
            state,
            retry_after: None,
        }
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
    /// # Errors
    /// - [`ErrorKind::Timeout`] when it is still there after [`ORDER_DEADLINE`].
    /// - Those of a request; see [`ErrorKind`].
    #[doc(alias = "poll_until_valid")]
    pub async fn leaves(&mut self, status: &OrderStatus) -> Result<&messages::Order, Error> {
        let clock = self.account.client().clone();
        let deadline = clock.clock().now() + ORDER_DEADLINE;
        let mut interval = FIRST_POLL_INTERVAL;
        while self.state.status == *status {
            let pause = match self.retry_after.take() {
                Some(asked) => asked.max(MIN_POLL_INTERVAL),
                None => {
                    let pause = interval;
                    interval = (interval * 2).min(MAX_POLL_INTERVAL);
                    pause
                }
            };
            if clock.clock().now() + pause > deadline {
                return Err(Error::new(ErrorKind::Timeout, Operation::Order)
                    .with_url(&self.url)
                    .with_detail(format!("the order is still {status}")));
            }
            clock.clock().sleep(pause).await;
            self.refresh().await?;
        }
        Ok(&self.state)
    }

    /// Sends the signing request of an order that is ready.
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
        let result = self
            .account
            .client()
            .post(
                Operation::Finalize,
                &self.account.sender(),
                &self.state.finalize,
                &payload,
                Repeat::Unsafe,
            )
            .await;
        match result {
            Ok(reply) => self.update(&reply)?,
            // The order's own state says more than a lost or late answer.
            Err(error) if outcome_unknown(&error) => {
                self.refresh().await?;
                if self.state.status == OrderStatus::Ready {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(&self.state)
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
        let reply = self.fetch(Operation::Certificate, url).await?;
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
