//! Certificate chains: read strictly, looked into, checked before they are trusted
//! with a server's name ([RFC 8555, sections 7.4.2, 9.1 and 11.4]).
//!
//! [RFC 8555, sections 7.4.2, 9.1 and 11.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4.2

use std::{collections::BTreeSet, fmt, net::IpAddr};

use acme_jose::Jwk;
use der::{Decode, Encode};
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use x509_cert::{
    Certificate,
    ext::pkix::{AuthorityKeyIdentifier, SubjectAltName, name::GeneralName},
    time::Time,
};

use crate::{CertificateId, InvalidName, ServerName, x509_signature};

/// A leaf and what certifies it, in the order TLS sends them. Never empty.
///
/// The DER is what was received; it is never encoded anew.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateChain {
    certificates: Vec<CertificateDer<'static>>,
    leaf: CertificateInfo,
}

impl CertificateChain {
    /// The most certificates a chain may have: the leaf and ten issuers.
    pub const MAX_CERTIFICATES: usize = 11;

    /// The longest PEM text read, in bytes.
    pub const MAX_LENGTH: usize = 1 << 18;

    /// Reads a PEM chain as a CA sends it.
    ///
    /// # Errors
    /// - [`ChainError::TooLong`] when the text or the number of certificates is over its limit.
    /// - [`ChainError::ForeignBlock`] when a block is not a certificate, as
    ///   [RFC 8555, section 11.4] demands.
    /// - [`ChainError::Empty`] when there is no certificate.
    /// - [`ChainError::Malformed`] when a certificate cannot be read.
    ///
    /// [RFC 8555, section 11.4]: https://www.rfc-editor.org/rfc/rfc8555#section-11.4
    pub fn from_pem(text: &[u8]) -> Result<Self, ChainError> {
        if text.len() > Self::MAX_LENGTH {
            return Err(ChainError::TooLong);
        }
        let begin = b"-----BEGIN";
        let foreign = text
            .windows(begin.len())
            .enumerate()
            .filter(|(_, window)| window == begin)
            .any(|(at, _)| !text[at + begin.len()..].starts_with(b" CERTIFICATE-----"));
        if foreign {
            return Err(ChainError::ForeignBlock);
        }
        let certificates = CertificateDer::pem_slice_iter(text)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ChainError::Malformed)?;
        Self::from_der(certificates)
    }

    /// Takes certificates that were read already, leaf first.
    ///
    /// # Errors
    /// - As [`from_pem`](Self::from_pem), but for blocks.
    pub fn from_der(certificates: Vec<CertificateDer<'static>>) -> Result<Self, ChainError> {
        if certificates.len() > Self::MAX_CERTIFICATES {
            return Err(ChainError::TooLong);
        }
        let leaf = certificates.first().ok_or(ChainError::Empty)?;
        let leaf = CertificateInfo::from_der(leaf)?;
        Ok(Self { certificates, leaf })
    }

    /// What the leaf says.
    #[must_use]
    pub const fn leaf(&self) -> &CertificateInfo {
        &self.leaf
    }

    /// The certificates, leaf first.
    #[must_use]
    pub fn as_der(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// The chain as PEM: LF, 64 columns, nothing between the blocks.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.certificates
            .iter()
            .map(|it| pem("CERTIFICATE", it))
            .collect()
    }

    /// Checks that each certificate is issued, and signed, by the next.
    ///
    /// A signature of an algorithm that this build does not know is judged by
    /// the names of issuer and subject alone.
    ///
    /// # Errors
    /// - [`ChainError::BrokenLink`] with the position of the first certificate that the next
    ///   one did not issue.
    pub fn check_links(&self) -> Result<(), ChainError> {
        for (at, pair) in self.certificates.windows(2).enumerate() {
            let subject = Certificate::from_der(&pair[0]).map_err(|_| ChainError::Malformed)?;
            let issuer = Certificate::from_der(&pair[1]).map_err(|_| ChainError::Malformed)?;
            if !signed_by(&subject, &pair[0], &issuer) {
                return Err(ChainError::BrokenLink { position: at });
            }
        }
        Ok(())
    }

    /// Checks that the leaf holds this key.
    ///
    /// # Errors
    /// - [`ChainError::ForeignKey`] when it holds another.
    pub fn check_key(&self, key: &Jwk) -> Result<(), ChainError> {
        match Jwk::from_spki_der(&self.leaf.spki) {
            Ok(own) if own == *key => Ok(()),
            _ => Err(ChainError::ForeignKey),
        }
    }

    /// Checks that the leaf is for exactly these names, in any order.
    ///
    /// # Errors
    /// - [`ChainError::WrongNames`] when a name is missing, or one is there that was not
    ///   asked for.
    pub fn check_names(&self, names: &[ServerName]) -> Result<(), ChainError> {
        let asked: BTreeSet<_> = names.iter().collect();
        let got: BTreeSet<_> = self.leaf.names.iter().collect();
        if asked == got {
            Ok(())
        } else {
            Err(ChainError::WrongNames)
        }
    }

    /// Checks that the leaf is not past its end.
    ///
    /// A beginning in the near future is no fault of the chain's: clocks differ.
    ///
    /// # Errors
    /// - [`ChainError::Expired`] when its end lies before `now`.
    pub fn check_time(&self, now: Timestamp) -> Result<(), ChainError> {
        if self.leaf.not_after < now {
            return Err(ChainError::Expired);
        }
        Ok(())
    }
}

