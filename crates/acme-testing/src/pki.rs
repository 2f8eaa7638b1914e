//! A small certificate authority for tests: roots, intermediates, and leaves
//! shaped as Let's Encrypt's are today.

mod builder;
mod error;
mod issuer;
mod key;
mod profile;
mod validity;

use std::fmt;

use acme_messages::{
    CertificateChain, ServerName,
    jose::{KeyType, PrivateKey},
};
use der::Decode;
use rustls_pki_types::CertificateDer;
use spki::SubjectPublicKeyInfoOwned;

pub use builder::TestPkiBuilder;
pub use error::PkiError;
pub use validity::CertificateValidity;

#[cfg(feature = "client")]
pub(crate) use key::IssuerKey;
#[cfg(feature = "client")]
pub(crate) use profile::alternative_names;

use issuer::Issuer;
use profile::Profile;

/// A root and an intermediate on P-256, and the leaves they issue; with
/// [`builder`](Self::builder) longer chains, more roots, other keys.
///
/// The issuers live from 1970 to 9999, so that any clock agrees with them.
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
    /// From the root down; the last one issues leaves.
    intermediates: Vec<Issuer>,
    /// More roots, each with its certificate for the topmost intermediate.
    alternates: Vec<(Issuer, CertificateDer<'static>)>,
}

impl TestPki {
    /// The length of a leaf's serial number, in random bytes.
    pub const SERIAL_LENGTH: usize = 16;

    /// Makes a root and an intermediate with keys and names of their own, so
    /// that several can live in one process.
    ///
    /// # Errors
    /// - As [`TestPkiBuilder::build`].
    pub fn new() -> Result<Self, PkiError> {
        Self::builder().build()
    }

    /// Sets up another shape.
    pub const fn builder() -> TestPkiBuilder {
        TestPkiBuilder::new()
    }

    /// The root as PEM: what a client is to trust.
    #[must_use]
    pub fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// All roots as PEM, one each: the one of [`root_pem`](Self::root_pem), then
    /// the alternates in the order of [`alternates`](Self::alternates).
    #[must_use]
    pub fn roots_pem(&self) -> Vec<String> {
        let alternates = self.alternates.iter().map(|(root, _)| root.pem());
        std::iter::once(self.root_pem()).chain(alternates).collect()
    }

    /// The root as DER.
    #[must_use]
    pub const fn root(&self) -> &CertificateDer<'static> {
        &self.root.certificate
    }

    /// The certificate of whoever issues leaves, as DER: the last intermediate,
    /// or the root where there is none.
    #[must_use]
    pub fn intermediate(&self) -> &CertificateDer<'static> {
        &self.issuer().certificate
    }

    fn issuer(&self) -> &Issuer {
        self.intermediates.last().unwrap_or(&self.root)
    }

    /// Issues a leaf for a public key; the chain is the leaf and the
    /// intermediates, without the root.
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
        let issuer = self.issuer();
        let profile = Profile::Leaf {
            issuer: &issuer.subject,
            names,
        };
        let mut chain = vec![issuer.sign(profile, spki, validity)?];
        let above = self.intermediates.iter().rev();
        chain.extend(above.map(|it| it.certificate.clone()));
        CertificateChain::from_der(chain).map_err(PkiError::encode)
    }

    /// The other chains of a leaf issued here, one to each alternate root.
    ///
    /// # Errors
    /// - [`PkiError::Encode`] when the chain is not one of [`issue`](Self::issue)'s.
    pub fn alternates(&self, chain: &CertificateChain) -> Result<Vec<CertificateChain>, PkiError> {
        let of = |(_, cross): &(Issuer, CertificateDer<'static>)| {
            let mut ders = chain.as_der().to_vec();
            if let Some(top) = ders.last_mut() {
                *top = cross.clone();
            }
            CertificateChain::from_der(ders).map_err(PkiError::encode)
        };
        self.alternates.iter().map(of).collect()
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
            .field("intermediate", &self.issuer().subject.to_string())
            .finish_non_exhaustive()
    }
}

/// Bytes that no one can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], PkiError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| PkiError::NoRandomness)?;
    Ok(bytes)
}
