//! Orders ([RFC 8555, section 7.4]).
//!
//! [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

use acme_messages::{
    Identifier, IdentifierType, NewOrder, Order, OrderStatus, Problem, ProblemType, ServerName,
    Timestamp,
};
use http::StatusCode;

use super::{
    authority::Authority,
    limits::{MAX_IDENTIFIERS, ORDER_LIFETIME},
    reply::{Answer, Refusal, Reply},
    request::SignedRequest,
    route,
    state::{self, OrderRecord, State, random_id},
};

impl Authority {
    pub(super) fn new_order(&self, request: &SignedRequest) -> Answer {
        let account = request.account()?;
        let asked: NewOrder = request.parse()?;
        let names = check_identifiers(&asked.identifiers)?;
        if asked.not_before.is_some() || asked.not_after.is_some() {
            let detail = "this CA chooses the validity: no notBefore, no notAfter";
            return Err(Refusal::malformed(detail));
        }
        if let Some(profile) = asked.profile {
            let detail = format!("there is no profile {profile:?}");
            return Err(Refusal::bad_request(ProblemType::InvalidProfile, detail));
        }
        let config = self.config();
        let now = self.now();
        let id = random_id();
        {
            let mut state = self.state();
            let replaces = asked.replaces.as_deref();
            let replaced = check_replaces(&mut state, account, &names, replaces, now)?;
            let authorizations = names
                .iter()
                .map(|name| {
                    let reused = config
                        .orders
                        .reuse_valid
                        .then(|| state.valid_authorization(account, name, now))
                        .flatten();
                    reused.unwrap_or_else(|| state.authorize(account, name, now, &config.orders))
                })
                .collect();
            let order = OrderRecord {
                account: account.to_owned(),
                names,
                authorizations,
                status: OrderStatus::Pending,
                expires: now.checked_add(ORDER_LIFETIME).unwrap_or(Timestamp::MAX),
                error: None,
                certificate: None,
                replaces: asked.replaces,
                processing_answers: 0,
            };
            state.orders.insert(id.clone(), order);
            if let Some(certificate) = replaced {
                state.replaced_by.insert(certificate, id.clone());
            }
        }
        let mut reply = self.show_order(&id)?.location(self.url(route::order(&id)));
        reply.status = StatusCode::CREATED;
        Ok(reply)
    }

    pub(super) fn order(&self, request: &SignedRequest, id: &str) -> Answer {
        request.demand_fetch()?;
        self.state().own_order(request.account()?, id)?;
        self.show_order(id)
    }

    /// The order as it is now; one of the answers that may say `processing`.
    pub(super) fn show_order(&self, id: &str) -> Answer {
        let retry_after = self.config().answers.retry_after;
        let now = self.now();
        let mut state = self.state();
        state.refresh_order(id, now);
        let record = state.orders.get_mut(id).ok_or_else(Refusal::not_found)?;
        let mut order = Order::new(
            record.names.iter().map(Identifier::from).collect(),
            record
                .authorizations
                .iter()
                .map(|id| self.url(route::authorization(id)))
                .collect(),
            self.url(route::finalize(id)),
        );
        order.status = record.status.clone();
        order.expires = Some(record.expires);
        order.error = record.error.clone();
        order.replaces = record.replaces.clone();
        if record.status == OrderStatus::Valid {
            if record.processing_answers > 0 {
                record.processing_answers -= 1;
                order.status = OrderStatus::Processing;
            } else {
                let certificate = record.certificate.as_deref();
                order.certificate = certificate.map(|id| self.url(route::certificate(id)));
            }
        }
        let reply = Reply::json(StatusCode::OK, &order);
        Ok(match order.status {
            OrderStatus::Pending | OrderStatus::Processing => reply.retry_after(retry_after),
            _ => reply,
        })
    }
}

impl State {
    /// An order, for the account that placed it.
    pub(super) fn own_order(
        &mut self,
        account: &str,
        id: &str,
    ) -> Result<&mut OrderRecord, Refusal> {
        let order = self.orders.get_mut(id).ok_or_else(Refusal::not_found)?;
        if order.account == account {
            return Ok(order);
        }
        Err(Refusal::unauthorized("the order is another account's"))
    }
}

fn check_identifiers(identifiers: &[Identifier]) -> Result<Vec<ServerName>, Refusal> {
    if identifiers.is_empty() {
        return Err(Refusal::malformed("an order needs an identifier"));
    }
    if identifiers.len() > MAX_IDENTIFIERS {
        let detail = format!("there are more than {MAX_IDENTIFIERS} identifiers");
        return Err(Refusal::malformed(detail));
    }
    let mut names = Vec::with_capacity(identifiers.len());
    let mut problems = Vec::new();
    for identifier in identifiers {
        match check_identifier(identifier) {
            Ok(name) if names.contains(&name) => {}
            Ok(name) => names.push(name),
            Err(mut problem) => {
                problem.identifier = Some(identifier.clone());
                problems.push(*problem);
            }
        }
    }
    if problems.is_empty() {
        return Ok(names);
    }
    Err(Refusal::with(
        StatusCode::BAD_REQUEST,
        state::join(problems),
    ))
}

/// A DNS name in letters of either case; an address in its one canonical form
/// ([RFC 8738, section 3]).
///
/// [RFC 8738, section 3]: https://www.rfc-editor.org/rfc/rfc8738#section-3
fn check_identifier(identifier: &Identifier) -> Result<ServerName, Box<Problem>> {
    let value = &identifier.value;
    if let IdentifierType::Other(kind) = &identifier.kind {
        let detail = format!("there are no certificates for identifiers of type {kind:?}");
        return Err(Box::new(Problem::new(
            ProblemType::UnsupportedIdentifier,
            detail,
        )));
    }
    let rejected = |detail| Box::new(Problem::new(ProblemType::RejectedIdentifier, detail));
    let name = identifier
        .server_name()
        .map_err(|error| rejected(format!("{value:?}: {error}")))?;
    if name.to_string() == value.to_ascii_lowercase() {
        return Ok(name);
    }
    let detail = format!("{value:?} must be written as {:?}", name.to_string());
    Err(rejected(detail))
}

/// Checks `replaces` ([RFC 9773, section 5]); returns the id of the certificate.
///
/// [RFC 9773, section 5]: https://www.rfc-editor.org/rfc/rfc9773#section-5
fn check_replaces(
    state: &mut State,
    account: &str,
    names: &[ServerName],
    replaces: Option<&str>,
    now: Timestamp,
) -> Result<Option<String>, Refusal> {
    let Some(name) = replaces else {
        return Ok(None);
    };
    let Some(id) = state.certificate_by_name.get(name).cloned() else {
        return Err(Refusal::malformed(
            "`replaces` names no certificate of this CA",
        ));
    };
    let certificate = state.certificates.get(&id).ok_or_else(Refusal::not_found)?;
    if certificate.account != account {
        let detail = "the certificate to replace is another account's";
        return Err(Refusal::unauthorized(detail));
    }
    let own = &certificate.chain.leaf().names;
    if !own.iter().any(|it| names.contains(it)) {
        let detail = "the certificate to replace shares no name with the order";
        return Err(Refusal::malformed(detail));
    }
    if let Some(successor) = state.replaced_by.get(&id).cloned() {
        state.refresh_order(&successor, now);
        let order = state.orders.get(&successor);
        if order.is_some_and(|it| it.status != OrderStatus::Invalid) {
            let detail = "another order replaces that certificate";
            let kind = ProblemType::AlreadyReplaced;
            return Err(Refusal::new(StatusCode::CONFLICT, kind, detail));
        }
    }
    Ok(Some(id))
}
