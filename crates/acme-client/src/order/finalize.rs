//! Sending the signing request, once ([RFC 8555, section 7.4]).
//!
//! [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

use acme_messages::{
    self as messages, CertificateSigningRequest, FinalizeRequest, OrderStatus, ProblemType,
};

use super::Order;
use crate::{Account, Error, ErrorKind, Operation, Repeat, retry::Attempts};

impl Order {
    /// Sends the signing request of an order that is ready.
    ///
    /// When the answer is lost or is no order, or the CA is not ready yet, the order itself
    /// is asked: the request is sent again only if it certainly had no effect.
    ///
    /// # Errors
    /// - [`ErrorKind::WrongState`] when it is not ready; nothing was sent then.
    /// - [`ErrorKind::Request`] when it is for the account's own key; nothing was sent then.
    /// - Those of a request; see [`ErrorKind`].
    pub async fn finalize(
        &mut self,
        csr: &CertificateSigningRequest,
    ) -> Result<&messages::Order, Error> {
        self.demand(&OrderStatus::Ready, Operation::Finalize)?;
        check_key(self.account(), csr, Operation::Finalize)?;
        let request = FinalizeRequest {
            csr: csr.to_base64url(),
        };
        let payload = crate::to_json(Operation::Finalize, &request)?;
        let client = self.client().clone();
        let sender = self.account().sender();
        let mut attempts = Attempts::new(&client);
        loop {
            let sent = client.post(
                Operation::Finalize,
                &sender,
                &self.state.finalize,
                &payload,
                Repeat::Unsafe,
            );
            let error = match sent.await {
                Ok(reply) => {
                    // It was taken: an answer that is no order does not undo that.
                    if let Err(error) = self.update(&reply) {
                        tracing::debug!(%error, "the order itself is asked");
                        self.look().await?;
                    }
                    return Ok(&self.state);
                }
                Err(error) if is_outcome_unknown(&error) => error,
                Err(error) => return Err(error),
            };
            // The order's own state says more than a lost or late answer.
            self.look().await?;
            if self.state.status != OrderStatus::Ready {
                return Ok(&self.state);
            }
            attempts.again(&client, error).await?;
        }
    }
}

/// Refuses to have the account's own key certified ([RFC 8555, section 11.1]).
///
/// [RFC 8555, section 11.1]: https://www.rfc-editor.org/rfc/rfc8555#section-11.1
pub(crate) fn check_key(
    account: &Account,
    csr: &CertificateSigningRequest,
    operation: Operation,
) -> Result<(), Error> {
    csr.check_key_differs(account.signer().public_jwk())
        .map_err(|error| Error::new(ErrorKind::Request, operation).with_detail(error.to_string()))
}

/// Whether a finalize may have worked all the same, or came too early, to all of the CA's machines
/// or to one.
fn is_outcome_unknown(error: &Error) -> bool {
    error.has_problem(&ProblemType::OrderNotReady)
        || error.is_answer_lost()
        || error.is_absence()
        || error.status() >= Some(500)
}
