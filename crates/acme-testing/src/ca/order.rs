//! Orders ([RFC 8555, section 7.4]).
//!
//! [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

use std::collections::BTreeSet;

use acme_messages::{Identifier, NewOrder, Order, OrderStatus, ProblemType, ServerName, Timestamp};
use http::StatusCode;

use super::{
    authority::Authority,
    config::{DefaultProfile, IssuanceConfig, TestCaConfig},
    identifier, replacement,
    reply::{Answer, Refusal, Reply},
    request::SignedRequest,
    route,
    state::{OrderRecord, State, random_id},
};

impl Authority {
    pub(super) fn new_order(&self, request: &SignedRequest) -> Answer {
        let account = request.account()?;
        self.check_agreement(account)?;
        let asked: NewOrder = request.parse()?;
        let config = self.config();
        check_dates(&asked, &config.issuance, self.now())?;
        let profile = self.profile(asked.profile.as_deref(), &config.issuance)?;
        let rules = profile
            .as_ref()
            .and_then(|it| config.issuance.profiles.get(it));
        let names = identifier::check_all(&asked.identifiers, &config.orders, rules)?;
        let now = self.now();
        let mut state = self.state();
        let replaces = asked.replaces.as_deref();
        let replaced = replacement::check(&mut state, account, &names, replaces, now)?;
        let earlier = (config.orders.reuse_orders && replaced.is_none())
            .then(|| state.open_order(account, &names, profile.as_deref(), now))
            .flatten();
        let id = earlier.unwrap_or_else(|| {
            let record = OrderRecord {
                account: account.to_owned(),
                authorizations: state.authorizations_for(account, &names, now, &config),
                names,
                status: OrderStatus::Pending,
                expires: now
                    .checked_add(config.orders.lifetime)
                    .unwrap_or(Timestamp::MAX),
                not_before: asked.not_before,
                not_after: asked.not_after,
                profile,
                error: None,
                certificate: None,
                replaces: asked.replaces,
                processing_answers: 0,
            };
            state.place(record, replaced)
        });
        drop(state);
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
        order.not_before = record.not_before;
        order.not_after = record.not_after;
        order.profile = record.profile.clone();
        order.error = record.error.clone();
        order.replaces = record.replaces.clone();
        if record.status == OrderStatus::Valid {
            if record.processing_answers > 0 {
                record.processing_answers -= 1;
                order.status = OrderStatus::Processing;
            } else {
                let certificate = record.certificate.as_deref();
                order.certificate = certificate.map(|id| self.url(route::certificate(id, 0)));
            }
        }
        let reply = Reply::json(StatusCode::OK, &order);
        Ok(match order.status {
            OrderStatus::Pending | OrderStatus::Processing => reply.retry_after(retry_after),
            _ => reply,
        })
    }

    /// The profile in force: the one asked for, or the default.
    fn profile(
        &self,
        asked: Option<&str>,
        config: &IssuanceConfig,
    ) -> Result<Option<String>, Refusal> {
        let refuse =
            |detail: String| Err(Refusal::bad_request(ProblemType::InvalidProfile, detail));
        match (asked, &config.default_profile) {
            (Some(name), _) if config.profiles.contains_key(name) => Ok(Some(name.to_owned())),
            (Some(name), _) => refuse(format!("there is no profile {name:?}")),
            (None, DefaultProfile::None) => Ok(None),
            (None, DefaultProfile::Named(name)) => Ok(Some(name.clone())),
            (None, DefaultProfile::Required) => refuse("the order must name a profile".to_owned()),
            (None, DefaultProfile::Random) => {
                let at = self.faults.dice(config.profiles.len());
                Ok(config.profiles.keys().nth(at).cloned())
            }
        }
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

    /// An authorization for each name: one that there is already, or a new one.
    fn authorizations_for(
        &mut self,
        account: &str,
        names: &[ServerName],
        now: Timestamp,
        config: &TestCaConfig,
    ) -> Vec<String> {
        names
            .iter()
            .map(|name| {
                self.reusable(account, name, now, &config.orders)
                    .unwrap_or_else(|| self.authorize(account, name, now, &config.orders))
            })
            .collect()
    }

    fn place(&mut self, order: OrderRecord, replaced: Option<String>) -> String {
        let id = random_id();
        if let Some(account) = self.accounts.get_mut(&order.account) {
            account.orders.push(id.clone());
        }
        self.orders.insert(id.clone(), order);
        if let Some(certificate) = replaced {
            self.replaced_by.insert(certificate, id.clone());
        }
        self.order_ids.push(id.clone());
        id
    }

    /// The account's latest order for exactly these names that can still be finalized.
    fn open_order(
        &mut self,
        account: &str,
        names: &[ServerName],
        profile: Option<&str>,
        now: Timestamp,
    ) -> Option<String> {
        let wanted: BTreeSet<_> = names.iter().collect();
        let own = self.accounts.get(account)?.orders.clone();
        own.into_iter().rev().find(|id| {
            self.refresh_order(id, now);
            self.orders.get(id).is_some_and(|order| {
                matches!(order.status, OrderStatus::Pending | OrderStatus::Ready)
                    && order.profile.as_deref() == profile
                    && order.names.iter().collect::<BTreeSet<_>>() == wanted
            })
        })
    }
}

/// Most CAs choose the validity themselves; one that does not wants it to last some time.
fn check_dates(asked: &NewOrder, config: &IssuanceConfig, now: Timestamp) -> Result<(), Refusal> {
    if asked.not_before.is_none() && asked.not_after.is_none() {
        return Ok(());
    }
    if !config.dates {
        let detail = "this CA chooses the validity: no notBefore, no notAfter";
        return Err(Refusal::malformed(detail));
    }
    let refuse = |detail: &str| Err(Refusal::malformed(detail));
    match (asked.not_before, asked.not_after) {
        (Some(begin), _) if begin < Timestamp::UNIX_EPOCH => refuse("notBefore lies before 1970"),
        (_, Some(end)) if end <= now => refuse("notAfter is over"),
        (Some(begin), Some(end)) if begin >= end => refuse("notAfter is not after notBefore"),
        _ => Ok(()),
    }
}
