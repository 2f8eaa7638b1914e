//! Finalizing: from a ready order and a CSR to a certificate ([RFC 8555, section 7.4]).
//!
//! [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

use std::collections::BTreeSet;

use acme_messages::{
    CertificateSigningRequest, FinalizeRequest, OrderStatus, ProblemType, ServerName,
};
use http::StatusCode;

use super::{
    authority::Authority,
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
            .map_err(|error| bad_csr(error.to_string()))?;
        let names = self.begin(account, id, &csr)?;
        let config = self.config();
        let chain = csr
            .public_key()
            .to_spki_der()
            .map_err(|error| error.to_string())
            .and_then(|spki| {
                let validity = CertificateValidity::starting(now, config.issuance.validity);
                self.pki
                    .issue(&spki, &names, validity)
                    .map_err(|error| error.to_string())
            });
        {
            let mut state = self.state();
            let order = state.own_order(account, id)?;
            let chain = match chain {
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
                account: account.to_owned(),
                order: id.to_owned(),
                revocation: None,
            };
            state.certificates.insert(certificate, record);
        }
        Ok(self.show_order(id)?.location(self.url(route::order(id))))
    }

    /// Checks the CSR against the order and takes the order in hand, so that no
    /// second request does; returns the names to issue for.
    fn begin(
        &self,
        account: &str,
        id: &str,
        csr: &CertificateSigningRequest,
    ) -> Result<Vec<ServerName>, Refusal> {
        let mut state = self.state();
        if state
            .account_by_key
            .contains_key(&csr.public_key().thumbprint())
        {
            return Err(bad_csr("the key is an account's"));
        }
        let order = state.own_order(account, id)?;
        check_names(order, csr)?;
        if order.status != OrderStatus::Ready {
            let detail = format!("the order is {}", order.status);
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                ProblemType::OrderNotReady,
                detail,
            ));
        }
        order.status = OrderStatus::Processing;
        Ok(order.names.clone())
    }
}

/// The CSR asks, in alternative names and common names, for exactly what the order is for.
fn check_names(order: &OrderRecord, csr: &CertificateSigningRequest) -> Result<(), Refusal> {
    let mut asked: BTreeSet<ServerName> = csr.names().iter().cloned().collect();
    for name in csr.common_names() {
        match name.parse() {
            Ok(name) => asked.insert(ServerName::Dns(name)),
            Err(_) => return Err(bad_csr("the common name is not a DNS name")),
        };
    }
    if asked == order.names.iter().cloned().collect() {
        return Ok(());
    }
    Err(bad_csr("the names are not exactly the order's"))
}

fn bad_csr(detail: impl Into<String>) -> Refusal {
    Refusal::bad_request(ProblemType::BadCsr, detail)
}
