//! Finalizing: from a ready order and a CSR to a certificate ([RFC 8555, section 7.4]).
//!
//! [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

use std::{collections::BTreeSet, time::Duration};

use acme_messages::{
    CertificateSigningRequest, CsrError, FinalizeRequest, OrderStatus, ProblemType, ServerName,
    Timestamp,
};
use http::StatusCode;

use super::{
    authority::Authority,
    config::{IssuanceConfig, Style},
    reply::{Answer, Refusal},
    request::SignedRequest,
    route,
    state::{CertificateRecord, OrderRecord, random_id},
};
use crate::CertificateValidity;

impl Authority {
    pub(super) fn finalize(&self, request: &SignedRequest, id: &str) -> Answer {
        let account = request.account()?;
        let asked: FinalizeRequest = request.parse()?;
        let now = self.now();
        let config = self.config();
        let style = config.style;
        {
            let mut state = self.state();
            state.own_order(account, id)?;
            state.refresh_order(id, now);
            let order = state.own_order(account, id)?;
            if order.status != OrderStatus::Ready {
                let detail = format!("the order is {}", order.status);
                let status = StatusCode::FORBIDDEN;
                return Err(Refusal::new(status, ProblemType::OrderNotReady, detail));
            }
        }
        // Outside the lock: the CSR's signature takes a while to check, and the
        // certificate's to make.
        let csr = CertificateSigningRequest::from_base64url(&asked.csr)
            .map_err(|error| unreadable(&error, style))?;
        let (names, validity) = self.begin(account, id, &csr, now)?;
        let chain = csr
            .public_key()
            .to_spki_der()
            .map_err(|error| error.to_string())
            .and_then(|spki| {
                self.pki
                    .issue(&spki, &names, validity)
                    .map_err(|error| error.to_string())
            });
        let chain = chain.and_then(|chain| {
            let alternates = self.pki.alternates(&chain);
            Ok((chain, alternates.map_err(|error| error.to_string())?))
        });
        {
            let mut state = self.state();
            let order = state.own_order(account, id)?;
            let (chain, alternates) = match chain {
                Ok(chain) => chain,
                Err(error) => {
                    order.status = OrderStatus::Ready;
                    let status = StatusCode::INTERNAL_SERVER_ERROR;
                    return Err(Refusal::new(status, ProblemType::ServerInternal, error));
                }
            };
            let certificate = random_id();
            order.status = OrderStatus::Valid;
            order.certificate = Some(certificate.clone());
            order.processing_answers = config.issuance.processing_polls;
            if let Some(name) = chain.leaf().certificate_id() {
                let name = name.as_str().to_owned();
                state.certificate_by_name.insert(name, certificate.clone());
            }
            let leaf = chain.as_der()[0].to_vec();
            state.certificate_by_leaf.insert(leaf, certificate.clone());
            state.issued.push(certificate.clone());
            let record = CertificateRecord {
                chain,
                alternates,
                account: account.to_owned(),
                order: id.to_owned(),
                revocation: None,
            };
            state.certificates.insert(certificate, record);
        }
        let reply = self.show_order(id)?;
        Ok(match style {
            Style::Pebble => reply,
            Style::Rfc8555 | Style::Boulder => reply.location(self.url(route::order(id))),
        })
    }

    /// Checks the CSR against the order and takes the order in hand, so that no
    /// second request does; returns the names to issue for, and for how long.
    fn begin(
        &self,
        account: &str,
        id: &str,
        csr: &CertificateSigningRequest,
        now: Timestamp,
    ) -> Result<(Vec<ServerName>, CertificateValidity), Refusal> {
        let config = self.config();
        let mut state = self.state();
        if state
            .account_by_key
            .contains_key(&csr.public_key().thumbprint())
        {
            return Err(bad_csr("the key is an account's"));
        }
        let order = state.own_order(account, id)?;
        check_names(order, csr, config.style)?;
        if order.status != OrderStatus::Ready {
            let detail = format!("the order is {}", order.status);
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                ProblemType::OrderNotReady,
                detail,
            ));
        }
        if order.not_after.is_some_and(|end| end <= now) {
            return Err(Refusal::malformed("the order's notAfter is over"));
        }
        order.status = OrderStatus::Processing;
        Ok((order.names.clone(), validity(order, &config.issuance, now)))
    }
}

/// When a certificate begins and ends: by its order, its profile, or the settings.
fn validity(order: &OrderRecord, config: &IssuanceConfig, now: Timestamp) -> CertificateValidity {
    let profile = order.profile.as_ref();
    let lifetime = profile
        .and_then(|it| config.profiles.get(it))
        .map_or(config.validity, |it| it.validity);
    let mut validity = CertificateValidity::starting(now, lifetime);
    let later = |time: Timestamp, span: Duration| time.checked_add(span).unwrap_or(Timestamp::MAX);
    let whole = lifetime.saturating_sub(Duration::from_secs(1));
    if let Some(ahead) = config.begins_ahead {
        let begin = later(now, ahead);
        validity = CertificateValidity::between(begin, later(begin, whole));
    }
    if let Some(begin) = order.not_before {
        validity = CertificateValidity::between(begin, later(begin, whole));
    }
    if let Some(end) = order.not_after {
        validity.not_after = end;
    }
    validity
}

/// The CSR asks, in alternative names and common names, for exactly what the order is for.
fn check_names(
    order: &OrderRecord,
    csr: &CertificateSigningRequest,
    style: Style,
) -> Result<(), Refusal> {
    let mut asked: BTreeSet<ServerName> = csr.names().iter().cloned().collect();
    for name in csr.common_names() {
        match name.parse() {
            // No RFC gives an address a place in the subject; some clients repeat it there.
            Ok(name @ ServerName::Ip(_)) if style != Style::Boulder && asked.contains(&name) => {}
            Ok(name @ ServerName::Dns(_)) => {
                if asked.insert(name) && style == Style::Boulder {
                    let detail = "the common name is not among the alternative names";
                    return Err(bad_csr(detail));
                }
            }
            _ => return Err(bad_csr("the common name is not a DNS name")),
        }
    }
    if asked == order.names.iter().cloned().collect() {
        return Ok(());
    }
    let detail = "the names are not exactly the order's";
    Err(match style {
        Style::Rfc8555 => bad_csr(detail),
        Style::Boulder | Style::Pebble => Refusal::unauthorized(detail),
    })
}

/// Pebble calls only a bad signature a bad CSR.
fn unreadable(error: &CsrError, style: Style) -> Refusal {
    match (style, error) {
        (Style::Rfc8555 | Style::Boulder, _) | (_, CsrError::BadSignature) => {
            bad_csr(error.to_string())
        }
        (Style::Pebble, _) => Refusal::malformed(error.to_string()),
    }
}

fn bad_csr(detail: impl Into<String>) -> Refusal {
    Refusal::bad_request(ProblemType::BadCsr, detail)
}
