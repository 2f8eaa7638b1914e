//! A new key for an account, in an order of steps that no crash breaks
//! ([RFC 8555, section 7.3.5]).
//!
//! [RFC 8555, section 7.3.5]: https://www.rfc-editor.org/rfc/rfc8555#section-7.3.5

use std::sync::Arc;

use acme_messages::{
    Directory,
    jose::{AsyncSigner, key_change},
};

use super::{Account, Registration, registration};
use crate::{Client, Error, ErrorKind, Operation, Repeat, Reply};

impl Account {
    /// Gives the account another key, and returns the handle that has it.
    ///
    /// **Keep both keys first.** Whoever may crash writes the new key down before this call and
    /// throws the old one away after it; [`Client::find_account_by_keys`] tells which of them counts.
    /// The account keeps its URL; what is under way goes on.
    ///
    /// An answer that is lost is no riddle: the CA is asked which account the new key has.
    /// Nor is a yes believed that does not show the new key: the account is looked at with it.
    ///
    /// # Errors
    /// - [`ErrorKind::BadResponse`] when the CA says yes and does not know the new key.
    /// - [`ErrorKind::NotOffered`] when the CA changes no keys.
    /// - [`ErrorKind::Request`] when the new key is the old one.
    /// - [`ErrorKind::Problem`] when the CA refuses; where an account has the new key already,
    ///   [`Error::location`] is its URL.
    /// - [`ErrorKind::Undecided`] when the answer was lost and the CA cannot be asked: both keys
    ///   are to be kept.
    /// - Those of a request; see [`ErrorKind`].
    #[tracing::instrument(
        name = "acme.change_key",
        skip_all,
        fields(ca = self.client.directory_url(), account = self.url()),
        err(level = "debug")
    )]
    pub async fn change_key(&self, new: Arc<dyn AsyncSigner>) -> Result<Self, Error> {
        if new.public_jwk() == self.signer.public_jwk() {
            return Err(Error::new(ErrorKind::Request, Operation::KeyChange)
                .with_detail("the new key is the old one"));
        }
        let new = self.client.stand_in(new);
        let directory = self.client.directory().await?;
        let sent = match self.send_key_change(&directory, &new).await {
            Err(error) => {
                let url = |it: &Directory| it.key_change.clone();
                match self.client.moved(&error, &directory, url).await {
                    Some(moved) => self.send_key_change(&moved, &new).await,
                    None => Err(error),
                }
            }
            sent => sent,
        };
        match sent {
            Ok(reply) => self.confirm(new, &reply).await,
            Err(error) if error.is_answer_lost() || error.status() >= Some(500) => {
                self.probe(new, error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn send_key_change(
        &self,
        directory: &Directory,
        new: &Arc<dyn AsyncSigner>,
    ) -> Result<Reply, Error> {
        let fail = |kind| Error::new(kind, Operation::KeyChange);
        let url = directory.key_change.as_deref();
        let url = url.ok_or_else(|| fail(ErrorKind::NotOffered))?;
        let (old, sender) = (self.signer.public_jwk(), self.sender());
        let unsigned = key_change::unsigned(url, &self.url, old, new.public_jwk());
        let signature = new.sign(unsigned.signing_input()).await;
        let signature = signature.map_err(|error| {
            fail(ErrorKind::Sign)
                .with_detail("with the new key")
                .with_source(error)
        })?;
        let payload = unsigned.assemble(&signature).to_json();
        self.client
            .post(Operation::KeyChange, &sender, url, &payload, Repeat::Unsafe)
            .await
    }

    /// Makes sure that the account has the new key: there are CAs that say yes and do nothing
    /// when another account has it.
    async fn confirm(&self, new: Arc<dyn AsyncSigner>, reply: &Reply) -> Result<Self, Error> {
        let account = self.client.account(new, self.url.clone());
        if registration::shown_key(reply).as_ref() == Some(account.signer().public_jwk()) {
            return Ok(account);
        }
        match account.fetch().await {
            Ok(_) => Ok(account),
            Err(error) if error.is_transient() => {
                let lost = Error::new(ErrorKind::Undecided, Operation::KeyChange);
                Err(lost.with_url(reply.url()).with_source(error))
            }
            Err(error) => Err(reply
                .bad_response("the CA says that the key is changed, and does not know it")
                .with_source(error)),
        }
    }

    /// Finds out what became of a key change whose answer was lost.
    async fn probe(&self, new: Arc<dyn AsyncSigner>, lost: Error) -> Result<Self, Error> {
        match self.client.find_account(new).await {
            Ok(Some(found)) if found.account.url() == self.url() => Ok(found.account),
            Ok(_) => Err(lost),
            Err(error) => {
                tracing::debug!(%error, "nor can the CA be asked");
                Err(lost.with_kind(ErrorKind::Undecided))
            }
        }
    }
}

impl Client {
    /// Finds the account by the first of several keys that has one: which key counts after a crash
    /// in the middle of [`Account::change_key`].
    ///
    /// # Errors
    /// - As [`find_account`](Self::find_account); an error with one key ends the search.
    pub async fn find_account_by_keys(
        &self,
        signers: impl IntoIterator<Item = Arc<dyn AsyncSigner>, IntoIter: Send> + Send,
    ) -> Result<Option<Registration>, Error> {
        for signer in signers {
            if let Some(found) = self.find_account(signer).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
