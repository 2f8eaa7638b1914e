//! A CSR held against the order it finalizes.

use std::collections::BTreeSet;

use acme_jose::Jwk;

use super::CertificateSigningRequest;
use crate::{DnsName, Identifier, ServerName};

impl CertificateSigningRequest {
    /// Checks that the CSR asks for exactly what an order is for
    /// ([RFC 8555, section 7.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.4)).
    ///
    /// Each identifier must be an alternative name and each alternative name an identifier, in
    /// any order. RFC 8555 lets a DNS name stand in the common name alone; this check does not,
    /// as no TLS client looks there any more, and CAs differ. An address never stands
    /// there ([RFC 8738, section 3](https://www.rfc-editor.org/rfc/rfc8738#section-3)).
    ///
    /// # Errors
    /// - [`CsrMismatch::Missing`] with the first identifier that the CSR does not ask for, or
    ///   that is neither DNS name nor address.
    /// - [`CsrMismatch::Extra`] with the first name that the order is not for.
    /// - [`CsrMismatch::CommonName`] with a common name that is not one of the
    ///   alternative names, or is an address.
    pub fn check_against(&self, identifiers: &[Identifier]) -> Result<(), CsrMismatch> {
        let asked: BTreeSet<&ServerName> = self.names.iter().collect();
        let mut ordered = BTreeSet::new();
        for identifier in identifiers {
            match identifier.server_name() {
                Ok(name) if asked.contains(&name) => ordered.insert(name),
                _ => return Err(CsrMismatch::Missing(identifier.clone())),
            };
        }
        if let Some(extra) = self.names.iter().find(|it| !ordered.contains(*it)) {
            return Err(CsrMismatch::Extra(extra.clone()));
        }
        let is_asked = |text: &str| {
            let name = text.parse::<DnsName>().map(ServerName::Dns);
            name.is_ok_and(|it| asked.contains(&it))
        };
        match self.common_names.iter().find(|it| !is_asked(it)) {
            Some(text) => Err(CsrMismatch::CommonName(text.clone())),
            None => Ok(()),
        }
    }

    /// Checks that the CSR's key is not the account's, which must certify nothing
    /// ([RFC 8555, section 11.1](https://www.rfc-editor.org/rfc/rfc8555#section-11.1)).
    ///
    /// # Errors
    /// - [`CsrMismatch::AccountKey`] when it is.
    pub fn check_key_differs(&self, account_key: &Jwk) -> Result<(), CsrMismatch> {
        if self.public_key == *account_key {
            return Err(CsrMismatch::AccountKey);
        }
        Ok(())
    }
}

/// A CSR is not the one that an order is finalized with
/// ([RFC 8555, section 7.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.4)).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrMismatch {
    /// The key is the account's.
    #[error("the signing request is for the account's own key")]
    AccountKey,
    /// A common name is not among the alternative names.
    #[error("the common name {0:?} is not among the DNS names asked for")]
    CommonName(String),
    /// The order is not for this name.
    #[error("the signing request asks for {0}, which the order is not for")]
    Extra(ServerName),
    /// The CSR does not ask for this identifier.
    #[error("the signing request does not ask for {value:?}, which the order is for", value = .0.value)]
    Missing(Identifier),
}
