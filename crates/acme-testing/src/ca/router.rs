//! From an HTTP request to its handler and back.

use std::{convert::Infallible, sync::Arc};

use acme_messages::{Directory, DirectoryMeta};
use bytes::Bytes;
use http::{
    Method, Request, Response, StatusCode,
    header::{CACHE_CONTROL, HeaderName},
    request::Parts,
};
use http_body_util::Full;
use hyper::body::Incoming;

use super::{
    authority::Authority,
    fault::Stage,
    log::RequestRecord,
    reply::{Answer, Refusal, Reply},
    request::SignedRequest,
    route::{self, Operation, Route},
    state::State,
};

const REPLAY_NONCE: HeaderName = HeaderName::from_static("replay-nonce");

/// Answers one request and writes it down.
pub(super) async fn respond(
    authority: Arc<Authority>,
    connection: u64,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let route = Route::parse(&path);
    let answer = authority.dispatch(&parts, route, body).await;
    let mut reply = answer.unwrap_or_else(Refusal::into_reply);
    if !reply.bare {
        // Errors carry a nonce too, so that a client can go on at once (RFC 8555, section 6.5).
        if parts.method == Method::POST || route.operation == Operation::NewNonce {
            let nonce = authority.state().nonces.fresh();
            reply = reply
                .header(REPLAY_NONCE, nonce)
                .header(CACHE_CONTROL, "no-store");
        }
        if route.operation != Operation::Directory {
            reply = reply.link(&authority.url(route::DIRECTORY), "index");
        }
    }
    authority.log.add(RequestRecord {
        operation: route.operation,
        method: parts.method.to_string(),
        path: parts
            .uri
            .path_and_query()
            .map_or(path.clone(), ToString::to_string),
        status: reply.status.as_u16(),
        problem: reply.problem.clone(),
        connection,
    });
    Ok(reply.into_response(parts.method != Method::HEAD))
}

impl Authority {
    async fn dispatch(&self, parts: &Parts, route: Route<'_>, body: Incoming) -> Answer {
        if let Some(reply) = self.faults.take(route.operation, Stage::FrontEnd) {
            return Ok(reply);
        }
        Self::check_user_agent(parts)?;
        let readable = matches!(
            route.operation,
            Operation::Directory | Operation::NewNonce | Operation::RenewalInfo
        );
        match parts.method {
            _ if route.operation == Operation::Unknown => Err(Refusal::not_found()),
            Method::GET | Method::HEAD if readable => {
                self.check_faults(route.operation)?;
                self.read(route, parts.method == Method::HEAD)
            }
            Method::POST if route.operation != Operation::RenewalInfo => {
                let request = self.authenticate(parts, route, body).await?;
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

    fn check_faults(&self, operation: Operation) -> Result<(), Refusal> {
        match self.faults.take(operation, Stage::Handler) {
            Some(reply) => Err(Refusal::from(reply)),
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
            Operation::NewOrder => self.new_order(request),
            Operation::Order => self.order(request, route.id),
            Operation::Finalize => self.finalize(request, route.id),
            Operation::Authorization => self.authorization(request, route.id),
            Operation::Challenge => self.challenge(request, route.id),
            Operation::Certificate => self.certificate(request, route.id),
            Operation::RevokeCertificate => self.revoke_certificate(request),
            Operation::RenewalInfo | Operation::Unknown => Err(Refusal::not_found()),
        }
    }

    fn directory(&self) -> Reply {
        let mut directory = Directory::new(
            self.url(route::NEW_NONCE),
            self.url(route::NEW_ACCOUNT),
            self.url(route::NEW_ORDER),
        );
        directory.revoke_cert = Some(self.url(route::REVOKE_CERTIFICATE));
        directory.renewal_info = Some(self.url(route::RENEWAL_INFO));
        let mut meta = DirectoryMeta::default();
        meta.terms_of_service = self.config().accounts.terms_of_service.clone();
        directory.meta = meta;
        Reply::json(StatusCode::OK, &directory)
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
