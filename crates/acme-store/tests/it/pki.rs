//! Certificates to store: a root, an intermediate, and leaves.

use std::{str::FromStr, sync::LazyLock, time::Duration};

use acme_store::{
    CertificateBundle,
    messages::{
        CertificateChain, ServerName,
        jose::{KeyType, PrivateKey},
    },
};
use der::{Decode, Encode, asn1::Ia5String};
use p256::{
    ecdsa::{DerSignature, SigningKey},
    elliptic_curve::Generate,
};
use rustls_pki_types::CertificateDer;
use spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::{
    TbsCertificate,
    builder::{self, Builder, CertificateBuilder, profile::BuilderProfile},
    ext::{
        Extension, ToExtension,
        pkix::{SubjectAltName, name::GeneralName},
    },
    name::Name,
    serial_number::SerialNumber,
    time::Validity,
};

/// One for all tests: making keys takes time.
pub(crate) static PKI: LazyLock<Pki> = LazyLock::new(Pki::new);

pub(crate) struct Pki {
    pub(crate) root: CertificateDer<'static>,
    pub(crate) intermediate: CertificateDer<'static>,
    key: SigningKey,
    subject: Name,
}

impl Pki {
    fn new() -> Self {
        Self::named("CN=intermediate")
    }

    /// With an intermediate of this name.
    pub(crate) fn named(intermediate: &str) -> Self {
        let root_key = SigningKey::generate();
        let root_name = Name::from_str("CN=root").unwrap();
        let key = SigningKey::generate();
        let subject = Name::from_str(intermediate).unwrap();
        let spki = |key: &SigningKey| SubjectPublicKeyInfoOwned::from_key(key.verifying_key());
        let root = Plain::new(&root_name, &root_name);
        let root = root.certificate(spki(&root_key).unwrap(), &root_key);
        let intermediate = Plain::new(&subject, &root_name);
        let intermediate = intermediate.certificate(spki(&key).unwrap(), &root_key);
        Self {
            root,
            intermediate,
            key,
            subject,
        }
    }

    /// A leaf for this key.
    pub(crate) fn leaf(&self, name: &ServerName, key: &PrivateKey) -> CertificateDer<'static> {
        let mut plain = Plain::new(&Name::default(), &self.subject);
        plain.name = Some(name.to_string());
        let spki = key.public_jwk().to_spki_der().unwrap();
        plain.certificate(
            SubjectPublicKeyInfoOwned::from_der(&spki).unwrap(),
            &self.key,
        )
    }

    /// A key, its leaf and the intermediate.
    pub(crate) fn bundle(&self, name: &str) -> CertificateBundle {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let leaf = self.leaf(&name.parse().unwrap(), &key);
        let chain = CertificateChain::from_der(vec![leaf, self.intermediate.clone()]);
        CertificateBundle::new(key, chain.unwrap()).unwrap()
    }
}

struct Plain {
    subject: Name,
    issuer: Name,
    name: Option<String>,
}

impl Plain {
    fn new(subject: &Name, issuer: &Name) -> Self {
        Self {
            subject: subject.clone(),
            issuer: issuer.clone(),
            name: None,
        }
    }

    fn certificate(
        self,
        spki: SubjectPublicKeyInfoOwned,
        key: &SigningKey,
    ) -> CertificateDer<'static> {
        let mut serial = [0; 8];
        getrandom::fill(&mut serial).unwrap();
        serial[0] = 1;
        let serial = SerialNumber::new(&serial).unwrap();
        let validity = Validity::from_now(Duration::from_secs(90 * 86_400)).unwrap();
        let builder = CertificateBuilder::new(self, serial, validity, spki).unwrap();
        let certificate = builder.build::<_, DerSignature>(key).unwrap();
        certificate.to_der().unwrap().into()
    }
}

impl BuilderProfile for Plain {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let Some(name) = &self.name else {
            return Ok(Vec::new());
        };
        let name = GeneralName::DnsName(Ia5String::new(name)?);
        let san = SubjectAltName(vec![name]).to_extension(tbs.subject(), &[])?;
        Ok(vec![san])
    }
}
