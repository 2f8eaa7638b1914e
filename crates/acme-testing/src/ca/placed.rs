//! Orders, shown to the test.

use acme_messages::{OrderStatus, ServerName};

use super::{authority::Authority, route};

/// An order that a client placed, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlacedOrder {
    /// Where it is.
    pub url: String,
    /// The account that placed it.
    pub account_url: String,
    /// What it is for, wildcards with their `*.`.
    pub names: Vec<ServerName>,
    /// How far it is.
    pub status: OrderStatus,
    /// The profile in force.
    pub profile: Option<String>,
    /// The certificate it replaces, as the order named it.
    pub replaces: Option<String>,
    /// Where its authorizations are, in the order of the names.
    pub authorization_urls: Vec<String>,
    /// Where its certificate is, once there is one.
    pub certificate_url: Option<String>,
}

impl Authority {
    /// The orders so far, as they were placed.
    pub(super) fn placed(&self) -> Vec<PlacedOrder> {
        let now = self.now();
        let mut state = self.state();
        let ids = state.order_ids.clone();
        for id in &ids {
            state.refresh_order(id, now);
        }
        let orders = ids.iter().filter_map(|id| state.orders.get_key_value(id));
        orders
            .map(|(id, order)| PlacedOrder {
                url: self.url(route::order(id)),
                account_url: self.url(route::account(&order.account)),
                names: order.names.clone(),
                status: order.status.clone(),
                profile: order.profile.clone(),
                replaces: order.replaces.clone(),
                authorization_urls: order
                    .authorizations
                    .iter()
                    .map(|id| self.url(route::authorization(id)))
                    .collect(),
                certificate_url: order
                    .certificate
                    .as_deref()
                    .map(|id| self.url(route::certificate(id, 0))),
            })
            .collect()
    }
}
