//! The fake CA's one certificate, and the leaves it signs.

use std::time::Duration;

use acme_messages::{
    CertificateChain, CertificateSigningRequest, ServerName, Timestamp, jose::KeyType,
};
use const_oid::db::rfc5280::ID_KP_SERVER_AUTH;
use der::Decode;
use rustls_pki_types::CertificateDer;
use spki::SubjectPublicKeyInfoRef;
use x509_cert::{
    TbsCertificate,
    builder::{self, profile::BuilderProfile},
    ext::{
        Extension, ToExtension,
        pkix::{
            AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
            SubjectKeyIdentifier,
        },
    },
    name::Name,
    request::CertReq,
};

use super::FakeCa;
use crate::{
    CertificateValidity, PkiError,
    pki::{IssuerKey, alternative_names},
};

pub(super) struct Issuer {
    key: IssuerKey,
    name: Name,
    certificate: CertificateDer<'static>,
}

impl Issuer {
    pub(super) fn new(now: Timestamp) -> Result<Self, PkiError> {
        let key = IssuerKey::generate(KeyType::EcdsaP256)?;
        let name: Name = format!("CN={}", FakeCa::COMMON_NAME)
            .parse()
            .map_err(encode)?;
        let profile = Profile {
            issuer: &name,
            subject: name.clone(),
            names: None,
        };
        let validity = validity(now, FakeCa::ISSUER_LIFETIME);
        let certificate = key.sign(profile, key.spki()?, validity)?;
        Ok(Self {
            key,
            name,
            certificate,
        })
    }

    pub(super) fn root_pem(&self) -> String {
        der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, &self.certificate)
            .unwrap_or_default()
    }

    pub(super) const fn root(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A leaf with the subject and the key of a request, and the issuer behind it.
    pub(super) fn issue(
        &self,
        csr: &CertificateSigningRequest,
        names: &[ServerName],
        validity: CertificateValidity,
    ) -> Result<CertificateChain, PkiError> {
        let request = CertReq::from_der(csr.as_der()).map_err(encode)?.info;
        let profile = Profile {
            issuer: &self.name,
            subject: request.subject,
            names: Some(names),
        };
        let leaf = self.key.sign(profile, request.public_key, validity)?;
        CertificateChain::from_der(vec![leaf, self.certificate.clone()]).map_err(encode)
    }
}

/// From an hour ago for a span that begins now.
pub(super) fn validity(now: Timestamp, span: Duration) -> CertificateValidity {
    let begin = now.checked_sub(CertificateValidity::BACKDATE);
    let end = now.checked_add(span);
    CertificateValidity::between(
        begin.unwrap_or(Timestamp::UNIX_EPOCH),
        end.unwrap_or(CertificateValidity::FOREVER.not_after),
    )
}

fn encode(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PkiError {
    PkiError::Encode(cause.into())
}

/// The issuer itself where there are no names, else a leaf.
struct Profile<'a> {
    issuer: &'a Name,
    subject: Name,
    names: Option<&'a [ServerName]>,
}

impl BuilderProfile for Profile<'_> {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        own: SubjectPublicKeyInfoRef<'_>,
        issuer: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let subject = &self.subject;
        let ca = BasicConstraints {
            ca: self.names.is_none(),
            path_len_constraint: self.names.is_none().then_some(0),
        };
        let mut extensions = vec![
            (true, &ca).to_extension(subject, &[])?,
            SubjectKeyIdentifier::try_from(own)?.to_extension(subject, &[])?,
            AuthorityKeyIdentifier::try_from(issuer)?.to_extension(subject, &[])?,
        ];
        let usage = match self.names {
            None => KeyUsages::KeyCertSign | KeyUsages::CRLSign,
            Some(_) => KeyUsages::DigitalSignature.into(),
        };
        extensions.push(KeyUsage(usage).to_extension(subject, &[])?);
        if let Some(names) = self.names {
            let purpose = ExtendedKeyUsage(vec![ID_KP_SERVER_AUTH]);
            extensions.push(purpose.to_extension(subject, &[])?);
            extensions.push(alternative_names(names)?.to_extension(subject, &[])?);
        }
        Ok(extensions)
    }
}
