//! Accounts: made or found, then used ([RFC 8555, section 7.3]).
//!
//! [RFC 8555, section 7.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3

use std::sync::Arc;

use acme_messages::{self as messages, NewAccount, NewOrder, jose::AsyncSigner};
use http::StatusCode;

use crate::{
    Client, Error, ErrorKind, Operation, Order,
    post::{Repeat, Sender},
};

/// An account at a CA: its key, and the URL that names it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Account {
    client: Client,
    signer: Arc<dyn AsyncSigner>,
    url: Arc<str>,
}

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
    /// # Errors
    /// - [`ErrorKind::TermsNotAgreed`] when the CA has terms of service and `new` does not
    ///   agree to them; nothing was sent then.
    /// - [`ErrorKind::BadResponse`] when the answer names no account.
    /// - Those of a request; see [`ErrorKind`].
    #[doc(alias = "register")]
    pub async fn new_account(
        &self,
        signer: Arc<dyn AsyncSigner>,
        new: &NewAccount,
    ) -> Result<Registration, Error> {
        let directory = self.directory().await?;
        let agreed = new.terms_of_service_agreed || new.only_return_existing;
        if let Some(terms) = &directory.meta.terms_of_service
            && !agreed
        {
            return Err(
                Error::new(ErrorKind::TermsNotAgreed, Operation::NewAccount).with_detail(terms)
            );
        }
        let payload = crate::to_json(Operation::NewAccount, new)?;
        let reply = self
            .post(
                Operation::NewAccount,
                &Sender::Key(signer.clone()),
                &directory.new_account,
                &payload,
                Repeat::Safe,
            )
            .await?;
        let url = reply
            .location()
            .ok_or_else(|| reply.bad_response("there is no Location"))?;
        Ok(Registration {
            account: self.account(signer, url),
            resource: reply.json()?,
            created: reply.status() == StatusCode::CREATED,
        })
    }

    /// An account whose URL is known, without a request.
    pub fn account(&self, signer: Arc<dyn AsyncSigner>, url: impl Into<Arc<str>>) -> Account {
        Account {
            client: self.clone(),
            signer,
            url: url.into(),
        }
    }
}

impl Account {
    /// The URL that names the account, the exact text received.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The CA that the account is at.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The account's key.
    #[must_use]
    pub fn signer(&self) -> &dyn AsyncSigner {
        &*self.signer
    }

    /// Places an order ([RFC 8555, section 7.4]).
    ///
    /// A lost answer is not tried again: the order may have been placed.
    ///
    /// # Errors
    /// - Those of a request; see [`ErrorKind`].
    ///
    /// [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4
    pub async fn new_order(&self, new: &NewOrder) -> Result<Order, Error> {
        let url = self.client.directory().await?.new_order.clone();
        let payload = crate::to_json(Operation::NewOrder, new)?;
        let reply = self
            .client
            .post(
                Operation::NewOrder,
                &self.sender(),
                &url,
                &payload,
                Repeat::Unsafe,
            )
            .await?;
        let url = reply
            .location()
            .ok_or_else(|| reply.bad_response("there is no Location"))?;
        Order::new(self.clone(), url.to_owned(), &reply)
    }

    /// Looks at an order whose URL is known, in whatever state it is.
    ///
    /// # Errors
    /// - Those of a request; see [`ErrorKind`].
    pub async fn order(&self, url: impl Into<String>) -> Result<Order, Error> {
        let url = url.into();
        let reply = self
            .client
            .post_as_get(Operation::Order, &self.sender(), &url)
            .await?;
        Order::new(self.clone(), url, &reply)
    }

    pub(crate) fn sender(&self) -> Sender {
        Sender::Account {
            signer: self.signer.clone(),
            url: self.url.clone(),
        }
    }
}
