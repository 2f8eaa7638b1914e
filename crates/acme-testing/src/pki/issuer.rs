//! A key that signs certificates, and the certificate that says so.

use acme_messages::jose::KeyType;
use rustls_pki_types::CertificateDer;
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::name::Name;

use super::{CertificateValidity, PkiError, key::IssuerKey, profile::Profile};

/// Who signs certificates.
pub(super) struct Issuer {
    key: IssuerKey,
    pub(super) subject: Name,
    pub(super) certificate: CertificateDer<'static>,
}

impl Issuer {
    /// A root, which signs itself.
    pub(super) fn root(name: &str, key_type: KeyType) -> Result<Self, PkiError> {
        let key = IssuerKey::generate(key_type)?;
        let subject = common_name(name)?;
        let profile = Profile::Root { subject: &subject };
        let certificate = key.sign(profile, key.spki()?, CertificateValidity::FOREVER)?;
        Ok(Self {
            key,
            subject,
            certificate,
        })
    }

    /// An intermediate below this issuer, with `below` more between it and the leaves.
    pub(super) fn intermediate(
        &self,
        name: &str,
        key_type: KeyType,
        below: u8,
    ) -> Result<Self, PkiError> {
        let key = IssuerKey::generate(key_type)?;
        let subject = common_name(name)?;
        let certificate = self.certify(&key, &subject, below)?;
        Ok(Self {
            key,
            subject,
            certificate,
        })
    }

    /// The certificate of another issuer's key and name, signed by this one.
    pub(super) fn cross_sign(
        &self,
        other: &Self,
        below: u8,
    ) -> Result<CertificateDer<'static>, PkiError> {
        self.certify(&other.key, &other.subject, below)
    }

    fn certify(
        &self,
        key: &IssuerKey,
        subject: &Name,
        below: u8,
    ) -> Result<CertificateDer<'static>, PkiError> {
        let profile = Profile::Intermediate {
            subject,
            issuer: &self.subject,
            below,
        };
        self.sign(profile, key.spki()?, CertificateValidity::FOREVER)
    }

    pub(super) fn sign(
        &self,
        profile: Profile<'_>,
        spki: SubjectPublicKeyInfoOwned,
        validity: CertificateValidity,
    ) -> Result<CertificateDer<'static>, PkiError> {
        self.key.sign(profile, spki, validity)
    }

    pub(super) fn pem(&self) -> String {
        let ending = der::pem::LineEnding::LF;
        der::pem::encode_string("CERTIFICATE", ending, &self.certificate).unwrap_or_default()
    }
}

fn common_name(text: &str) -> Result<Name, PkiError> {
    format!("CN={text}").parse().map_err(PkiError::encode)
}
