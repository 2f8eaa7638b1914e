//! The certificate that answers a tls-alpn-01 challenge ([RFC 8737, section 3]).
//!
//! [RFC 8737, section 3]: https://www.rfc-editor.org/rfc/rfc8737#section-3

use std::{fmt, time::Duration};

use acme_messages::{
    KeyAuthorization, ServerName,
    tls_alpn::{ACME_IDENTIFIER, acme_identifier_value},
};
use der::{
    DateTime, Encode,
    asn1::{GeneralizedTime, Ia5String, OctetString, UtcTime},
};
use p256::{
    ecdsa::{DerSignature, SigningKey},
    elliptic_curve::Generate,
    pkcs8::EncodePrivateKey,
};
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
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

/// A self-signed certificate for one challenge, and its key ([RFC 8737, section 3](https://www.rfc-editor.org/rfc/rfc8737#section-3)).
pub struct ChallengeCertificate {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl ChallengeCertificate {
    /// The certificate.
    #[must_use]
    pub const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The pair as rustls serves it.
    ///
    /// # Errors
    /// - [`rustls::Error`] when the provider cannot load a P-256 key.
    pub fn into_certified_key(
        self,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, rustls::Error> {
        let key = provider
            .key_provider
            .load_private_key(PrivateKeyDer::Pkcs8(self.key))?;
        Ok(CertifiedKey::new(vec![self.certificate], key))
    }
}

impl fmt::Debug for ChallengeCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChallengeCertificate")
            .field("length", &self.certificate.len())
            .finish_non_exhaustive()
    }
}

/// Makes the certificate that answers a challenge: one alternative name, the
/// critical `acmeIdentifier` extension, a fresh P-256 key, and a life from 1970
/// to 9999, since no clock need agree on it ([RFC 8737, section 3](https://www.rfc-editor.org/rfc/rfc8737#section-3)).
///
/// # Errors
/// - [`ChallengeCertificateError`] never for a checked name; the encoder's type says so.
#[doc(alias = "generate_tls_sni_01_cert")]
pub fn challenge_certificate(
    name: &ServerName,
    key_authorization: &KeyAuthorization,
) -> Result<ChallengeCertificate, ChallengeCertificateError> {
    build(name, &key_authorization.digest()).map_err(ChallengeCertificateError)
}

fn build(
    name: &ServerName,
    digest: &[u8; 32],
) -> Result<ChallengeCertificate, Box<dyn std::error::Error + Send + Sync>> {
    let key = SigningKey::generate();
    let spki = key.verifying_key().to_public_key_der()?;
    let spki: SubjectPublicKeyInfoOwned = spki.decode_msg()?;
    let builder = CertificateBuilder::new(
        Bare { name, digest },
        SerialNumber::from(1u8),
        validity()?,
        spki,
    )?;
    let certificate = builder.build::<_, DerSignature>(&key)?.to_der()?;
    let key = key.to_pkcs8_der()?;
    Ok(ChallengeCertificate {
        certificate: certificate.into(),
        key: key.as_bytes().to_vec().into(),
    })
}

fn validity() -> der::Result<Validity> {
    let epoch = UtcTime::from_unix_duration(Duration::ZERO)?;
    let end = GeneralizedTime::from_date_time(DateTime::new(9999, 12, 31, 23, 59, 59)?);
    Ok(Validity::new(Time::UtcTime(epoch), Time::GeneralTime(end)))
}

/// A profile of exactly two extensions.
struct Bare<'a> {
    name: &'a ServerName,
    digest: &'a [u8; 32],
}

impl BuilderProfile for Bare<'_> {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        Name::default()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        _: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let name = match self.name {
            ServerName::Dns(name) => GeneralName::DnsName(Ia5String::new(name.base())?),
            ServerName::Ip(address) => GeneralName::from(*address),
        };
        let alternative = SubjectAltName(vec![name]).to_extension(&Name::default(), &[])?;
        let identifier = Extension {
            extn_id: ACME_IDENTIFIER,
            critical: true,
            extn_value: OctetString::new(acme_identifier_value(self.digest))?,
        };
        Ok(vec![alternative, identifier])
    }
}

/// A challenge certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the challenge certificate could not be made")]
pub struct ChallengeCertificateError(#[source] Box<dyn std::error::Error + Send + Sync>);
