//! What an authority issues.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::Subject;

/// A name that is proved is issued: for that name, with the request's key, valid now, in a
/// chain that holds together.
///
/// # Panics
/// - When it is not so.
pub async fn one_name_is_issued(subject: &Subject) {
    subject.issue(&subject.fresh_names(1)).await;
}

/// Several names are issued in one certificate.
///
/// # Panics
/// - When it is not so.
pub async fn several_names_are_issued(subject: &Subject) {
    subject.issue(&subject.fresh_names(3)).await;
}

/// A name that has a certificate gets another, by an order of its own.
///
/// # Panics
/// - When it is not so.
pub async fn the_same_name_is_issued_again(subject: &Subject) {
    let names = subject.fresh_names(1);
    let (first, second) = (subject.issue(&names).await, subject.issue(&names).await);
    let serials = [&first, &second].map(|it| &it.chain.leaf().serial);
    assert_ne!(serials[0], serials[1], "two certificates have two serials");
    assert_ne!(first.order_url, second.order_url, "two orders are two");
}

/// Orders for different names run at once, and none gets another's certificate.
///
/// # Panics
/// - When it is not so.
pub async fn orders_run_at_once(subject: &Subject) {
    let names = subject.fresh_names(3);
    let orders = names.chunks(1).map(|name| subject.issue(name));
    let issued = join_all(orders).await;
    let leaves: HashSet<_> = issued
        .iter()
        .map(|it| it.chain.as_der()[0].as_ref())
        .collect();
    assert_eq!(
        leaves.len(),
        names.len(),
        "each order has its own certificate"
    );
}
