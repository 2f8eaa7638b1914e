//! Accounts ([RFC 8555, section 7.3]).
//!
//! [RFC 8555, section 7.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3

use acme_messages::{
    Account, AccountStatus, AccountUpdate, NewAccount, OrderStatus, OrdersList, Problem,
    ProblemType, Timestamp, jose::Jwk,
};
use http::StatusCode;

use super::{
    authority::Authority,
    config::Style,
    contact,
    reply::{Answer, Refusal, Reply},
    request::SignedRequest,
    route::{self, Route},
    state::{AccountRecord, random_id},
};

impl Authority {
    pub(super) fn new_account(&self, request: &SignedRequest) -> Answer {
        let key = request.key()?;
        let asked: NewAccount = request.parse()?;
        let (id, status) = self.find_or_create(key, asked, &request.url)?;
        self.check_account(&id)?;
        let mut reply = self.show_account(&id)?;
        reply.status = status;
        Ok(reply.location(self.url(route::account(&id))))
    }

    fn find_or_create(
        &self,
        key: &Jwk,
        asked: NewAccount,
        url: &str,
    ) -> Result<(String, StatusCode), Refusal> {
        let thumbprint = key.thumbprint();
        let config = &self.config().accounts;
        let terms = config.terms_of_service.clone();
        let agreed = asked
            .terms_of_service_agreed
            .then(|| terms.clone())
            .flatten();
        {
            let mut state = self.state();
            if let Some(id) = state.account_by_key.get(&thumbprint).cloned() {
                // The way to agree to changed terms; all else is passed over.
                if let Some(record) = state.accounts.get_mut(&id)
                    && agreed.is_some()
                {
                    record.agreed_terms = agreed;
                }
                return Ok((id, StatusCode::OK));
            }
        }
        if asked.only_return_existing {
            let detail = "no account has this key";
            let kind = ProblemType::AccountDoesNotExist;
            return Err(Refusal::bad_request(kind, detail));
        }
        if let Some(terms) = terms
            && agreed.is_none()
        {
            return Err(self.terms_not_agreed(&terms));
        }
        contact::check(&asked.contact, config.max_contacts)?;
        let binding = asked.external_account_binding;
        let bound = self.check_binding(binding.as_ref(), url, key)?;
        let account = AccountRecord {
            key: key.clone(),
            status: AccountStatus::Valid,
            contact: asked.contact,
            agreed_terms: agreed,
            binding: binding.filter(|_| bound.is_some()),
            orders: Vec::new(),
        };
        // In one grasp, so that a key never gets two accounts.
        let mut state = self.state();
        if let Some(id) = state.account_by_key.get(&thumbprint) {
            return Ok((id.clone(), StatusCode::OK));
        }
        if let Some(bound) = bound
            && !state.bound_accounts.insert(bound)
            && config.external_accounts_once
        {
            let detail = "the external account has an account here already";
            return Err(Refusal::unauthorized(detail));
        }
        let id = random_id();
        state.account_by_key.insert(thumbprint, id.clone());
        state.accounts.insert(id.clone(), account);
        Ok((id, StatusCode::CREATED))
    }

    pub(super) fn account(&self, request: &SignedRequest, id: &str) -> Answer {
        demand_own(request, id)?;
        if !request.is_fetch() {
            let update: AccountUpdate = request.parse()?;
            let config = self.config();
            let now = self.now();
            if update == AccountUpdate::default() && config.style == Style::Pebble {
                return Err(Refusal::malformed("there is nothing to update"));
            }
            if let Some(contact) = &update.contact {
                contact::check(contact, config.accounts.max_contacts)?;
            }
            let mut state = self.state();
            if let Some(contact) = update.contact
                && let Some(account) = state.accounts.get_mut(id)
            {
                account.contact = contact;
            }
            if update.status == Some(AccountStatus::Deactivated) {
                state.deactivate(id, now);
            }
        }
        self.show_account(id)
    }

