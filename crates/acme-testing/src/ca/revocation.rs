//! Revocation ([RFC 8555, section 7.6]).
//!
//! [RFC 8555, section 7.6]: https://www.rfc-editor.org/rfc/rfc8555#section-7.6

use acme_messages::{
    ProblemType, Timestamp,
    jose::{Jwk, base64url},
};
use http::StatusCode;
use serde::Deserialize;

use super::{
    authority::Authority,
    config::Style,
    reply::{Answer, Refusal, Reply},
    request::{Sender, SignedRequest},
    state::State,
};

/// The reason of [RFC 5280, section 5.3.1] for a key that others may have.
///
/// [RFC 5280, section 5.3.1]: https://www.rfc-editor.org/rfc/rfc5280#section-5.3.1
const KEY_COMPROMISE: u8 = 1;

#[derive(Deserialize)]
struct Revocation {
    certificate: String,
    reason: Option<i64>,
}

impl Authority {
    pub(super) fn revoke_certificate(&self, request: &SignedRequest) -> Answer {
        let asked: Revocation = request.parse()?;
        let der = base64url::decode(&asked.certificate)
            .map_err(|error| Refusal::malformed(format!("`certificate`: {error}")))?;
        let style = self.config().style;
        let reason = check_reason(asked.reason, style)?;
        let now = self.now();
        let mut state = self.state();
        let id = state.certificate_by_leaf.get(&der).cloned();
        let id = id.ok_or_else(|| {
            let detail = "this CA did not issue that certificate";
            Refusal::new(StatusCode::NOT_FOUND, ProblemType::Malformed, detail)
        })?;
        if !state.may_revoke(&request.sender, &id, now) {
            return Err(Refusal::unauthorized(
                "the signer may not revoke that certificate",
            ));
        }
        let record = state
            .certificates
            .get_mut(&id)
            .ok_or_else(Refusal::not_found)?;
        if record.revocation.is_some() {
            let detail = "the certificate is revoked already";
            return Err(Refusal::bad_request(ProblemType::AlreadyRevoked, detail));
        }
        if style == Style::Boulder && now > record.chain.leaf().not_after {
            return Err(Refusal::unauthorized("the certificate has expired"));
        }
        // Whoever has the key can sign: Boulder takes it for compromised.
        let by_key = matches!(request.sender, Sender::Key(_));
        record.revocation = Some(match style {
            Style::Boulder if by_key => KEY_COMPROMISE,
            _ => reason,
        });
        Ok(Reply::empty(StatusCode::OK))
    }
}

impl State {
    /// The account that ordered it may, one that holds authorizations for all
    /// its names may, and so may the certificate's own key.
    fn may_revoke(&mut self, sender: &Sender, id: &str, now: Timestamp) -> bool {
        let Some(record) = self.certificates.get(id) else {
            return false;
        };
        match sender {
            Sender::Key(key) => {
                Jwk::from_spki_der(&record.chain.leaf().spki).is_ok_and(|own| own == **key)
            }
            Sender::Account(account) if record.account == *account => true,
            Sender::Account(account) => {
                let names = record.chain.leaf().names.clone();
                names
                    .iter()
                    .all(|name| self.valid_authorization(account, name, now).is_some())
            }
        }
    }
}

/// The reasons of [RFC 5280, section 5.3.1]; 7 is not used, and Boulder takes four.
///
/// [RFC 5280, section 5.3.1]: https://www.rfc-editor.org/rfc/rfc5280#section-5.3.1
fn check_reason(reason: Option<i64>, style: Style) -> Result<u8, Refusal> {
    let allowed: &[u8] = match style {
        Style::Boulder => &[0, 1, 4, 5],
        Style::Rfc8555 | Style::Pebble => &[0, 1, 2, 3, 4, 5, 6, 8, 9, 10],
    };
    match reason.map_or(Ok(0), u8::try_from) {
        Ok(reason) if allowed.contains(&reason) => Ok(reason),
        _ => {
            let detail = format!("that reason is not taken here; these are: {allowed:?}");
            let kind = ProblemType::BadRevocationReason;
            Err(Refusal::bad_request(kind, detail))
        }
    }
}
