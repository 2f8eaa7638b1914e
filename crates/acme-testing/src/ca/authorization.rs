//! Authorizations ([RFC 8555, section 7.5]).
//!
//! [RFC 8555, section 7.5]: https://www.rfc-editor.org/rfc/rfc8555#section-7.5

use acme_messages::{
    Authorization, AuthorizationStatus, Challenge, ChallengeStatus, ChallengeType, ServerName,
    Timestamp,
};
use http::StatusCode;
use serde::Deserialize;

use super::{
    authority::Authority,
    config::OrderConfig,
    reply::{Answer, Refusal, Reply},
    request::SignedRequest,
    route,
    state::{AuthorizationRecord, ChallengeRecord, Proof, State, random_id, random_token},
};

#[derive(Deserialize)]
struct AuthorizationUpdate {
    status: Option<AuthorizationStatus>,
}

impl Authority {
    pub(super) fn authorization(&self, request: &SignedRequest, id: &str) -> Answer {
        let now = self.now();
        let retry_after = self.config().answers.retry_after;
        let mut state = self.state();
        let record = state.own_authorization(request.account()?, id)?;
        record.refresh(now);
        if !request.is_fetch() {
            let update: AuthorizationUpdate = request.parse()?;
            if update.status != Some(AuthorizationStatus::Deactivated) {
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
        let mut authorization = Authorization::new(
            record.identifier.clone(),
            record.shown().map(|it| self.show_challenge(it)).collect(),
        );
        authorization.status = record.status.clone();
        authorization.expires = Some(record.expires);
        authorization.wildcard = record.wildcard;
        let reply = Reply::json(StatusCode::OK, &authorization);
        Ok(match authorization.status {
            AuthorizationStatus::Pending => reply.retry_after(retry_after),
            _ => reply,
        })
    }

    pub(super) fn show_challenge(&self, record: &ChallengeRecord) -> Challenge {
        let url = self.url(route::challenge(&record.id));
        let token = record.token.as_str().to_owned();
        let mut challenge = Challenge::new(record.kind.clone(), url, Some(token));
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
        let id = random_id();
        for challenge in &challenges {
            self.authorization_of
                .insert(challenge.id.clone(), id.clone());
        }
        let authorization = AuthorizationRecord {
            account: proof.account,
            identifier: proof.identifier,
            wildcard: proof.wildcard,
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
    match name {
        ServerName::Ip(_) => *kind != ChallengeType::Dns01,
        ServerName::Dns(name) if name.is_wildcard() => *kind == ChallengeType::Dns01,
        ServerName::Dns(_) => true,
    }
}
