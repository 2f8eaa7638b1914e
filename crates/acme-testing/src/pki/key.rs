//! A key of acme-jose, as the builder of certificates wants it.

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
    builder::{Builder, CertificateBuilder, profile::BuilderProfile},
    serial_number::SerialNumber,
};

use super::{CertificateValidity, PkiError, TestPki, random};

/// A key as the certificate builder wants it.
pub(crate) struct IssuerKey {
    key: PrivateKey,
    algorithm: AlgorithmIdentifierOwned,
}

impl IssuerKey {
    pub(crate) fn generate(key_type: KeyType) -> Result<Self, PkiError> {
        let unsupported = || PkiError::KeyType(key_type);
        let key = PrivateKey::generate(key_type).map_err(|_| unsupported())?;
        let algorithm = x509_signature::algorithm(key.algorithm()).ok_or_else(unsupported)?;
        let algorithm = AlgorithmIdentifierOwned::from_der(&algorithm).map_err(PkiError::encode)?;
        Ok(Self { key, algorithm })
    }

    pub(crate) fn spki(&self) -> Result<SubjectPublicKeyInfoOwned, PkiError> {
        let der = self.key.public_jwk().to_spki_der();
        let der = der.map_err(PkiError::encode)?;
        SubjectPublicKeyInfoOwned::from_der(&der).map_err(PkiError::encode)
    }

    /// A certificate that this key signs.
    pub(crate) fn sign(
        &self,
        profile: impl BuilderProfile,
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
pub(crate) struct IssuerPublicKey(Jwk);

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
