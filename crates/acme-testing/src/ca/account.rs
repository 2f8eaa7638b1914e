//! Accounts ([RFC 8555, section 7.3]).
//!
//! [RFC 8555, section 7.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3

use acme_messages::{Account, AccountStatus, DnsName, NewAccount, Problem, ProblemType, jose::Jwk};
use http::StatusCode;
use serde::Deserialize;

use super::{
    authority::Authority,
    limits::MAX_CONTACTS,
    reply::{Answer, Refusal, Reply},
    request::SignedRequest,
    route,
    state::{AccountRecord, random_id},
};

/// What may be changed of an account; all else is passed over ([RFC 8555, section 7.3.2]).
///
/// [RFC 8555, section 7.3.2]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.2
#[derive(Deserialize)]
struct AccountUpdate {
    contact: Option<Vec<String>>,
    status: Option<AccountStatus>,
}

impl Authority {
    pub(super) fn new_account(&self, request: &SignedRequest) -> Answer {
        let key = request.key()?;
        let asked: NewAccount = request.parse()?;
        let terms = self.check_terms(&asked);
        let (id, status) = self.find_or_create(key, asked, terms)?;
        self.check_account(&id)?;
        let mut reply = self.show_account(&id)?;
        reply.status = status;
        Ok(reply.location(self.url(route::account(&id))))
    }

    /// In one grasp, so that a key never gets two accounts.
    fn find_or_create(
        &self,
        key: &Jwk,
        asked: NewAccount,
        terms: Result<(), Refusal>,
    ) -> Result<(String, StatusCode), Refusal> {
        let mut state = self.state();
        if let Some(id) = state.account_by_key.get(&key.thumbprint()) {
            return Ok((id.clone(), StatusCode::OK));
        }
        if asked.only_return_existing {
            let detail = "no account has this key";
            return Err(Refusal::bad_request(
                ProblemType::AccountDoesNotExist,
                detail,
            ));
        }
        terms?;
        check_contacts(&asked.contact)?;
        let id = random_id();
        let account = AccountRecord {
            key: key.clone(),
            status: AccountStatus::Valid,
            contact: asked.contact,
        };
        state.account_by_key.insert(key.thumbprint(), id.clone());
        state.accounts.insert(id.clone(), account);
        Ok((id, StatusCode::CREATED))
    }

    pub(super) fn account(&self, request: &SignedRequest, id: &str) -> Answer {
        if request.account()? != id {
            return Err(Refusal::unauthorized("the account is another's"));
        }
        if !request.is_fetch() {
            let update: AccountUpdate = request.parse()?;
            if let Some(contact) = &update.contact {
                check_contacts(contact)?;
            }
            if let Some(account) = self.state().accounts.get_mut(id) {
                if let Some(contact) = update.contact {
                    account.contact = contact;
                }
                if update.status == Some(AccountStatus::Deactivated) {
                    account.status = AccountStatus::Deactivated;
                }
            }
        }
        self.show_account(id)
    }

    fn show_account(&self, id: &str) -> Answer {
        let state = self.state();
        let record = state.accounts.get(id).ok_or_else(Refusal::not_found)?;
        let mut account = Account::new(record.contact.clone());
        account.status = record.status.clone();
        Ok(Reply::json(StatusCode::OK, &account))
    }

    /// Terms that are advertised must be agreed to.
    fn check_terms(&self, asked: &NewAccount) -> Result<(), Refusal> {
        let Some(terms) = self.config().accounts.terms_of_service.clone() else {
            return Ok(());
        };
        if asked.terms_of_service_agreed {
            return Ok(());
        }
        let detail = "the terms of service must be agreed to";
        let mut problem = Problem::new(ProblemType::UserActionRequired, detail);
        problem.instance = Some(terms.clone());
        Err(Refusal::with(StatusCode::FORBIDDEN, problem).link(&terms, "terms-of-service"))
    }
}

fn check_contacts(contacts: &[String]) -> Result<(), Refusal> {
    if contacts.len() > MAX_CONTACTS {
        let detail = format!("there are more than {MAX_CONTACTS} contacts");
        return Err(Refusal::bad_request(ProblemType::InvalidContact, detail));
    }
    contacts.iter().try_for_each(|it| check_contact(it))
}

/// A `mailto:` URL of one address and nothing else.
fn check_contact(contact: &str) -> Result<(), Refusal> {
    let scheme = contact.split_once(':').map(|it| it.0.to_ascii_lowercase());
    if scheme.as_deref() != Some("mailto") {
        let detail = format!("{contact:?} is not a mailto URL");
        return Err(Refusal::bad_request(
            ProblemType::UnsupportedContact,
            detail,
        ));
    }
    let address = &contact["mailto:".len()..];
    let single = !address.contains(['?', ',', ' ']) && address.is_ascii();
    let valid = address
        .rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.parse::<DnsName>().is_ok());
    if single && valid {
        return Ok(());
    }
    let detail = format!("{contact:?} is not a mailto URL of exactly one address");
    Err(Refusal::bad_request(ProblemType::InvalidContact, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_are_checked() {
        let check = |contact: &str, expected: Option<ProblemType>| {
            let got = check_contact(contact)
                .err()
                .and_then(|it| it.into_reply().problem);
            assert_eq!(got, expected, "{contact}");
        };
        check("mailto:admin@example.com", None);
        check("MAILTO:admin@example.com", None);
        check("tel:+12025551212", Some(ProblemType::UnsupportedContact));
        check("admin@example.com", Some(ProblemType::UnsupportedContact));
        check("mailto:", Some(ProblemType::InvalidContact));
        check("mailto:admin", Some(ProblemType::InvalidContact));
        check("mailto:@example.com", Some(ProblemType::InvalidContact));
        check(
            "mailto:a@example.com?subject=x",
            Some(ProblemType::InvalidContact),
        );
        check(
            "mailto:a@example.com,b@example.com",
            Some(ProblemType::InvalidContact),
        );
        check("mailto:a@exa_mple", Some(ProblemType::InvalidContact));
    }
}
