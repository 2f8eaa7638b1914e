//! Placing an order, never twice ([RFC 8555, section 7.4]).
//!
//! [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

use acme_messages::{Directory, NewOrder};
use http::StatusCode;

use super::Account;
use crate::{Error, ErrorKind, Operation, Order, Repeat};

impl Account {
    /// Places an order.
    ///
    /// When the answer is lost, or a machine before the CA gives up on it (502, 504), the order may
    /// have been placed: it is looked for in the account's list, where the CA has one, and not
    /// placed a second time.
    ///
    /// # Errors
    /// - [`ErrorKind::UnknownProfile`] when the CA does not offer the profile; nothing was sent
    ///   then.
    /// - [`ErrorKind::Undecided`] when the answer was lost and the order is not found: it may
    ///   count against the CA's limits, and may not.
    /// - [`ErrorKind::BadResponse`] when the answer names no order.
    /// - Those of a request; see [`ErrorKind`].
    pub async fn new_order(&self, new: &NewOrder) -> Result<Order, Error> {
        if let Some(profile) = &new.profile {
            self.check_profile(profile).await?;
        }
        let payload = crate::to_json(Operation::NewOrder, new)?;
        let resource = |it: &Directory| Some(it.new_order.clone());
        let (operation, sender) = (Operation::NewOrder, self.sender());
        let sent = self
            .client()
            .post_to(operation, &sender, resource, &payload, Repeat::Unsafe)
            .await;
        let reply = match sent {
            Ok(reply) => reply,
            Err(error) if error.is_answer_lost() || is_from_gateway(&error) => {
                return self.recover(new, error).await;
            }
            Err(error) => return Err(error),
        };
        let url = reply
            .location()
            .ok_or_else(|| reply.bad_response("there is no Location"))?;
        Order::new(self.clone(), url, &reply)
    }

    async fn recover(&self, new: &NewOrder, lost: Error) -> Result<Order, Error> {
        match self.find_order(new).await {
            Ok(Some(order)) => {
                tracing::info!(
                    order = order.url(),
                    "the order whose answer was lost is found"
                );
                return Ok(order);
            }
            Ok(None) => tracing::debug!("no such order is in the account's list"),
            Err(error) => tracing::debug!(%error, "the account's orders cannot be listed"),
        }
        Err(lost
            .with_kind(ErrorKind::Undecided)
            .with_detail("the order may have been placed"))
    }

    /// Refuses a profile that is not on offer; a directory that is kept is asked for anew first.
    async fn check_profile(&self, profile: &str) -> Result<(), Error> {
        let client = self.client();
        let mut directory = client.directory().await?;
        if directory.meta.profiles.contains_key(profile) {
            return Ok(());
        }
        directory = client.directory_after(&directory).await?;
        if directory.meta.profiles.contains_key(profile) {
            return Ok(());
        }
        let offered: Vec<_> = directory.meta.profiles.keys().map(String::as_str).collect();
        let offered = match offered.is_empty() {
            true => "it offers none".to_owned(),
            false => format!("it offers {}", offered.join(", ")),
        };
        Err(Error::new(ErrorKind::UnknownProfile, Operation::NewOrder)
            .with_url(client.directory_url())
            .with_detail(format!("{profile:?}; {offered}")))
    }
}

/// Whether a machine before the CA speaks, which does not know what the CA has done.
fn is_from_gateway(error: &Error) -> bool {
    let gateway = [StatusCode::BAD_GATEWAY, StatusCode::GATEWAY_TIMEOUT];
    error.kind() == ErrorKind::BadResponse
        && gateway.iter().any(|it| error.status() == Some(it.as_u16()))
}
