//! Challenges: a handle ([RFC 8555, section 7.5.1]).
//!
//! [RFC 8555, section 7.5.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.5.1

use std::time::Duration;

use acme_messages::{
    self as messages, AuthorizationStatus, ChallengeStatus, ChallengeType, Identifier,
    KeyAuthorization, Token, dns_persist::Offer, link,
};
use acme_responders::ChallengeContext;

use crate::{Account, Error, ErrorKind, Operation, Repeat, Reply};

/// One way to prove a name.
#[derive(Clone, Debug)]
pub struct Challenge {
    account: Account,
    authorization: String,
    identifier: Identifier,
    wildcard: bool,
    state: messages::Challenge,
    retry_after: Option<Duration>,
}

impl Challenge {
    pub(crate) fn new(
        account: Account,
        url: &str,
        authorization: &messages::Authorization,
        state: messages::Challenge,
    ) -> Self {
        Self {
            account,
            authorization: url.to_owned(),
            identifier: authorization.identifier.clone(),
            wildcard: authorization.wildcard,
            state,
            retry_after: None,
        }
    }

    /// What is to be done.
    #[must_use]
    pub const fn kind(&self) -> &ChallengeType {
        &self.state.kind
    }

    /// The challenge's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.state.url
    }

    /// What the CA said last; members that this version does not know are there too.
    #[must_use]
    pub const fn state(&self) -> &messages::Challenge {
        &self.state
    }

    /// The authorization it belongs to: the CA's word for it once it was told, what it was taken
    /// from before.
    #[must_use]
    pub fn authorization_url(&self) -> &str {
        &self.authorization
    }

    /// How long the CA asked to wait when it was told.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// All that an answer is made of, for a responder.
    ///
    /// # Errors
    /// - [`ErrorKind::BadResponse`] when the name or the token is bad, or the challenge has no
    ///   token: types beyond RFC 8555 may have none, as dns-persist-01, where nothing is put up;
    ///   see [`state`](Self::state).
    pub fn context(&self) -> Result<ChallengeContext, Error> {
        let bad = |detail: &str| {
            Error::new(ErrorKind::BadResponse, Operation::Authorization)
                .with_url(&self.authorization)
                .with_detail(detail)
        };
        let name = self.identifier.server_name();
        let name = name.map_err(|error| bad("the identifier is no name").with_source(error))?;
        let token = self.state.token.as_deref();
        let token = token.ok_or_else(|| bad("the challenge has no token"))?;
        let token =
            Token::parse(token).map_err(|error| bad("the token is bad").with_source(error))?;
        let answer = KeyAuthorization::new(&token, self.account.thumbprint());
        let context = ChallengeContext::new(name, self.kind().clone(), token, answer);
        Ok(context.wildcard(self.wildcard))
    }

    /// Whether its proof stands already, as the record of dns-persist-01 does: nothing is put up
    /// for it, and it has no token. What the CA offers is checked as the draft wants it
    /// ([draft-ietf-acme-dns-persist](https://datatracker.ietf.org/doc/draft-ietf-acme-dns-persist/)).
    pub(crate) async fn stands(&self) -> Result<bool, Error> {
        if *self.kind() != ChallengeType::DnsPersist01 {
            return Ok(false);
        }
        let directory = self.account.client().directory().await?;
        match Offer::from_challenge(&self.state, &directory.meta) {
            Ok(_) => Ok(true),
            Err(error) => Err(Error::new(ErrorKind::BadResponse, Operation::Authorization)
                .with_url(&self.authorization)
                .with_detail("the challenge must not be answered")
                .with_source(error)),
        }
    }

    /// Tells the CA that the answer is up; nothing is sent unless the challenge is pending.
    ///
    /// # Errors
    /// - [`ErrorKind::BadResponse`] when the answer is another challenge's.
    /// - [`ErrorKind::AuthorizationFailed`] when the CA looked at once, and did not accept the
    ///   proof.
    /// - Those of a request; see [`ErrorKind`].
    #[doc(alias = "answer_challenge")]
    pub async fn respond(&mut self) -> Result<(), Error> {
        self.respond_with(b"{}").await
    }

    /// As [`respond`](Self::respond), with a payload of the challenge's type: a JSON object.
    ///
    /// # Errors
    /// - As [`respond`](Self::respond).
    pub async fn respond_with(&mut self, payload: &[u8]) -> Result<(), Error> {
        if self.state.status != ChallengeStatus::Pending {
            return Ok(());
        }
        let (client, sender) = (self.account.client(), self.account.sender());
        let operation = Operation::Challenge;
        let sent = client
            .post(operation, &sender, &self.state.url, payload, Repeat::Safe)
            .await;
        match sent {
            Ok(reply) => self.update(&reply),
            Err(error) => self.look_behind(error).await,
        }
    }

    /// What an error means that saying so brought: nothing where the challenge is on its way,
    /// since an earlier answer was lost, and the CA refuses to be told twice; and a proof that
    /// failed where the challenge shows the same error, since some CAs look before they answer.
    async fn look_behind(&self, error: Error) -> Result<(), Error> {
        if error.kind() != ErrorKind::Problem || error.is_transient() {
            return Err(error);
        }
        let authorization = self.account.authorization(self.authorization.as_str());
        let Ok(authorization) = authorization.await else {
            return Err(error);
        };
        let state = authorization.state();
        let same = state.challenges.iter().find(|it| it.url == self.state.url);
        let shown = same.and_then(|it| it.error.as_ref());
        if state.status != AuthorizationStatus::Pending {
            return Ok(());
        }
        if shown.is_some_and(|it| error.has_problem(&it.kind)) {
            let name = &self.identifier.value;
            return Err(error
                .with_kind(ErrorKind::AuthorizationFailed)
                .with_detail(format!("a challenge for {name} has failed")));
        }
        match same {
            Some(same) if same.status != ChallengeStatus::Pending => Ok(()),
            _ => Err(error),
        }
    }

    /// Looks at it again.
    ///
    /// # Errors
    /// - As [`respond`](Self::respond).
    pub async fn refresh(&mut self) -> Result<&messages::Challenge, Error> {
        let (client, sender) = (self.account.client(), self.account.sender());
        let reply = client
            .post_as_get(Operation::Challenge, &sender, &self.state.url)
            .await?;
        self.update(&reply)?;
        Ok(&self.state)
    }

    fn update(&mut self, reply: &Reply) -> Result<(), Error> {
        let state: messages::Challenge = reply.json()?;
        if state.url != self.state.url {
            return Err(reply.bad_response(format!("the challenge's URL is {:?}", state.url)));
        }
        self.state = state;
        self.retry_after = reply.retry_after();
        // Clients need no such link, and not every CA sends one.
        let links = reply.links();
        if let Some(up) = link::urls(&links, "up").next() {
            self.authorization = up.to_owned();
        }
        Ok(())
    }
}