    pub(super) fn show_account(&self, id: &str) -> Answer {
        let lists_orders = self.config().accounts.orders_list;
        let state = self.state();
        let record = state.accounts.get(id).ok_or_else(Refusal::not_found)?;
        let mut account = Account::new(record.contact.clone());
        account.status = record.status.clone();
        account.orders = lists_orders.then(|| self.url(route::orders(id, 0)));
        account.terms_of_service_agreed = record.agreed_terms.is_some().then_some(true);
        account.external_account_binding = record.binding.clone();
        Ok(Reply::json(StatusCode::OK, &account))
    }

    /// A page of the orders that may still come to something, or did
    /// ([RFC 8555, section 7.1.2.1]).
    ///
    /// [RFC 8555, section 7.1.2.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.2.1
    pub(super) fn orders_list(&self, request: &SignedRequest, route: Route<'_>) -> Answer {
        request.demand_fetch()?;
        demand_own(request, route.id)?;
        let per_page = self.config().accounts.orders_per_page.max(1);
        let orders = self.state().live_orders(route.id, self.now());
        let first = route.number.saturating_mul(per_page);
        let page = orders.iter().skip(first).take(per_page);
        let page = page.map(|id| self.url(route::order(id))).collect();
        let reply = Reply::json(StatusCode::OK, &OrdersList::new(page));
        if orders.len() > first.saturating_add(per_page) {
            let next = self.url(route::orders(route.id, route.number + 1));
            return Ok(reply.link(&next, "next"));
        }
        Ok(reply)
    }

    /// Demands that the account agreed to the terms in force, where that matters
    /// ([RFC 8555, section 7.3.3]).
    ///
    /// [RFC 8555, section 7.3.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.3
    pub(super) fn check_agreement(&self, account: &str) -> Result<(), Refusal> {
        let config = self.config();
        let Some(terms) = &config.accounts.terms_of_service else {
            return Ok(());
        };
        let agreed = {
            let state = self.state();
            let record = state.accounts.get(account);
            record.is_some_and(|it| it.agreed_terms.as_ref() == Some(terms))
        };
        if agreed || !config.accounts.enforce_changed_terms {
            return Ok(());
        }
        Err(user_action(terms, "the terms of service have changed"))
    }

    /// Terms that are advertised must be agreed to.
    fn terms_not_agreed(&self, terms: &str) -> Refusal {
        let detail = "the terms of service must be agreed to";
        match self.config().style {
            Style::Boulder => Refusal::malformed(detail),
            Style::Rfc8555 | Style::Pebble => user_action(terms, detail),
        }
    }
}

fn user_action(terms: &str, detail: &str) -> Refusal {
    let mut problem = Problem::new(ProblemType::UserActionRequired, detail);
    problem.instance = Some(terms.to_owned());
    Refusal::with(StatusCode::FORBIDDEN, problem).link(terms, "terms-of-service")
}

fn demand_own(request: &SignedRequest, id: &str) -> Result<(), Refusal> {
    if request.account()? == id {
        return Ok(());
    }
    Err(Refusal::unauthorized("the account is another's"))
}

impl super::state::State {
    /// Closes an account and gives up its unfinished orders ([RFC 8555, section 7.3.6]).
    ///
    /// [RFC 8555, section 7.3.6]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.6
    fn deactivate(&mut self, account: &str, now: Timestamp) {
        let Some(record) = self.accounts.get_mut(account) else {
            return;
        };
        record.status = AccountStatus::Deactivated;
        for id in record.orders.clone() {
            self.refresh_order(&id, now);
            if let Some(order) = self.orders.get_mut(&id)
                && matches!(order.status, OrderStatus::Pending | OrderStatus::Ready)
            {
                order.status = OrderStatus::Invalid;
                let detail = "the account is deactivated";
                order.error = Some(Problem::new(ProblemType::Unauthorized, detail));
            }
        }
    }

    /// The orders of an account that have not failed, oldest first.
    fn live_orders(&mut self, account: &str, now: Timestamp) -> Vec<String> {
        let orders = self.accounts.get(account).map(|it| it.orders.clone());
        let mut orders = orders.unwrap_or_default();
        orders.retain(|id| {
            self.refresh_order(id, now);
            let order = self.orders.get(id);
            order.is_some_and(|it| it.status != OrderStatus::Invalid)
        });
        orders
    }
}
