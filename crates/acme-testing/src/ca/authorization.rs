//! Authorizations ([RFC 8555, section 7.5]).
//!
//! [RFC 8555, section 7.5]: https://www.rfc-editor.org/rfc/rfc8555#section-7.5

use acme_messages::{
    Authorization, AuthorizationStatus, AuthorizationUpdate, Challenge, ChallengeStatus,
    ChallengeType, NewAuthorization, ServerName, Timestamp,
};
use http::StatusCode;

use super::{
    authority::Authority,
    challenge_body,
    config::{OrderConfig, TestCaConfig},
    identifier,
    reply::{Answer, Refusal, Reply},
    request::SignedRequest,
    route,
    state::{AuthorizationRecord, ChallengeRecord, Proof, State, random_id, random_token},
};

impl Authority {
    /// An authorization ahead of an order ([RFC 8555, section 7.4.1]).
    ///
    /// [RFC 8555, section 7.4.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4.1
    pub(super) fn new_authorization(&self, request: &SignedRequest) -> Answer {
        let account = request.account()?;
        self.check_agreement(account)?;
        let asked: NewAuthorization = request.parse()?;
        let config = self.config();
        let name = identifier::check(&asked.identifier, &config.orders, None)
            .map_err(|problem| Refusal::with(StatusCode::FORBIDDEN, *problem))?;
        if name.is_wildcard() {
            let detail = "wildcards cannot be authorized ahead of an order";
            return Err(Refusal::malformed(detail));
        }
        let now = self.now();
        let mut state = self.state();
        let id = match state.reusable(account, &name, now, &config.orders) {
            Some(id) => id,
            None => state.authorize(account, &name, now, &config.orders),
        };
        if let Some(record) = state.authorizations.get_mut(&id) {
            record.ahead = true;
        }
        drop(state);
        let url = self.url(route::authorization(&id));
        let mut reply = self.show_authorization(&id)?.location(url);
        reply.status = StatusCode::CREATED;
        Ok(reply)
    }

    pub(super) fn authorization(&self, request: &SignedRequest, id: &str) -> Answer {
        let now = self.now();
        let mut state = self.state();
        let record = state.own_authorization(request.account()?, id)?;
        record.refresh(now);
        if !request.is_fetch() {
            let update: AuthorizationUpdate = request.parse()?;
            if update.status != AuthorizationStatus::Deactivated {
                let detail = "an authorization can only be deactivated";
                return Err(Refusal::malformed(detail));
            }
            if matches!(
                record.status,
                AuthorizationStatus::Pending | AuthorizationStatus::Valid
            ) {
                record.status = AuthorizationStatus::Deactivated;
            }
        }
        drop(state);
        self.show_authorization(id)
    }

    fn show_authorization(&self, id: &str) -> Answer {
        let config = self.config();
        let state = self.state();
        let record = state
            .authorizations
            .get(id)
            .ok_or_else(Refusal::not_found)?;
        let mut authorization = Authorization::new(
            record.identifier.clone(),
            record
                .shown()
                .map(|it| self.show_challenge(it, &config, &record.account))
                .collect(),
        );
        authorization.status = record.status.clone();
        authorization.expires = Some(record.expires);
        authorization.wildcard = record.wildcard;
        let reply = Reply::json(StatusCode::OK, &authorization);
        Ok(match authorization.status {
            AuthorizationStatus::Pending => reply.retry_after(config.answers.retry_after),
            _ => reply,
        })
    }

    pub(super) fn show_challenge(
        &self,
        record: &ChallengeRecord,
        config: &TestCaConfig,
        account: &str,
    ) -> Challenge {
        let url = self.url(route::challenge(&record.id));
        let has_token = challenge_body::has_token(&record.kind);
        let token = has_token.then(|| record.token.as_str().to_owned());
        let mut challenge = Challenge::new(record.kind.clone(), url, token);
        let account_url = self.url(route::account(account));
        challenge.extra = challenge_body::extra_members(&record.kind, config, &account_url);
        challenge.status = record.status.clone();
        challenge.validated = record.validated;
        challenge.error = record.error.clone();
        challenge
    }
}

impl AuthorizationRecord {
    /// All challenges while one is to be chosen, then those that were tried
    /// ([RFC 8555, section 7.1.4]).
    ///
    /// [RFC 8555, section 7.1.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.4
    fn shown(&self) -> impl Iterator<Item = &ChallengeRecord> {
        let all = self.status == AuthorizationStatus::Pending
            || self
                .challenges
                .iter()
                .all(|it| it.status == ChallengeStatus::Pending);
        self.challenges
            .iter()
            .filter(move |it| all || it.status != ChallengeStatus::Pending)
    }
}

impl State {
    /// Makes a pending authorization and returns its id.
    pub(super) fn authorize(
        &mut self,
        account: &str,
        name: &ServerName,
        now: Timestamp,
        config: &OrderConfig,
    ) -> String {
        let proof = Proof::of(account, name);
        let id = random_id();
        self.asked.insert(proof.clone(), id.clone());
        let challenges: Vec<_> = config
            .challenges
            .iter()
            .filter(|kind| can_prove(kind, name))
            .map(|kind| ChallengeRecord {
                id: random_id(),
                kind: kind.clone(),
                token: random_token(),
                status: ChallengeStatus::Pending,
                validated: None,
                error: None,
            })
            .collect();
        for challenge in &challenges {
            self.authorization_of
                .insert(challenge.id.clone(), id.clone());
        }
        let authorization = AuthorizationRecord {
            account: proof.account,
            identifier: proof.identifier,
            wildcard: proof.wildcard,
            ahead: false,
            status: AuthorizationStatus::Pending,
            expires: now
                .checked_add(config.pending_authorization_lifetime)
                .unwrap_or(Timestamp::MAX),
            challenges,
        };
        self.authorizations.insert(id.clone(), authorization);
        id
    }

    /// An authorization, for the account that it was made for.
    pub(super) fn own_authorization(
        &mut self,
        account: &str,
        id: &str,
    ) -> Result<&mut AuthorizationRecord, Refusal> {
        let authorization = self
            .authorizations
            .get_mut(id)
            .ok_or_else(Refusal::not_found)?;
        if authorization.account == account {
            return Ok(authorization);
        }
        Err(Refusal::unauthorized(
            "the authorization is another account's",
        ))
    }
}

/// Wildcards are for DNS to prove, addresses are not ([RFC 8738, section 7]).
///
/// [RFC 8738, section 7]: https://www.rfc-editor.org/rfc/rfc8738#section-7
fn can_prove(kind: &ChallengeType, name: &ServerName) -> bool {
    let by_dns = matches!(
        kind,
        ChallengeType::Dns01 | ChallengeType::DnsAccount01 | ChallengeType::DnsPersist01
    );
    match name {
        ServerName::Ip(_) => !by_dns,
        ServerName::Dns(name) => by_dns || !name.is_wildcard(),
    }
}
