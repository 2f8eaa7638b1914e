//! Changing an account's key ([RFC 8555, section 7.3.5]).
//!
//! [RFC 8555, section 7.3.5]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.5

use acme_messages::{
    Problem, ProblemType,
    jose::{KeyChangeError, key_change},
};
use http::{StatusCode, header::LOCATION};

use super::{
    authority::Authority,
    config::Style,
    reply::{Answer, Content, Refusal, Reply},
    request::SignedRequest,
    route,
};

impl Authority {
    pub(super) fn key_change(&self, request: &SignedRequest) -> Answer {
        let id = request.account()?;
        let url = self.url(route::account(id));
        let old = {
            let state = self.state();
            let account = state.accounts.get(id).ok_or_else(Refusal::not_found)?;
            account.key.clone()
        };
        let new =
            key_change::verify(request.payload(), &request.url, &url, &old).map_err(|error| {
                match error {
                    KeyChangeError::Jws(cause) => {
                        super::request::refuse_jws(cause, self.config().style)
                    }
                    error => Refusal::malformed(error.to_string()),
                }
            })?;
        let mut state = self.state();
        if let Some(other) = state.account_by_key.get(&new.thumbprint()) {
            let other = self.url(route::account(other));
            drop(state);
            return Err(self.key_in_use(&other));
        }
        let Some(account) = state.accounts.get_mut(id).filter(|it| it.key == old) else {
            // Another change came first: the key that signed is no longer the account's.
            return Err(Refusal::unauthorized("the account has another key by now"));
        };
        account.key = new.clone();
        state.account_by_key.remove(&old.thumbprint());
        state.account_by_key.insert(new.thumbprint(), id.to_owned());
        drop(state);
        self.show_account(id)
    }

    fn key_in_use(&self, account_url: &str) -> Refusal {
        let detail = "the key is an account's already";
        let problem = Problem::new(ProblemType::Malformed, detail);
        let mut reply = Reply::problem(StatusCode::CONFLICT, problem);
        if self.config().style == Style::Pebble {
            reply.content = Content::Nothing;
        }
        Refusal::from(reply.header(LOCATION, account_url))
    }
}
