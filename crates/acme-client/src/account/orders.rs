//! An account's orders ([RFC 8555, section 7.1.2.1]), and the authorizations it asks for ahead of
//! any order ([section 7.4.1]).
//!
//! [RFC 8555, section 7.1.2.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.1.2.1
//! [section 7.4.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4.1

use acme_messages::{
    Directory, NewAuthorization, NewOrder, OrderStatus, OrdersList, ServerName, link,
};

use super::Account;
use crate::{Authorization, Error, ErrorKind, Operation, Order, Repeat};

/// The most orders that are listed; an account may have millions.
pub const MAX_ORDERS: usize = 1_000;

/// The most pages of a list that are fetched.
const MAX_PAGES: usize = 100;

/// The most orders looked at to find one whose URL was lost, from the end of the list on.
pub const MAX_ORDERS_LOOKED_AT: usize = 20;

impl Account {
    /// The URLs of the account's orders, [`MAX_ORDERS`] at most, page by page.
    ///
    /// CAs leave out what is long over, and many have no list at all.
    /// That of step-ca and of Caddy is not read: when none of the orders is pending, it takes no
    /// order of that account ever after.
    ///
    /// # Errors
    /// - [`ErrorKind::NotOffered`] when the account names no list, or it would be damaged by a look.
    /// - Those of a request; see [`ErrorKind`].
    pub async fn orders(&self) -> Result<Vec<String>, Error> {
        if is_damaged_by_looks(&*self.client().directory().await?) {
            return Err(Error::new(ErrorKind::NotOffered, Operation::Orders)
                .with_url(self.url())
                .with_detail("a look at its orders would damage the account at this CA"));
        }
        let account = self.fetch().await?;
        let mut next = account.orders;
        if next.is_none() {
            return Err(Error::new(ErrorKind::NotOffered, Operation::Orders)
                .with_url(self.url())
                .with_detail("the account names no list of orders"));
        }
        let (mut pages, mut orders) = (Vec::new(), Vec::new());
        while let Some(url) = next.take() {
            let reply = self
                .client()
                .post_as_get(Operation::Orders, &self.sender(), &url)
                .await?;
            let page: OrdersList = reply.json()?;
            orders.extend(page.orders);
            orders.truncate(MAX_ORDERS);
            pages.push(url);
            if orders.len() == MAX_ORDERS || pages.len() == MAX_PAGES {
                break;
            }
            // A list that leads back to itself ends there.
            let links = reply.links();
            let after = link::urls(&links, "next").next();
            next = after
                .filter(|it| !pages.iter().any(|page| page == it))
                .map(str::to_owned);
        }
        Ok(orders)
    }

    /// Asks for an authorization ahead of any order ([RFC 8555, section 7.4.1]); not for a
    /// wildcard.
    ///
    /// # Errors
    /// - [`ErrorKind::NotOffered`] when the CA gives none ahead of orders, as most.
    /// - [`ErrorKind::Request`] when the name is a wildcard; nothing was sent then.
    /// - [`ErrorKind::BadResponse`] when the answer names no authorization, or one of another name.
    /// - Those of a request; see [`ErrorKind`].
    ///
    /// [RFC 8555, section 7.4.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4.1
    #[doc(alias = "request_challenges")]
    pub async fn new_authorization(&self, name: &ServerName) -> Result<Authorization, Error> {
        let operation = Operation::NewAuthorization;
        if name.is_wildcard() {
            return Err(Error::new(ErrorKind::Request, operation)
                .with_detail("a wildcard is authorized by an order only"));
        }
        let new = NewAuthorization::new(name);
        let payload = crate::to_json(operation, &new)?;
        // The second time a CA gives the authorization that it has, or one more that expires.
        let resource = |it: &Directory| it.new_authz.clone();
        let sender = self.sender();
        let reply = self
            .client()
            .post_to(operation, &sender, resource, &payload, Repeat::Safe)
            .await?;
        let url = reply
            .location()
            .ok_or_else(|| reply.bad_response("there is no Location"))?;
        let authorization = Authorization::new(self.clone(), url, &reply)?;
        let got = &authorization.state().identifier;
        if got.kind != new.identifier.kind || !got.value.eq_ignore_ascii_case(&new.identifier.value)
        {
            return Err(reply.bad_response(format!("it is for {:?}", got.value)));
        }
        Ok(authorization)
    }

    /// Looks for an order like this one that can still be used.
    pub(super) async fn find_order(&self, new: &NewOrder) -> Result<Option<Order>, Error> {
        let urls = self.orders().await?;
        for url in urls.into_iter().rev().take(MAX_ORDERS_LOOKED_AT) {
            match self.order(url).await {
                Ok(order) if is_like(&order, new) => return Ok(Some(order)),
                Ok(_) => {}
                Err(error) if error.is_transient() || error.status().is_none() => {
                    return Err(error);
                }
                Err(error) => tracing::debug!(%error, "an order in the list is passed over"),
            }
        }
        Ok(None)
    }
}

/// Whether an account comes to harm when its list of orders is read: smallstep's library, in step-ca
/// and in Caddy, keeps a list in which nothing is pending so that it cannot read it again, and
/// answers each `newOrder` with 500 from then on. It is known by its URLs.
fn is_damaged_by_looks(directory: &Directory) -> bool {
    let Some(base) = directory.new_order.strip_suffix("/new-order") else {
        return false;
    };
    let is = |url: Option<&str>, name| url.and_then(|it| it.strip_prefix(base)) == Some(name);
    is(Some(&directory.new_nonce), "/new-nonce")
        && is(Some(&directory.new_account), "/new-account")
        && is(directory.revoke_cert.as_deref(), "/revoke-cert")
        && is(directory.key_change.as_deref(), "/key-change")
        && directory.new_authz.is_none()
        && directory.renewal_info.is_none()
}

/// Whether an order is for what was asked for, and not over.
fn is_like(order: &Order, new: &NewOrder) -> bool {
    let state = order.state();
    let same_names = {
        let sorted = |it: &[acme_messages::Identifier]| {
            let mut names: Vec<_> = it
                .iter()
                .map(|it| (it.kind.to_string(), it.value.to_ascii_lowercase()))
                .collect();
            names.sort();
            names
        };
        sorted(&state.identifiers) == sorted(&new.identifiers)
    };
    let usable = matches!(state.status, OrderStatus::Pending | OrderStatus::Ready);
    // A CA may choose a profile by itself, and not every one shows what an order replaces.
    let same_profile = new.profile.is_none() || state.profile == new.profile;
    // Nor is every one silent about dates that it chose by itself.
    let same_dates = (new.not_before.is_none() || state.not_before == new.not_before)
        && (new.not_after.is_none() || state.not_after == new.not_after);
    usable && same_names && same_profile && same_dates
}
