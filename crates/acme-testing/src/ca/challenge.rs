//! Challenges: looked at, and responded to ([RFC 8555, section 7.5.1]).
//!
//! [RFC 8555, section 7.5.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.5.1

use acme_messages::{AuthorizationStatus, ChallengeStatus, KeyAuthorization};
use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    authority::Authority,
    config::Style,
    reply::{Answer, Refusal, Reply},
    request::SignedRequest,
    route,
    validation::Job,
};

impl Authority {
    pub(super) fn challenge(&self, request: &SignedRequest, id: &str) -> Answer {
        let account = request.account()?;
        let config = self.config();
        let (retry_after, style) = (config.answers.retry_after, config.style);
        let now = self.now();
        // The response of these challenges has no members of its own; all others are passed over.
        let responds = !request.is_fetch();
        if responds {
            request.parse::<Map<String, Value>>()?;
        }
        let mut state = self.state();
        let authorization_id = state
            .authorization_of
            .get(id)
            .ok_or_else(Refusal::not_found)?;
        let authorization_id = authorization_id.clone();
        let key = state.accounts.get(account).map(|it| it.key.thumbprint());
        let authorization = state.own_authorization(account, &authorization_id)?;
        authorization.refresh(now);
        let status = authorization.status.clone();
        let identifier = authorization.identifier.clone();
        let wildcard = authorization.wildcard;
        let record = authorization
            .challenges
            .iter_mut()
            .find(|it| it.id == id)
            .ok_or_else(Refusal::not_found)?;
        if responds && style == Style::Pebble && record.status != ChallengeStatus::Pending {
            let detail = format!("the challenge is {}", record.status);
            return Err(Refusal::malformed(detail));
        }
        if responds && record.status == ChallengeStatus::Pending {
            if status != AuthorizationStatus::Pending {
                let detail = format!("the authorization is {status}");
                return Err(Refusal::malformed(detail));
            }
            let name = identifier.server_name().map_err(|_| Refusal::not_found())?;
            let key = key.ok_or_else(Refusal::not_found)?;
            record.status = ChallengeStatus::Processing;
            let job = Job {
                challenge: id.to_owned(),
                kind: record.kind.clone(),
                name,
                wildcard,
                key_authorization: KeyAuthorization::new(&record.token, &key),
                token: record.token.clone(),
                thumbprint: key,
                account_url: self.url(route::account(account)),
                account_hash_prefix: self.account_hash_prefix(&config).unwrap_or_default(),
            };
            // The queue is gone only when the server is, and then no one reads this answer.
            let _ = self.jobs.send(job);
        }
        let reply = Reply::json(
            StatusCode::OK,
            &self.show_challenge(record, &config, account),
        )
        .link(&self.url(route::authorization(&authorization_id)), "up");
        Ok(match record.status {
            ChallengeStatus::Pending | ChallengeStatus::Processing => {
                reply.retry_after(retry_after)
            }
            _ => reply,
        })
    }
}
