//! Certificates: downloaded, and shown to the test ([RFC 8555, section 7.4.2]).
//!
//! [RFC 8555, section 7.4.2]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4.2

use acme_messages::CertificateChain;

use super::{
    authority::Authority,
    reply::{Answer, PEM_CHAIN, Refusal, Reply},
    request::SignedRequest,
    route::{self, Route},
};

/// A certificate that the CA has issued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuedCertificate {
    /// The leaf and the intermediate.
    pub chain: CertificateChain,
    /// Where it is downloaded.
    pub url: String,
    /// The order it was issued for.
    pub order_url: String,
    /// The account that ordered it.
    pub account_url: String,
    /// The certificate it replaces, as the order named it ([RFC 9773, section 5]).
    ///
    /// [RFC 9773, section 5]: https://www.rfc-editor.org/rfc/rfc9773#section-5
    pub replaces: Option<String>,
    /// The reason of its revocation, if it was revoked ([RFC 5280, section 5.3.1]).
    ///
    /// [RFC 5280, section 5.3.1]: https://www.rfc-editor.org/rfc/rfc5280#section-5.3.1
    pub revocation: Option<u8>,
}

impl Authority {
    /// One chain of a certificate, and where the others are.
    pub(super) fn certificate(&self, request: &SignedRequest, route: Route<'_>) -> Answer {
        request.demand_fetch()?;
        let state = self.state();
        let certificate = state.certificates.get(route.id);
        let certificate = certificate.ok_or_else(Refusal::not_found)?;
        if certificate.account != request.account()? {
            let detail = "the certificate is another account's";
            return Err(Refusal::unauthorized(detail));
        }
        let others = certificate.alternates.len();
        let chain = match route.number {
            0 => &certificate.chain,
            number => certificate
                .alternates
                .get(number - 1)
                .ok_or_else(Refusal::not_found)?,
        };
        let reply = Reply::text(PEM_CHAIN, chain.to_pem());
        let others = (0..=others).filter(|it| *it != route.number);
        Ok(others.fold(reply, |reply, number| {
            let url = self.url(route::certificate(route.id, number));
            reply.link(&url, "alternate")
        }))
    }

    pub(super) fn issued(&self) -> Vec<IssuedCertificate> {
        let state = self.state();
        let records = state
            .issued
            .iter()
            .filter_map(|id| state.certificates.get_key_value(id));
        records
            .map(|(id, record)| IssuedCertificate {
                chain: record.chain.clone(),
                url: self.url(route::certificate(id, 0)),
                order_url: self.url(route::order(&record.order)),
                account_url: self.url(route::account(&record.account)),
                replaces: state
                    .orders
                    .get(&record.order)
                    .and_then(|it| it.replaces.clone()),
                revocation: record.revocation,
            })
            .collect()
    }
}
