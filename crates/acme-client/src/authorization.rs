//! Authorizations: a handle ([RFC 8555, section 7.5]).
//!
//! [RFC 8555, section 7.5]: https://www.rfc-editor.org/rfc/rfc8555#section-7.5

use std::time::Duration;

use acme_messages::{
    self as messages, AuthorizationStatus, AuthorizationUpdate, ChallengeStatus, ChallengeType,
    InvalidName, ServerName,
};

use crate::{
    Account, Challenge, Error, ErrorKind, Operation, Repeat, Reply,
    pacing::{Patience, Work},
};

/// An authorization: may this account have certificates for that name?
#[derive(Clone, Debug)]
pub struct Authorization {
    account: Account,
    url: String,
    state: messages::Authorization,
    retry_after: Option<Duration>,
}

impl Authorization {
    pub(crate) fn new(account: Account, url: String, reply: &Reply) -> Result<Self, Error> {
        Ok(Self {
            account,
            url,
            state: reply.json()?,
            retry_after: reply.retry_after(),
        })
    }

    /// The authorization's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the CA said last.
    #[must_use]
    pub const fn state(&self) -> &messages::Authorization {
        &self.state
    }

    /// How long the CA asked to wait when it said that.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The name it is for, without a `*.`; an answer is put up for this name, which may be
    /// another than the one that was ordered ([RFC 9444]).
    ///
    /// # Errors
    /// - [`InvalidName`] when the identifier is no name, or of a type this version does not know.
    ///
    /// [RFC 9444]: https://www.rfc-editor.org/rfc/rfc9444
    pub fn name(&self) -> Result<ServerName, InvalidName> {
        self.state.identifier.server_name()
    }

    /// The ways to prove it, in the CA's order; any one suffices.
    pub fn challenges(&self) -> impl Iterator<Item = Challenge> + '_ {
        let make = |it: &messages::Challenge| {
            Challenge::new(self.account.clone(), &self.url, &self.state, it.clone())
        };
        self.state.challenges.iter().map(make)
    }

    /// The challenge of a type, unless it has failed.
    #[must_use]
    pub fn challenge(&self, kind: &ChallengeType) -> Option<Challenge> {
        self.challenges()
            .find(|it| it.kind() == kind && it.state().status != ChallengeStatus::Invalid)
    }

    /// Looks at it again.
    ///
    /// # Errors
    /// - [`ErrorKind::BadResponse`] when it is for another name than before.
    /// - Those of a request; see [`ErrorKind`].
    pub async fn refresh(&mut self) -> Result<&messages::Authorization, Error> {
        let sender = self.account.sender();
        let reply = self
            .account
            .client()
            .post_as_get(Operation::Authorization, &sender, &self.url)
            .await?;
        let state: messages::Authorization = reply.json()?;
        if state.identifier != self.state.identifier {
            return Err(reply.bad_response("it is for another name than before"));
        }
        self.state = state;
        self.retry_after = reply.retry_after();
        Ok(&self.state)
    }

    /// Looks at it until it is no longer pending, as often as the client's
    /// [`Pacing`](crate::Pacing) says. An order need not be waited for so: it knows by itself.
    ///
    /// # Errors
    /// - [`ErrorKind::Timeout`] when it is still pending after [`Pacing::deadline`](crate::Pacing).
    /// - [`ErrorKind::AuthorizationFailed`] when it is anything but valid then, or pending with the
    ///   error of a challenge.
    /// - Those of a request; see [`ErrorKind`].
    #[doc(alias = "poll_until_valid")]
    pub async fn becomes_valid(&mut self) -> Result<&messages::Authorization, Error> {
        let client = self.account.client().clone();
        let mut patience = Patience::new(&client, Work::Asked);
        let deadline = client.clock().sleep(client.settings().pacing.deadline);
        let polling = async {
            while self.state.status == AuthorizationStatus::Pending {
                if !patience.wait(&client, self.retry_after.take()).await {
                    return Ok(());
                }
                match self.refresh().await {
                    Ok(state) => {
                        patience.learn(&client, state.status != AuthorizationStatus::Pending);
                    }
                    Err(error) => patience.endure(&client, error).await?,
                }
            }
            Ok::<_, Error>(())
        };
        tokio::select! {
            polled = polling => polled?,
            () = deadline => {}
        }
        match self.state.status {
            AuthorizationStatus::Valid => Ok(&self.state),
            AuthorizationStatus::Pending if self.has_error() => {
                Err(crate::obtain::authorization_failed(&[&self.state]))
            }
            AuthorizationStatus::Pending => {
                Err(Error::new(ErrorKind::Timeout, Operation::Authorization)
                    .with_url(&self.url)
                    .with_detail("the authorization is still pending"))
            }
            _ => Err(crate::obtain::authorization_failed(&[&self.state])),
        }
    }

    /// Whether a challenge tells why it is not proved.
    fn has_error(&self) -> bool {
        self.state.challenges.iter().any(|it| it.error.is_some())
    }

    /// Gives it up: the CA will want the name proved anew ([RFC 8555, section 7.5.2]).
    ///
    /// # Errors
    /// - [`ErrorKind::BadResponse`] when the CA does not say that it is given up.
    /// - Those of a request; see [`ErrorKind`].
    ///
    /// [RFC 8555, section 7.5.2]: https://www.rfc-editor.org/rfc/rfc8555#section-7.5.2
    pub async fn deactivate(&mut self) -> Result<(), Error> {
        let operation = Operation::DeactivateAuthorization;
        let payload = crate::to_json(operation, &AuthorizationUpdate::deactivate())?;
        let sender = self.account.sender();
        let reply = self
            .account
            .client()
            .post(operation, &sender, &self.url, &payload, Repeat::Safe)
            .await?;
        self.state = reply.json()?;
        if self.state.status == AuthorizationStatus::Deactivated {
            return Ok(());
        }
        Err(reply.bad_response(format!("the authorization is {}", self.state.status)))
    }
}