fn signed_by(subject: &Certificate, der: &[u8], issuer: &Certificate) -> bool {
    if subject.tbs_certificate().issuer() != issuer.tbs_certificate().subject() {
        return false;
    }
    let spki = issuer.tbs_certificate().subject_public_key_info().to_der();
    let Some(key) = spki.ok().and_then(|it| Jwk::from_spki_der(&it).ok()) else {
        return true;
    };
    let algorithm = key.algorithm();
    let known = x509_signature::algorithm_identifier(algorithm).map(|it| it.oid);
    if known != Some(subject.signature_algorithm().oid) {
        return true;
    }
    let signature = subject
        .signature()
        .as_bytes()
        .and_then(|it| x509_signature::from_der(algorithm, it).ok());
    match (signed_part(der), signature) {
        (Ok(message), Some(signature)) => key.verify(message, &signature).is_ok(),
        _ => false,
    }
}

/// The received bytes of the first element of a certificate: what its issuer signed.
fn signed_part(certificate: &[u8]) -> der::Result<&[u8]> {
    use der::{Header, Reader, SliceReader};
    let mut reader = SliceReader::new(certificate)?;
    Header::decode(&mut reader)?;
    reader.tlv_bytes()
}

/// Writes one PEM block: LF, 64 columns.
fn pem(label: &str, der: &[u8]) -> String {
    der::pem::encode_string(label, der::pem::LineEnding::LF, der).unwrap_or_default()
}

/// What one certificate says of itself.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateInfo {
    /// The DNS names and addresses it is for, in their order.
    pub names: Vec<ServerName>,
    /// When it begins.
    pub not_before: Timestamp,
    /// Its last second.
    pub not_after: Timestamp,
    /// The contents of its serial number, a leading zero byte kept.
    pub serial: Vec<u8>,
    /// The key identifier of its issuer.
    pub authority_key_id: Option<Vec<u8>>,
    /// The issuer's name, for people.
    pub issuer: String,
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
        let certificate = Certificate::from_der(der).map_err(|_| ChainError::Malformed)?;
        let tbs = certificate.tbs_certificate();
        let names = match tbs.get_extension::<SubjectAltName>() {
            Ok(Some((_, san))) => san.0.iter().filter_map(|it| name(it)?.ok()).collect(),
            Ok(None) => Vec::new(),
            Err(_) => return Err(ChainError::Malformed),
        };
        let authority_key_id = tbs
            .get_extension::<AuthorityKeyIdentifier>()
            .ok()
            .flatten()
            .and_then(|(_, aki)| aki.key_identifier)
            .map(|it| it.as_bytes().to_vec());
        Ok(Self {
            names,
            not_before: timestamp(tbs.validity().not_before)?,
            not_after: timestamp(tbs.validity().not_after)?,
            serial: tbs.serial_number().as_bytes().to_vec(),
            authority_key_id,
            issuer: tbs.issuer().to_string(),
            spki: tbs
                .subject_public_key_info()
                .to_der()
                .map_err(|_| ChainError::Malformed)?,
        })
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
        self.names.iter().any(|own| {
            own == name
                || match (own, name) {
                    (ServerName::Dns(own), ServerName::Dns(name)) => {
                        own.is_wildcard()
                            && !name.is_wildcard()
                            && name.as_str().split_once('.').map(|it| it.1) == Some(own.base())
                    }
                    _ => false,
                }
        })
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

impl fmt::Debug for CertificateChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateChain")
            .field("leaf", &self.leaf)
            .field("length", &self.certificates.len())
            .finish()
    }
}

fn timestamp(time: Time) -> Result<Timestamp, ChainError> {
    i64::try_from(time.to_unix_duration().as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or(ChainError::Malformed)
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

/// A certificate chain was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A certificate was not issued by the next one.
    #[error("certificate {position} of the chain was not issued by the next one")]
    BrokenLink {
        /// The position of the certificate, the leaf being 0.
        position: usize,
    },
    /// There is no certificate.
    #[error("there is no certificate")]
    Empty,
    /// The leaf is past its end.
    #[error("the certificate has expired")]
    Expired,
    /// A PEM block is not a certificate.
    #[error("a PEM block is not a certificate")]
    ForeignBlock,
    /// The leaf holds another key.
    #[error("the certificate is for another key")]
    ForeignKey,
    /// A certificate cannot be read.
    #[error("a certificate cannot be read")]
    Malformed,
    /// The chain is longer than its limit.
    #[error("the chain is too long")]
    TooLong,
    /// The leaf is not for exactly the names that were asked for.
    #[error("the certificate is not for the names that were asked for")]
    WrongNames,
}
