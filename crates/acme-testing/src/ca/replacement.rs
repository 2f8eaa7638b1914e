//! Orders that replace a certificate ([RFC 9773, section 5]).
//!
//! [RFC 9773, section 5]: https://www.rfc-editor.org/rfc/rfc9773#section-5

use acme_messages::{OrderStatus, ProblemType, ServerName, Timestamp};
use http::StatusCode;

use super::{reply::Refusal, state::State};

/// Checks `replaces` ([RFC 9773, section 5]); returns the id of the certificate.
///
/// [RFC 9773, section 5]: https://www.rfc-editor.org/rfc/rfc9773#section-5
pub(super) fn check(
    state: &mut State,
    account: &str,
    names: &[ServerName],
    replaces: Option<&str>,
    now: Timestamp,
) -> Result<Option<String>, Refusal> {
    let Some(name) = replaces else {
        return Ok(None);
    };
    let Some(id) = state.certificate_by_name.get(name).cloned() else {
        return Err(Refusal::malformed(
            "`replaces` names no certificate of this CA",
        ));
    };
    let certificate = state.certificates.get(&id).ok_or_else(Refusal::not_found)?;
    if certificate.account != account {
        let detail = "the certificate to replace is another account's";
        return Err(Refusal::unauthorized(detail));
    }
    let own = &certificate.chain.leaf().names;
    if !own.iter().any(|it| names.contains(it)) {
        let detail = "the certificate to replace shares no name with the order";
        return Err(Refusal::malformed(detail));
    }
    if let Some(successor) = state.replaced_by.get(&id).cloned() {
        state.refresh_order(&successor, now);
        let order = state.orders.get(&successor);
        if order.is_some_and(|it| it.status != OrderStatus::Invalid) {
            let detail = "another order replaces that certificate";
            let kind = ProblemType::AlreadyReplaced;
            return Err(Refusal::new(StatusCode::CONFLICT, kind, detail));
        }
    }
    Ok(Some(id))
}
