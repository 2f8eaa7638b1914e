//! Who an authority is, that it can be used, and what it says of renewals.

use super::{Subject, within};

/// The identity is the same before and after the authority is used, and is not empty.
///
/// # Panics
/// - When it is not so.
pub async fn identity_is_stable(subject: &Subject) {
    let before = subject.authority.identity().to_owned();
    assert!(!before.is_empty(), "an authority has an identity");
    within(subject.authority.prepare())
        .await
        .expect("the authority can be used");
    assert_eq!(subject.authority.identity(), before);
}

/// Preparing what is prepared, before and after an order, changes nothing: an account is found
/// again.
///
/// # Panics
/// - When it is not so.
pub async fn preparing_can_be_repeated(subject: &Subject) {
    for _ in 0..2 {
        within(subject.authority.prepare())
            .await
            .expect("the authority can be used");
    }
    subject.issue(&subject.fresh_names(1)).await;
    within(subject.authority.prepare())
        .await
        .expect("the authority can still be used");
}

/// A question about the renewal of what was issued is answered: with a window that has a
/// length, or with no opinion.
///
/// # Panics
/// - When it is not so.
pub async fn renewal_information_is_answered(subject: &Subject) {
    let issued = subject.issue(&subject.fresh_names(1)).await;
    let Some(id) = issued.chain.leaf().certificate_id() else {
        return; // Nothing to ask with: its issuer is not named in it.
    };
    let answer = within(subject.authority.renewal_info(&id)).await;
    if let Some(advice) = answer.expect("the question is answered") {
        let window = advice.info.suggested_window;
        assert!(window.is_valid(), "{window:?} has no length");
    }
}
