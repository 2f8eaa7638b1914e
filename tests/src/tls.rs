//! Certificates for servers on loopback, made here and now.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use const_oid::db::rfc5280::ID_KP_SERVER_AUTH;
use der::EncodePem;
use der::asn1::Ia5String;
use der::pem::LineEnding;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::elliptic_curve::Generate;
use pkcs8::EncodePrivateKey;
use spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::TbsCertificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder, Result as BuilderResult};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use crate::error::Error;

/// How long before now a certificate begins to be valid, for clocks that differ.
const VALID_SINCE: Duration = Duration::from_secs(60 * 60);

/// How long from now on it is valid.
const VALID_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A server's key and certificate, and the root that vouches for them; all are of this moment.
#[derive(Debug, Clone)]
pub struct Identity {
    root_pem: String,
    certificate_pem: String,
    key_pem: String,
}

impl Identity {
    /// Makes a root and a certificate for `localhost`, `127.0.0.1` and `::1`.
    ///
    /// # Errors
    ///
    /// - [`Error::Certificate`]: a library below refuses.
    pub fn for_loopback() -> Result<Self, Error> {
        Self::for_names(
            &["localhost"],
            &[Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        )
    }

    /// Makes a root and a certificate for these names and addresses.
    ///
    /// # Errors
    ///
    /// - [`Error::Certificate`]: a name is not ASCII, or a library below refuses.
    pub fn for_names(names: &[&str], addresses: &[IpAddr]) -> Result<Self, Error> {
        let mut alternatives = Vec::new();
        for name in names {
            let name = Ia5String::new(name).map_err(Error::certificate("a name"))?;
            alternatives.push(GeneralName::DnsName(name));
        }
        alternatives.extend(addresses.iter().copied().map(GeneralName::from));

        let root_key = SigningKey::generate();
        let root = certificate(Kind::Root, &root_key, &root_key)?;
        let key = SigningKey::generate();
        let leaf = certificate(Kind::Server(SubjectAltName(alternatives)), &key, &root_key)?;
        let key_pem = key
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(Error::certificate("the key's text"))?;
        Ok(Self {
            root_pem: root,
            certificate_pem: leaf,
            key_pem: key_pem.as_str().to_owned(),
        })
    }

    /// The root that a client has to trust.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The server's certificate; the root signed it, so it is all of the chain.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The server's key, PKCS#8.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }
}

/// What a certificate is for.
#[derive(Debug)]
enum Kind {
    Root,
    Server(SubjectAltName),
}

/// A profile that has the extensions verifiers ask for, and none more.
#[derive(Debug)]
struct Profile {
    kind: Kind,
    issuer: Name,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        match self.kind {
            Kind::Root => self.issuer.clone(),
            Kind::Server(_) => Name::default(),
        }
    }

    fn build_extensions(
        &self,
        own: SubjectPublicKeyInfoRef<'_>,
        issuer: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> BuilderResult<Vec<Extension>> {
        let subject = tbs.subject();
        let mut extensions = vec![SubjectKeyIdentifier::try_from(own)?.to_extension(subject, &[])?];
        match &self.kind {
            Kind::Root => {
                let constraints = BasicConstraints {
                    ca: true,
                    path_len_constraint: Some(0),
                };
                extensions.push(constraints.to_extension(subject, &extensions)?);
                let usage = KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign);
                extensions.push(usage.to_extension(subject, &extensions)?);
            }
            Kind::Server(names) => {
                let authority = AuthorityKeyIdentifier::try_from(issuer)?;
                extensions.push(authority.to_extension(subject, &extensions)?);
                let usage = KeyUsage(KeyUsages::DigitalSignature.into());
                extensions.push(usage.to_extension(subject, &extensions)?);
                let purpose = ExtendedKeyUsage(vec![ID_KP_SERVER_AUTH]);
                extensions.push(purpose.to_extension(subject, &extensions)?);
                extensions.push(names.to_extension(subject, &extensions)?);
            }
        }
        Ok(extensions)
    }
}

fn certificate(kind: Kind, key: &SigningKey, issuer: &SigningKey) -> Result<String, Error> {
    let failed = Error::certificate::<x509_cert::builder::Error>;
    let profile = Profile {
        kind,
        issuer: "CN=Root of a test,O=acme-tests"
            .parse()
            .map_err(Error::certificate::<der::Error>("the issuer's name"))?,
    };
    let public = SubjectPublicKeyInfoOwned::from_key(key.verifying_key())
        .map_err(Error::certificate("the public key"))?;
    let builder = CertificateBuilder::new(profile, serial()?, validity()?, public)
        .map_err(failed("its fields"))?;
    builder
        .build::<_, DerSignature>(issuer)
        .map_err(failed("its signature"))?
        .to_pem(LineEnding::LF)
        .map_err(Error::certificate("its text"))
}

/// 127 random bits, so that no two roots of this name share a serial number.
fn serial() -> Result<SerialNumber, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::certificate("random bytes"))?;
    bytes[0] &= 0x7f;
    SerialNumber::new(&bytes).map_err(Error::certificate("the serial number"))
}

fn validity() -> Result<Validity, Error> {
    let now = SystemTime::now();
    let time = |moment| Time::try_from(moment).map_err(Error::certificate::<der::Error>("a date"));
    Ok(Validity::new(
        time(now - VALID_SINCE)?,
        time(now + VALID_FOR)?,
    ))
}
