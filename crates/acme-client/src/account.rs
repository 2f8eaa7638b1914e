//! Accounts: a handle ([RFC 8555, section 7.3]).
//!
//! [RFC 8555, section 7.3]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3

mod external;
mod key_change;
mod new_order;
mod orders;
mod registration;

use std::sync::Arc;

use acme_messages::{
    self as messages, AccountStatus, AccountUpdate, ProblemType,
    jose::{AsyncSigner, Thumbprint},
};

pub use external::ExternalAccount;
pub use orders::{MAX_ORDERS, MAX_ORDERS_LOOKED_AT};
pub use registration::Registration;

use crate::{Authorization, Client, Error, ErrorKind, Operation, Order, Repeat, Reply, Sender};

/// An account at a CA: its key, and the URL that names it. Cheap to clone.
///
/// What an account does is signed with the key that the handle was made with; after
/// [`change_key`](Self::change_key) only the handle that it returns is of use.
#[derive(Clone, Debug)]
pub struct Account {
    client: Client,
    signer: Arc<dyn AsyncSigner>,
    /// Of the signer's key: each challenge is answered with it.
    thumbprint: Thumbprint,
    url: Arc<str>,
}

impl Client {
    /// An account whose URL is known, without a request.
    pub fn account(&self, signer: Arc<dyn AsyncSigner>, url: impl Into<Arc<str>>) -> Account {
        let signer = self.stand_in(signer);
        Account {
            client: self.clone(),
            thumbprint: signer.public_jwk().thumbprint(),
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

    pub(crate) const fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// What requests of the account are signed with, for [`Client::post`].
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender::Account {
            signer: self.signer.clone(),
            url: self.url.clone(),
        }
    }

    /// Looks at the account.
    ///
    /// # Errors
    /// - Those of a request; see [`ErrorKind`].
    pub async fn fetch(&self) -> Result<messages::Account, Error> {
        let reply = self
            .client
            .post_as_get(Operation::Account, &self.sender(), &self.url)
            .await?;
        self.read(&reply)
    }

    /// Changes the account, its contacts most of all ([RFC 8555, section 7.3.2]).
    ///
    /// Contacts are checked in the answer only where the CA shows them: some keep none.
    ///
    /// # Errors
    /// - [`ErrorKind::Request`] when there is nothing to change; nothing was sent then.
    /// - [`ErrorKind::BadResponse`] when the CA shows other contacts than were sent, or another key.
    /// - Those of a request; see [`ErrorKind`].
    ///
    /// [RFC 8555, section 7.3.2]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.2
    #[doc(alias = "update_registration")]
    pub async fn update(&self, update: &AccountUpdate) -> Result<messages::Account, Error> {
        if update.contact.is_none() && update.status.is_none() {
            // CAs disagree about an empty object: some call it malformed.
            return Err(Error::new(ErrorKind::Request, Operation::Account)
                .with_detail("there is nothing to change"));
        }
        let reply = self.send_update(update).await?;
        let account = self.read(&reply)?;
        if let Some(sent) = &update.contact
            && !account.contact.is_empty()
            && !same_contacts(sent, &account.contact)
        {
            let got = &account.contact;
            let detail = format!("the contacts are {got:?}, not the {sent:?} that were sent");
            return Err(reply.bad_response(detail));
        }
        Ok(account)
    }

    /// Closes the account, for good ([RFC 8555, section 7.3.6]).
    ///
    /// # Errors
    /// - [`ErrorKind::BadResponse`] when the CA does not say that it is closed.
    /// - Those of a request; see [`ErrorKind`].
    ///
    /// [RFC 8555, section 7.3.6]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.6
    pub async fn deactivate(&self) -> Result<(), Error> {
        let reply = match self.send_update(&AccountUpdate::deactivate()).await {
            Ok(reply) => reply,
            // The answer to an earlier attempt was lost: a closed account may do nothing.
            Err(error) if error.attempts() > 1 && error.has_problem(&ProblemType::Unauthorized) => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let account: messages::Account = reply.json()?;
        if account.status == AccountStatus::Deactivated {
            return Ok(());
        }
        Err(reply.bad_response(format!("the account is {}", account.status)))
    }

    async fn send_update(&self, update: &AccountUpdate) -> Result<Reply, Error> {
        let payload = crate::to_json(Operation::Account, update)?;
        let sender = self.sender();
        self.client
            .post(
                Operation::Account,
                &sender,
                &self.url,
                &payload,
                Repeat::Safe,
            )
            .await
    }

    /// Reads an account that is to be ours.
    fn read(&self, reply: &Reply) -> Result<messages::Account, Error> {
        registration::check_key(reply, &*self.signer)?;
        reply.json()
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

    /// Looks at an authorization whose URL is known.
    ///
    /// # Errors
    /// - Those of a request; see [`ErrorKind`].
    pub async fn authorization(&self, url: impl Into<String>) -> Result<Authorization, Error> {
        let url = url.into();
        let reply = self
            .client
            .post_as_get(Operation::Authorization, &self.sender(), &url)
            .await?;
        Authorization::new(self.clone(), url, &reply)
    }
}

/// Whether these are the same contacts, in any sequence: some CAs show addresses without their
/// scheme, or in lower case.
fn same_contacts(one: &[String], other: &[String]) -> bool {
    let sorted = |it: &[String]| {
        let plain = it.iter().map(|it| it.to_lowercase());
        let mut plain: Vec<_> = plain
            .map(|it| it.strip_prefix("mailto:").unwrap_or(&it).to_owned())
            .collect();
        plain.sort();
        plain
    };
    sorted(one) == sorted(other)
}
