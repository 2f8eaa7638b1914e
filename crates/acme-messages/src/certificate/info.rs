//! What one certificate says of itself.

use std::{fmt, net::IpAddr};

use der::{Decode, Tag};
use jiff::Timestamp;
use x509_cert::{
    ext::pkix::{SubjectAltName, name::GeneralName},
    name::Name,
};

use super::{ChainError, parts::Parts};
use crate::{CertificateId, InvalidName, ServerName, attribute_text};

/// What one certificate says of itself ([RFC 5280, section 4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateInfo {
    /// The DNS names and addresses it is for, in their order.
    pub names: Vec<ServerName>,
    /// The DNS names it is for that [`DnsName`](crate::DnsName) refuses, such as
    /// `_srv.example.com`, as text; those with a final dot are among them, since no TLS client
    /// takes one for the name without it.
    pub other_dns_names: Vec<String>,
    /// When it begins.
    pub not_before: Timestamp,
    /// Its last second; [`Timestamp::MAX`] when it lies later, as `99991231235959Z` does
    /// ([RFC 5280, section 4.1.2.5]).
    ///
    /// [RFC 5280, section 4.1.2.5]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5
    pub not_after: Timestamp,
    /// The contents of its serial number, a leading zero byte kept.
    pub serial: Vec<u8>,
    /// The key identifier of its issuer.
    pub authority_key_id: Option<Vec<u8>>,
    /// The issuer's name as DER.
    issuer: Vec<u8>,
    /// Its public key as DER `SubjectPublicKeyInfo`.
    pub spki: Vec<u8>,
}

impl CertificateInfo {
    /// Looks into a DER certificate.
    ///
    /// Alternative names that are neither DNS names nor addresses are passed over.
    ///
    /// # Errors
    /// - [`ChainError::Malformed`] when it cannot be read.
    pub fn from_der(der: &[u8]) -> Result<Self, ChainError> {
        Self::read(der).map_err(|_| ChainError::Malformed)
    }

    fn read(der: &[u8]) -> der::Result<Self> {
        let parts = Parts::from_der(der)?;
        let extensions = parts.extensions()?;
        let (mut names, mut other_dns_names) = (Vec::new(), Vec::new());
        let san = extensions.get::<SubjectAltName>()?;
        for entry in san.iter().flat_map(|it| &it.0) {
            match (name(entry), entry) {
                (Some(Ok(name)), _) => names.push(name),
                (Some(Err(_)), GeneralName::DnsName(text)) => {
                    other_dns_names.push(text.as_str().to_owned());
                }
                (Some(Err(_)), _) => return Err(Tag::OctetString.value_error().into()),
                (None, _) => {}
            }
        }
        let authority_key_id = extensions.authority_key_id().map(<[u8]>::to_vec);
        Ok(Self {
            names,
            other_dns_names,
            not_before: parts.not_before,
            not_after: parts.not_after,
            serial: parts.serial.to_vec(),
            authority_key_id,
            issuer: parts.issuer.to_vec(),
            spki: parts.spki.to_vec(),
        })
    }

    /// The issuer's name, for people; empty when it cannot be read.
    #[must_use]
    pub fn issuer(&self) -> String {
        Name::from_der(&self.issuer)
            .map(|it| it.to_string())
            .unwrap_or_default()
    }

    /// The issuer's common name: the last, where it has several.
    #[must_use]
    pub fn issuer_common_name(&self) -> Option<String> {
        common_name(&self.issuer)
    }

    /// The serial number in hexadecimal, for people and logs.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        self.serial.iter().map(|it| format!("{it:02x}")).collect()
    }

    /// The name of this certificate in renewal information ([RFC 9773, section 4.1]);
    /// `None` when it does not name its issuer's key.
    ///
    /// [RFC 9773, section 4.1]: https://www.rfc-editor.org/rfc/rfc9773#section-4.1
    #[must_use]
    pub fn certificate_id(&self) -> Option<CertificateId> {
        let aki = self.authority_key_id.as_deref()?;
        Some(CertificateId::new(aki, &self.serial))
    }

    /// Whether it is for this name: by its own entry, or by a wildcard one label up.
    #[must_use]
    pub fn is_valid_for(&self, name: &ServerName) -> bool {
        self.names.iter().any(|own| own.covers(name))
    }
}

impl fmt::Debug for CertificateInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateInfo")
            .field("names", &self.names)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .field("serial", &self.serial_hex())
            .finish_non_exhaustive()
    }
}

/// The last common name in a DER name, which is the one nearest to what it names.
pub(super) fn common_name(name: &[u8]) -> Option<String> {
    let name = Name::from_der(name).ok()?;
    let names = name
        .iter()
        .filter(|it| it.oid == const_oid::db::rfc4519::CN);
    attribute_text::read(&names.last()?.value)
}

/// The DNS names and addresses of an extension; each other kind is an error.
pub(crate) fn alternative_names(san: &SubjectAltName) -> Result<Vec<ServerName>, InvalidName> {
    san.0
        .iter()
        .map(|it| name(it).unwrap_or(Err(InvalidName::BadCharacter)))
        .collect()
}

fn name(entry: &GeneralName) -> Option<Result<ServerName, InvalidName>> {
    match entry {
        // A final dot is how people write a name; in a certificate no client overlooks it.
        GeneralName::DnsName(name) if name.as_str().ends_with('.') => {
            Some(Err(InvalidName::EmptyLabel))
        }
        GeneralName::DnsName(name) => Some(name.as_str().parse().map(ServerName::Dns)),
        GeneralName::IpAddress(octets) => {
            let address = match octets.as_bytes() {
                bytes if bytes.len() == 4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
                bytes => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
            };
            Some(address.map(ServerName::Ip).ok_or(InvalidName::BadCharacter))
        }
        _ => None,
    }
}
