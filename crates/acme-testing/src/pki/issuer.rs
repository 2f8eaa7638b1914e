//! A key that signs certificates, and the certificate that says so.

use acme_messages::{
    jose::{Jwk, KeyType, PrivateKey, Signer},
    x509_signature,
};
use der::{Decode, Document, Encode, asn1::BitString};
use rustls_pki_types::CertificateDer;
use signature::Keypair;
use spki::{
    AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, EncodePublicKey,
    SubjectPublicKeyInfoOwned,
};
use x509_cert::{
    builder::{Builder, CertificateBuilder},
    name::Name,
    serial_number::SerialNumber,
};

use super::{CertificateValidity, PkiError, TestPki, profile::Profile, random};

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

/// A key as the certificate builder wants it.
struct IssuerKey {
    key: PrivateKey,
    algorithm: AlgorithmIdentifierOwned,
}

impl IssuerKey {
    fn generate(key_type: KeyType) -> Result<Self, PkiError> {
        let unsupported = || PkiError::KeyType(key_type);
        let key = PrivateKey::generate(key_type).map_err(|_| unsupported())?;
        let algorithm = x509_signature::algorithm(key.algorithm()).ok_or_else(unsupported)?;
        let algorithm = AlgorithmIdentifierOwned::from_der(&algorithm).map_err(PkiError::encode)?;
        Ok(Self { key, algorithm })
    }

    fn spki(&self) -> Result<SubjectPublicKeyInfoOwned, PkiError> {
        let der = self.key.public_jwk().to_spki_der();
        let der = der.map_err(PkiError::encode)?;
        SubjectPublicKeyInfoOwned::from_der(&der).map_err(PkiError::encode)
    }

    fn sign(
        &self,
        profile: Profile<'_>,
        spki: SubjectPublicKeyInfoOwned,
        validity: CertificateValidity,
    ) -> Result<CertificateDer<'static>, PkiError> {
        let serial = SerialNumber::new(&random::<{ TestPki::SERIAL_LENGTH }>()?);
        let serial = serial.map_err(PkiError::encode)?;
        let mut builder = CertificateBuilder::new(profile, serial, validity.encode()?, spki)
            .map_err(PkiError::encode)?;
        let message = builder.finalize(self).map_err(PkiError::encode)?;
        let signature = self.key.sign(&message).map_err(PkiError::encode)?;
        let signature = x509_signature::signature(self.key.algorithm(), &signature);
        let signature = BitString::from_bytes(&signature.unwrap_or_default());
        builder
            .assemble(signature.map_err(PkiError::encode)?, self)
            .and_then(|it| it.to_der().map_err(Into::into))
            .map(CertificateDer::from)
            .map_err(PkiError::encode)
    }
}

/// A public key that knows how a certificate spells it.
#[derive(Clone)]
struct IssuerPublicKey(Jwk);

impl Keypair for IssuerKey {
    type VerifyingKey = IssuerPublicKey;

    fn verifying_key(&self) -> IssuerPublicKey {
        IssuerPublicKey(self.key.public_jwk().clone())
    }
}

impl EncodePublicKey for IssuerPublicKey {
    fn to_public_key_der(&self) -> spki::Result<Document> {
        let der = self
            .0
            .to_spki_der()
            .map_err(|_| spki::Error::KeyMalformed)?;
        Ok(Document::try_from(der.as_slice())?)
    }
}

impl DynSignatureAlgorithmIdentifier for IssuerKey {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        Ok(self.algorithm.clone())
    }
}

fn common_name(text: &str) -> Result<Name, PkiError> {
    format!("CN={text}").parse().map_err(PkiError::encode)
}
