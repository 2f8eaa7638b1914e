//! A small certificate authority for tests: a root, an intermediate, and leaves
//! shaped as Let's Encrypt's are today.

mod profile;

use std::{fmt, time::Duration};

use acme_messages::{
    CertificateChain, ServerName, Timestamp,
    jose::{KeyType, PrivateKey},
};
use der::{DateTime, Decode, Encode};
use p256::{
    ecdsa::{DerSignature, SigningKey},
    elliptic_curve::Generate,
};
use rustls_pki_types::CertificateDer;
use spki::{EncodePublicKey, SubjectPublicKeyInfoOwned};
use x509_cert::{
    builder::{Builder, CertificateBuilder},
    name::Name,
    serial_number::SerialNumber,
    time::{Time, Validity},
};

use profile::Profile;

/// A root and an intermediate on P-256, and the leaves they issue.
///
/// The two live from 1970 to 9999, so that any clock agrees with them.
///
/// ```
/// use std::time::Duration;
/// use acme_testing::{CertificateValidity, TestPki, messages::Timestamp};
///
/// let pki = TestPki::new()?;
/// let validity = CertificateValidity::starting(Timestamp::now(), Duration::from_secs(86_400));
/// let (chain, key) = pki.issue_server(&["www.example.com".parse()?], validity)?;
/// chain.check_links()?;
/// chain.check_key(acme_testing::messages::jose::Signer::public_jwk(&key))?;
/// assert!(pki.root_pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct TestPki {
    root: Issuer,
    intermediate: Issuer,
}

struct Issuer {
    key: SigningKey,
    subject: Name,
    certificate: CertificateDer<'static>,
}

impl TestPki {
    /// The length of a leaf's serial number, in random bytes.
    pub const SERIAL_LENGTH: usize = 16;

    /// Makes a root and an intermediate with keys and names of their own, so
    /// that several can live in one process.
    ///
    /// # Errors
    /// - [`PkiError::NoRandomness`] when the system has none to give.
    /// - [`PkiError::Encode`] never for what is encoded here; the encoder's type says so.
    pub fn new() -> Result<Self, PkiError> {
        let tag: String = random::<4>()?
            .iter()
            .map(|it| format!("{it:02x}"))
            .collect();
        let root_key = SigningKey::generate();
        let root_name = common_name(&format!("acme-testing root {tag}"))?;
        let profile = Profile::Root {
            subject: &root_name,
        };
        let spki = spki(&root_key)?;
        let certificate = build(profile, spki, CertificateValidity::FOREVER, &root_key)?;
        let root = Issuer {
            key: root_key,
            subject: root_name,
            certificate,
        };

        let key = SigningKey::generate();
        let subject = common_name(&format!("acme-testing intermediate {tag}"))?;
        let profile = Profile::Intermediate {
            subject: &subject,
            issuer: &root.subject,
        };
        let spki = self::spki(&key)?;
        let certificate = build(profile, spki, CertificateValidity::FOREVER, &root.key)?;
        Ok(Self {
            root,
            intermediate: Issuer {
                key,
                subject,
                certificate,
            },
        })
    }

    /// The root as PEM: what a client is to trust.
    #[must_use]
    pub fn root_pem(&self) -> String {
        der::pem::encode_string(
            "CERTIFICATE",
            der::pem::LineEnding::LF,
            &self.root.certificate,
        )
        .unwrap_or_default()
    }

    /// The root as DER.
    #[must_use]
    pub const fn root(&self) -> &CertificateDer<'static> {
        &self.root.certificate
    }

    /// The intermediate as DER.
    #[must_use]
    pub const fn intermediate(&self) -> &CertificateDer<'static> {
        &self.intermediate.certificate
    }

    /// Issues a leaf for a public key; the chain is the leaf and the intermediate.
    ///
    /// The subject is empty and the alternative names, in the caller's order,
    /// are critical for it ([RFC 5280, section 4.2.1.6]); beside them stand
    /// the issuer's key identifier, `serverAuth` alone, `digitalSignature`
    /// alone, and that it is no CA.
    ///
    /// # Errors
    /// - [`PkiError::NoNames`] when there are no names.
    /// - [`PkiError::BadPublicKey`] when `spki_der` is no `SubjectPublicKeyInfo`.
    /// - [`PkiError::BadTime`] when the validity lies outside 1970 to 9999.
    /// - [`PkiError::NoRandomness`] when the system has none to give.
    /// - [`PkiError::Encode`] never for what is encoded here; the encoder's type says so.
    ///
    /// [RFC 5280, section 4.2.1.6]: https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6
    pub fn issue(
        &self,
        spki_der: &[u8],
        names: &[ServerName],
        validity: CertificateValidity,
    ) -> Result<CertificateChain, PkiError> {
        if names.is_empty() {
            return Err(PkiError::NoNames);
        }
        let spki =
            SubjectPublicKeyInfoOwned::from_der(spki_der).map_err(|_| PkiError::BadPublicKey)?;
        let profile = Profile::Leaf {
            issuer: &self.intermediate.subject,
            names,
        };
        let leaf = build(profile, spki, validity, &self.intermediate.key)?;
        let chain = vec![leaf, self.intermediate.certificate.clone()];
        CertificateChain::from_der(chain).map_err(PkiError::encode)
    }

    /// Issues a leaf for a fresh key: a server's certificate, ready to serve.
    ///
    /// # Errors
    /// - As [`issue`](Self::issue).
    pub fn issue_server(
        &self,
        names: &[ServerName],
        validity: CertificateValidity,
    ) -> Result<(CertificateChain, PrivateKey), PkiError> {
        let key = PrivateKey::generate(KeyType::EcdsaP256).map_err(|_| PkiError::NoRandomness)?;
        let spki = key.public_jwk().to_spki_der().map_err(PkiError::encode)?;
        Ok((self.issue(&spki, names, validity)?, key))
    }
}

