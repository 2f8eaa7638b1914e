//! A certificate that has long to live, from an intermediate that has not.

use std::time::Duration;

use acme_service::{
    messages::{
        CertificateChain, ServerName, Timestamp,
        jose::{KeyType, PrivateKey},
    },
    store::CertificateBundle,
};
use der::{Decode, Encode, asn1::Ia5String};
use p256::{
    ecdsa::{DerSignature, SigningKey},
    elliptic_curve::Generate,
};
use rustls_pki_types::CertificateDer;
use spki::{EncodePublicKey, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::{
    TbsCertificate,
    builder::{self, Builder, CertificateBuilder, profile::BuilderProfile},
    ext::{
        Extension, ToExtension,
        pkix::{SubjectAltName, name::GeneralName},
    },
    name::Name,
    serial_number::SerialNumber,
    time::{Time, Validity},
};

use crate::world::DAY;

struct Profile<'a> {
    subject: &'a str,
    issuer: &'a str,
    san: Option<&'a ServerName>,
}

impl BuilderProfile for Profile<'_> {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.parse().unwrap()
    }

    fn get_subject(&self) -> Name {
        match self.subject {
            "" => Name::default(),
            subject => subject.parse().unwrap(),
        }
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let Some(name) = self.san else {
            return Ok(Vec::new());
        };
        let name = GeneralName::DnsName(Ia5String::new(&name.to_string())?);
        let san = SubjectAltName(vec![name]);
        Ok(vec![(&san).to_extension(&Name::default(), &[])?])
    }
}

fn build(
    profile: Profile<'_>,
    spki: &[u8],
    now: Timestamp,
    left: Duration,
    signer: &SigningKey,
) -> CertificateDer<'static> {
    let time = |at: Timestamp| {
        let seconds = Duration::from_secs(at.as_second().try_into().unwrap());
        Time::from(der::DateTime::from_unix_duration(seconds).unwrap())
    };
    let validity = Validity::new(time(now - 10 * DAY), time(now + left));
    let spki = SubjectPublicKeyInfoOwned::from_der(spki).unwrap();
    let serial = SerialNumber::new(&[1]).unwrap();
    let certificate = CertificateBuilder::new(profile, serial, validity, spki)
        .and_then(|it| it.build::<_, DerSignature>(signer))
        .unwrap();
    CertificateDer::from(certificate.to_der().unwrap())
}

/// A bundle with 80 days left, of an intermediate with one.
pub(crate) fn bundle(name: &ServerName, now: Timestamp) -> CertificateBundle {
    let signer = SigningKey::generate();
    let own = signer.verifying_key().to_public_key_der().unwrap();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let leaf = Profile {
        subject: "",
        issuer: "CN=old",
        san: Some(name),
    };
    let leaf_key = key.public_jwk().to_spki_der().unwrap();
    let leaf = build(leaf, &leaf_key, now, 80 * DAY, &signer);
    let intermediate = Profile {
        subject: "CN=old",
        issuer: "CN=root",
        san: None,
    };
    let intermediate = build(intermediate, own.as_bytes(), now, DAY, &signer);
    let chain = CertificateChain::from_der(vec![leaf, intermediate]).unwrap();
    CertificateBundle::new(key, chain).unwrap()
}
