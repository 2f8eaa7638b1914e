//! From an HTTP request to its handler and back.

use std::{future::pending, io, sync::Arc};

use http::{
    Method, Request, Response, StatusCode,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HeaderName},
    request::Parts,
};
use hyper::body::Incoming;

use super::{
    authority::Authority,
    delivery::AnswerBody,
    fault::{Outcome, Stage},
    log::RequestRecord,
    reply::{Answer, Refusal, Reply},
    request::SignedRequest,
    route::{self, Operation, Route},
    state::State,
};

pub(super) const REPLAY_NONCE: HeaderName = HeaderName::from_static("replay-nonce");

/// Answers one request and writes it down; an error closes the connection.
pub(super) async fn respond(
    authority: Arc<Authority>,
    connection: u64,
    request: Request<Incoming>,
) -> io::Result<Response<AnswerBody>> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let route = Route::parse(&path, parts.uri.query());
    let mut record = RequestRecord::new(route.operation, &parts, connection);
    let outcome = authority.exchange(&parts, route, body, &mut record).await;
    let reply = match outcome {
        Outcome::Answer(reply) => reply,
        Outcome::Closed => {
            authority.log.add(record);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Outcome::Silent => {
            authority.log.add(record);
            return pending().await;
        }
    };
    record.answered(&reply);
    authority.log.add(record);
    Ok(reply.into_response(parts.method != Method::HEAD))
}

impl Authority {
    /// One request and its answer, with all that goes wrong on the way.
    async fn exchange(
        &self,
        parts: &Parts,
        route: Route<'_>,
        body: Incoming,
        record: &mut RequestRecord,
    ) -> Outcome {
        if let Some(fault) = self.faults.instead(route.operation, Stage::FrontEnd) {
            return fault.answer();
        }
        let answer = self.dispatch(parts, route, body, record).await;
        let mut reply = answer.unwrap_or_else(Refusal::into_reply);
        // Errors carry a nonce too, so that a client can go on at once (RFC 8555, section 6.5).
        if parts.method == Method::POST || route.operation == Operation::NewNonce {
            let nonce = self.state().nonces.fresh();
            reply = reply
                .header(REPLAY_NONCE, nonce)
                .header(CACHE_CONTROL, "no-store");
        }
        if route.operation != Operation::Directory {
            reply = reply.link(&self.url(route::DIRECTORY), "index");
        }
        // For clients that are web pages (RFC 8555, section 6.1).
        reply = reply.header(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        for fault in self.faults.strike(route.operation, |it| it.fits(&reply)) {
            if !self.spoil(&fault, &mut reply) {
                record.answered(&reply);
                return Outcome::Closed;
            }
        }
        Outcome::Answer(reply)
    }

    async fn dispatch(
        &self,
        parts: &Parts,
        route: Route<'_>,
        body: Incoming,
        record: &mut RequestRecord,
    ) -> Answer {
        Self::check_user_agent(parts)?;
        let readable = matches!(
            route.operation,
            Operation::Directory | Operation::NewNonce | Operation::RenewalInfo
        );
        match parts.method {
            _ if !self.is_offered(route.operation) => Err(Refusal::not_found()),
            Method::GET | Method::HEAD if readable => {
                self.check_faults(route.operation)?;
                self.read(route, parts.method == Method::HEAD)
            }
            Method::POST if route.operation != Operation::RenewalInfo => {
                let request = self.authenticate(parts, route, body, record).await?;
                self.check_faults(route.operation)?;
                if request.is_fetch() {
                    self.wait_until_settled(route).await;
                }
                self.handle(&request, route)
            }
            _ => Err(Refusal::method_not_allowed(match route.operation {
                Operation::Directory | Operation::NewNonce => "GET, HEAD, POST",
                Operation::RenewalInfo => "GET, HEAD",
                _ => "POST",
            })),
        }
    }

    /// Whether there is such a resource here, by the settings of now.
    fn is_offered(&self, operation: Operation) -> bool {
        let config = self.config();
        match operation {
            Operation::Unknown => false,
            Operation::KeyChange => config.accounts.key_change,
            Operation::NewAuthorization => config.orders.pre_authorization,
            Operation::Orders => config.accounts.orders_list,
            Operation::RenewalInfo => config.renewal.offered,
            _ => true,
        }
    }

    fn check_faults(&self, operation: Operation) -> Result<(), Refusal> {
        match self.faults.instead(operation, Stage::Handler) {
            Some(fault) => match fault.answer() {
                Outcome::Answer(reply) => Err(Refusal::from(reply)),
                _ => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// What may be read without a signature ([RFC 8555, section 6.3]).
    ///
    /// [RFC 8555, section 6.3]: https://www.rfc-editor.org/rfc/rfc8555#section-6.3
    fn read(&self, route: Route<'_>, head: bool) -> Answer {
        match route.operation {
            Operation::Directory => Ok(self.directory()),
            Operation::NewNonce if head => Ok(Reply::empty(StatusCode::OK)),
            Operation::NewNonce => Ok(Reply::empty(StatusCode::NO_CONTENT)),
            _ => self.renewal_info(route.id),
        }
    }

    fn handle(&self, request: &SignedRequest, route: Route<'_>) -> Answer {
        match route.operation {
            Operation::Directory | Operation::NewNonce => {
                request.demand_fetch()?;
                self.read(route, false)
            }
            Operation::NewAccount => self.new_account(request),
            Operation::Account => self.account(request, route.id),
            Operation::Orders => self.orders_list(request, route),
            Operation::KeyChange => self.key_change(request),
            Operation::NewAuthorization => self.new_authorization(request),
            Operation::NewOrder => self.new_order(request),
            Operation::Order => self.order(request, route.id),
            Operation::Finalize => self.finalize(request, route.id),
            Operation::Authorization => self.authorization(request, route.id),
            Operation::Challenge => self.challenge(request, route.id),
            Operation::Certificate => self.certificate(request, route),
            Operation::RevokeCertificate => self.revoke_certificate(request),
            Operation::RenewalInfo | Operation::Unknown => Err(Refusal::not_found()),
        }
    }

    /// Waits while a validation is under way whose end the look is for.
    async fn wait_until_settled(&self, route: Route<'_>) {
        let is_validating = match route.operation {
            Operation::Order => State::is_order_validating,
            Operation::Authorization => State::is_authorization_validating,
            Operation::Challenge => State::is_challenge_validating,
            _ => return,
        };
        loop {
            // Asked for before the look, so that no end falls between the two.
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            let wait = self.config().answers.polls_wait;
            if !wait || !is_validating(&self.state(), route.id) {
                return;
            }
            settled.await;
        }
    }
}