impl fmt::Debug for TestPki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestPki")
            .field("root", &self.root.subject.to_string())
            .field("intermediate", &self.intermediate.subject.to_string())
            .finish()
    }
}

/// When a certificate begins and ends, both seconds included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateValidity {
    /// The first second.
    pub not_before: Timestamp,
    /// The last second.
    pub not_after: Timestamp,
}

impl CertificateValidity {
    /// How far back a certificate begins, as Let's Encrypt does for slow clocks.
    pub const BACKDATE: Duration = Duration::from_secs(60 * 60);

    /// From 1970 to 9999: no clock disagrees.
    pub const FOREVER: Self = Self {
        not_before: Timestamp::UNIX_EPOCH,
        not_after: Timestamp::constant(253_402_207_199, 0),
    };

    /// From one moment to another.
    #[must_use]
    pub const fn between(not_before: Timestamp, not_after: Timestamp) -> Self {
        Self {
            not_before,
            not_after,
        }
    }

    /// A lifetime that is under way: it began [`BACKDATE`](Self::BACKDATE) ago,
    /// but at most a tenth of the lifetime, and lasts for exactly `lifetime`.
    #[must_use]
    pub fn starting(now: Timestamp, lifetime: Duration) -> Self {
        let back = Self::BACKDATE.min(lifetime / 10).as_secs();
        let clamp = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        let begin = now.as_second().saturating_sub_unsigned(back);
        // The last second belongs to the lifetime (RFC 5280, section 4.1.2.5).
        let last = lifetime.as_secs().saturating_sub(1);
        Self {
            not_before: clamp(begin),
            not_after: clamp(begin.saturating_add_unsigned(last)),
        }
    }
}

fn build(
    profile: Profile<'_>,
    spki: SubjectPublicKeyInfoOwned,
    validity: CertificateValidity,
    issuer: &SigningKey,
) -> Result<CertificateDer<'static>, PkiError> {
    let serial = SerialNumber::new(&random::<{ TestPki::SERIAL_LENGTH }>()?);
    let validity = Validity::new(time(validity.not_before)?, time(validity.not_after)?);
    CertificateBuilder::new(profile, serial.map_err(PkiError::encode)?, validity, spki)
        .and_then(|builder| builder.build::<_, DerSignature>(issuer))
        .map_err(PkiError::encode)?
        .to_der()
        .map(CertificateDer::from)
        .map_err(PkiError::encode)
}

fn spki(key: &SigningKey) -> Result<SubjectPublicKeyInfoOwned, PkiError> {
    let document = key
        .verifying_key()
        .to_public_key_der()
        .map_err(PkiError::encode)?;
    document.decode_msg().map_err(PkiError::encode)
}

fn common_name(text: &str) -> Result<Name, PkiError> {
    format!("CN={text}").parse().map_err(PkiError::encode)
}

/// `UTCTime` up to 2049, `GeneralizedTime` from then on.
fn time(moment: Timestamp) -> Result<Time, PkiError> {
    let seconds = u64::try_from(moment.as_second()).map_err(|_| PkiError::BadTime)?;
    DateTime::from_unix_duration(Duration::from_secs(seconds))
        .map(Time::from)
        .map_err(|_| PkiError::BadTime)
}

/// Bytes that no one can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], PkiError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| PkiError::NoRandomness)?;
    Ok(bytes)
}

/// A certificate could not be issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PkiError {
    /// The public key is no DER `SubjectPublicKeyInfo`.
    #[error("the public key is no SubjectPublicKeyInfo")]
    BadPublicKey,
    /// The validity lies outside the years that certificates can tell.
    #[error("the validity lies outside the years 1970 to 9999")]
    BadTime,
    /// The certificate could not be encoded.
    #[error("the certificate could not be encoded")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There are no names.
    #[error("a certificate needs at least one name")]
    NoNames,
    /// The system has no randomness to give.
    #[error("the system has no randomness to give")]
    NoRandomness,
}

impl PkiError {
    fn encode(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Encode(cause.into())
    }
}
