//! Revocation: by an account, or by the certificate's own key ([RFC 8555, section 7.6]).
//!
//! [RFC 8555, section 7.6]: https://www.rfc-editor.org/rfc/rfc8555#section-7.6

use std::sync::Arc;

use acme_messages::{
    Directory, ProblemType, RevocationReason, RevocationRequest, jose::AsyncSigner,
};

use crate::{Account, Client, Error, Operation, Repeat, Sender};

/// How a revocation ended: the certificate is revoked either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// It was revoked before.
    Already,
    /// It is revoked now.
    Now,
}

impl Account {
    /// Revokes a certificate: one that this account got, or one for names all of which it has
    /// authorizations for.
    ///
    /// Revoking twice is no error.
    ///
    /// # Errors
    /// - [`ErrorKind::NotOffered`](crate::ErrorKind) when the CA revokes nothing.
    /// - [`ErrorKind::Problem`](crate::ErrorKind) when the CA refuses, with `badRevocationReason` or `unauthorized`.
    /// - Those of a request; see [`ErrorKind`](crate::ErrorKind).
    pub async fn revoke(
        &self,
        certificate: impl AsRef<[u8]> + Send,
        reason: Option<RevocationReason>,
    ) -> Result<Revocation, Error> {
        self.client()
            .revoke(&self.sender(), certificate.as_ref(), reason)
            .await
    }
}

impl Client {
    /// Revokes a certificate with its own key: no account is needed.
    ///
    /// CAs take it for granted that such a key is compromised.
    ///
    /// # Errors
    /// - As [`Account::revoke`].
    pub async fn revoke_with_key(
        &self,
        key: Arc<dyn AsyncSigner>,
        certificate: impl AsRef<[u8]> + Send,
        reason: Option<RevocationReason>,
    ) -> Result<Revocation, Error> {
        self.revoke(&Sender::Key(key), certificate.as_ref(), reason)
            .await
    }

    async fn revoke(
        &self,
        sender: &Sender,
        certificate: &[u8],
        reason: Option<RevocationReason>,
    ) -> Result<Revocation, Error> {
        let operation = Operation::RevokeCertificate;
        let request = RevocationRequest::new(certificate, reason);
        let payload = crate::to_json(operation, &request)?;
        let resource = |it: &Directory| it.revoke_cert.clone();
        let sent = self.post_to(operation, sender, resource, &payload, Repeat::Safe);
        match sent.await {
            Ok(_) => Ok(Revocation::Now),
            Err(error) if error.has_problem(&ProblemType::AlreadyRevoked) => {
                Ok(Revocation::Already)
            }
            Err(error) => Err(error),
        }
    }
}
