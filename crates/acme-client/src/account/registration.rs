//! Making an account, or finding the one that a key has ([RFC 8555, sections 7.3 and 7.3.1]).
//!
//! [RFC 8555, sections 7.3 and 7.3.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3

use std::sync::Arc;

use acme_messages::{
    self as messages, AccountStatus, AccountUpdate, Directory, NewAccount, ProblemType,
    jose::{AsyncSigner, Jwk},
};
use http::StatusCode;
use serde::Deserialize;

use super::{Account, ExternalAccount, same_contacts};
use crate::{Client, Error, ErrorKind, Operation, Repeat, Reply, Sender};

/// What `newAccount` brought.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registration {
    /// The account, to be used.
    pub account: Account,
    /// The account as the CA shows it.
    pub resource: messages::Account,
    /// Whether it was made just now, and not found.
    pub created: bool,
}

impl Client {
    /// Makes an account for a key, or finds the one it has.
    ///
    /// An account that is found gets the contacts in `new`, if there are any and they are others
    /// than it has; without any, it keeps its own.
    ///
    /// # Errors
    /// - [`ErrorKind::TermsNotAgreed`] when the CA has terms of service and `new` does not
    ///   agree to them; nothing was sent then.
    /// - [`ErrorKind::Request`] when the CA demands an external account and `new` has none; nothing
    ///   was sent then.
    /// - [`ErrorKind::BadResponse`] when the answer names no account, or one that is not valid, or
    ///   one with another key.
    /// - Those of a request; see [`ErrorKind`].
    #[doc(alias = "register")]
    pub async fn new_account(
        &self,
        signer: Arc<dyn AsyncSigner>,
        new: &NewAccount,
    ) -> Result<Registration, Error> {
        self.register(signer, new, None).await
    }

    /// As [`new_account`](Self::new_account), bound to an account elsewhere at the CA
    /// ([RFC 8555, section 7.3.4]).
    ///
    /// # Errors
    /// - As [`new_account`](Self::new_account).
    ///
    /// [RFC 8555, section 7.3.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.4
    pub async fn new_bound_account(
        &self,
        signer: Arc<dyn AsyncSigner>,
        new: &NewAccount,
        external: &ExternalAccount,
    ) -> Result<Registration, Error> {
        self.register(signer, new, Some(external)).await
    }

    /// Finds the account that a key has, and makes none ([RFC 8555, section 7.3.1]).
    ///
    /// # Errors
    /// - As [`new_account`](Self::new_account), but for the terms.
    ///
    /// [RFC 8555, section 7.3.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.1
    pub async fn find_account(
        &self,
        signer: Arc<dyn AsyncSigner>,
    ) -> Result<Option<Registration>, Error> {
        let mut new = NewAccount::default();
        new.only_return_existing = true;
        match self.register(signer, &new, None).await {
            Ok(registration) => Ok(Some(registration)),
            Err(error) if error.has_problem(&ProblemType::AccountDoesNotExist) => Ok(None),
            Err(error) => Err(error),
        }
    }

    #[tracing::instrument(
        name = "acme.new_account",
        skip_all,
        fields(ca = self.directory_url()),
        err(level = "debug")
    )]
    async fn register(
        &self,
        signer: Arc<dyn AsyncSigner>,
        new: &NewAccount,
        external: Option<&ExternalAccount>,
    ) -> Result<Registration, Error> {
        let signer = self.stand_in(signer);
        let mut directory = self.directory().await?;
        let mut asked = self.ask(&directory, &signer, new, external).await;
        if let Err(error) = &asked {
            let url = |it: &Directory| Some(it.new_account.clone());
            if let Some(moved) = self.moved(error, &directory, url).await {
                directory = moved;
                asked = self.ask(&directory, &signer, new, external).await;
            }
        }
        let reply = match asked {
            // Some keys for binding are good for once: they may have made the account before.
            Err(error)
                if external.is_some()
                    && error.kind() == ErrorKind::Problem
                    && !error.is_transient()
                    && !error.has_problem(&ProblemType::UserActionRequired) =>
            {
                let mut existing = new.clone();
                existing.only_return_existing = true;
                let found = self.ask(&directory, &signer, &existing, None).await;
                found.map_err(|_| error)?
            }
            asked => asked?,
        };
        let url = reply
            .location()
            .ok_or_else(|| reply.bad_response("there is no Location"))?;
        check_key(&reply, &*signer)?;
        let mut registration = Registration {
            account: self.account(signer, url),
            resource: reply.json()?,
            created: reply.status() == StatusCode::CREATED,
        };
        if registration.resource.status != AccountStatus::Valid {
            let status = &registration.resource.status;
            return Err(reply.bad_response(format!("the account is {status}")));
        }
        let contacts_differ = !same_contacts(&new.contact, &registration.resource.contact);
        if !registration.created && !new.contact.is_empty() && contacts_differ {
            let update = AccountUpdate::contact(new.contact.iter().cloned());
            // What the CA makes of them is its affair: the account is there.
            let reply = registration.account.send_update(&update).await?;
            registration.resource = registration.account.read(&reply)?;
        }
        Ok(registration)
    }

    async fn ask(
        &self,
        directory: &Directory,
        signer: &Arc<dyn AsyncSigner>,
        new: &NewAccount,
        external: Option<&ExternalAccount>,
    ) -> Result<Reply, Error> {
        let refuse = |kind| Error::new(kind, Operation::NewAccount);
        if let Some(terms) = &directory.meta.terms_of_service
            && !(new.terms_of_service_agreed || new.only_return_existing)
        {
            return Err(refuse(ErrorKind::TermsNotAgreed).with_detail(terms));
        }
        let mut new = new.clone();
        if let Some(external) = external {
            let binding = external.bind(&directory.new_account, signer.public_jwk());
            let json = serde_json::to_value(&binding);
            let json = json.map_err(|error| refuse(ErrorKind::Request).with_source(error))?;
            new.external_account_binding = Some(json);
        }
        if directory.meta.external_account_required
            && new.external_account_binding.is_none()
            && !new.only_return_existing
        {
            return Err(refuse(ErrorKind::Request).with_detail(
                "the CA demands an external account: a key identifier and a MAC key from its site",
            ));
        }
        let payload = crate::to_json(Operation::NewAccount, &new)?;
        let sender = Sender::Key(signer.clone());
        // The second time it finds the account that the first has made.
        let url = &directory.new_account;
        self.post(Operation::NewAccount, &sender, url, &payload, Repeat::Safe)
            .await
    }
}

/// Some CAs show the account's key: then it is to be ours.
pub(super) fn check_key(reply: &Reply, signer: &dyn AsyncSigner) -> Result<(), Error> {
    match shown_key(reply) {
        Some(key) if key != *signer.public_jwk() => {
            Err(reply.bad_response("the account has another key than the one that asked"))
        }
        _ => Ok(()),
    }
}

/// The key of an account, where the CA shows it, and this build knows its kind.
pub(super) fn shown_key(reply: &Reply) -> Option<Jwk> {
    #[derive(Deserialize)]
    struct Shown {
        key: serde_json::Value,
    }
    let shown: Shown = serde_json::from_slice(reply.body()).ok()?;
    serde_json::from_value(shown.key).ok()
}
