//! Certificate signing requests ([RFC 2986], [RFC 8555, section 7.4]).
//!
//! [RFC 2986]: https://www.rfc-editor.org/rfc/rfc2986
//! [RFC 8555, section 7.4]: https://www.rfc-editor.org/rfc/rfc8555#section-7.4

mod check;
mod common_name;

use acme_jose::{Jwk, SignError, Signer, base64url};
use der::{
    Decode, Encode, Sequence,
    asn1::{AnyRef, BitStringRef, Ia5String, SetOfVec},
};
use spki::AlgorithmIdentifierOwned;
use x509_cert::{
    attr::Attributes,
    ext::{
        ToExtension,
        pkix::{SubjectAltName, name::GeneralName},
    },
    request::{CertReq, CertReqInfo, ExtensionReq, Version},
};

use crate::{
    ServerName, attribute_text,
    certificate::alternative_names,
    x509_signature::{self, Verdict},
};

pub use check::CsrMismatch;
pub use common_name::CommonName;

/// What a CSR says beyond its names ([RFC 2986](https://www.rfc-editor.org/rfc/rfc2986)).
///
/// ```
/// use acme_messages::{CertificateSigningRequest, csr::{CommonName, CsrOptions}, jose};
///
/// let mut options = CsrOptions::default();
/// options.common_name = CommonName::FirstName;
/// let key = jose::PrivateKey::generate(jose::KeyType::EcdsaP256)?;
/// let csr = CertificateSigningRequest::with_options(&["example.com".parse()?], &key, &options)?;
/// assert_eq!(csr.common_names(), ["example.com"]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CsrOptions {
    /// What the subject says; nothing by default.
    pub common_name: CommonName,
}

/// A CSR, kept as the DER that was built or received ([RFC 2986](https://www.rfc-editor.org/rfc/rfc2986), [RFC 8555, section 7.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.4)).
///
/// ```
/// use acme_messages::{CertificateSigningRequest, ServerName, jose};
///
/// let key = jose::PrivateKey::generate(jose::KeyType::EcdsaP256)?;
/// let names: Vec<ServerName> = vec!["example.com".parse()?, "192.0.2.1".parse()?];
/// let csr = CertificateSigningRequest::for_names(&names, &key)?;
///
/// let received = CertificateSigningRequest::from_der(csr.as_der())?;
/// assert_eq!(received.names(), names);
/// assert_eq!(received.public_key(), csr.public_key());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSigningRequest {
    der: Vec<u8>,
    names: Vec<ServerName>,
    common_names: Vec<String>,
    public_key: Jwk,
}

/// A CSR whose first part is what was signed, and not encoded anew.
#[derive(Sequence)]
struct SignedRequest<'a> {
    info: AnyRef<'a>,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitStringRef<'a>,
}

impl CertificateSigningRequest {
    /// The longest CSR read, in bytes: hundred names of full length fit.
    pub const MAX_LENGTH: usize = 65_536;

    /// Builds a CSR: the names as subject alternative names in the caller's
    /// order, an empty subject, signed by the key.
    ///
    /// # Errors
    /// - [`CsrError::NoNames`] when there are no names.
    /// - [`CsrError::Sign`] when the key cannot sign, or returns what is no signature of its
    ///   algorithm.
    /// - [`CsrError::Malformed`] never for names that parsed; the encoder's type says so.
    #[doc(alias = "csr_for_names")]
    pub fn for_names(names: &[ServerName], key: &(impl Signer + ?Sized)) -> Result<Self, CsrError> {
        Self::with_options(names, key, &CsrOptions::default())
    }

    /// Builds a CSR as [`for_names`](Self::for_names) does, and says what the options add.
    ///
    /// # Errors
    /// - As [`for_names`](Self::for_names).
    pub fn with_options(
        names: &[ServerName],
        key: &(impl Signer + ?Sized),
        options: &CsrOptions,
    ) -> Result<Self, CsrError> {
        if names.is_empty() {
            return Err(CsrError::NoNames);
        }
        let mut distinct: Vec<ServerName> = Vec::with_capacity(names.len());
        for name in names {
            if !distinct.contains(name) {
                distinct.push(name.clone());
            }
        }
        let common_name = options.common_name.text(&distinct).map(str::to_owned);
        let info = request_info(&distinct, common_name.as_deref(), key.public_jwk())?.to_der()?;
        let signature = key.sign(&info).map_err(CsrError::Sign)?;
        let algorithm = key.algorithm();
        let signature = x509_signature::to_der(algorithm, &signature)
            .map_err(|error| CsrError::Sign(SignError::new(error)))?;
        let request = SignedRequest {
            info: AnyRef::from_der(&info)?,
            algorithm: x509_signature::algorithm_identifier(algorithm)?
                .ok_or(CsrError::UnsupportedKey)?,
            signature: BitStringRef::from_bytes(&signature)?,
        };
        Ok(Self {
            der: request.to_der()?,
            names: distinct,
            common_names: common_name.into_iter().collect(),
            public_key: key.public_jwk().clone(),
        })
    }

    /// Reads a DER CSR and checks its own signature.
    ///
    /// # Errors
    /// - [`CsrError::Malformed`] when it is not DER of a CSR, is longer than
    ///   [`MAX_LENGTH`](Self::MAX_LENGTH), or asks for alternative names twice
    ///   ([RFC 5280, section 4.2]).
    /// - [`CsrError::UnsupportedName`] when it asks for a name no certificate can be for.
    /// - [`CsrError::UnsupportedKey`] when its key is of a kind this build does not know.
    /// - [`CsrError::TooSmallKey`] when its key is RSA under 2048 bits.
    /// - [`CsrError::UnsupportedSignature`] when it is signed by an algorithm this build does
    ///   not know.
    /// - [`CsrError::BadSignature`] when its key did not sign it.
    ///
    /// [RFC 5280, section 4.2]: https://www.rfc-editor.org/rfc/rfc5280#section-4.2
    #[doc(alias = "decode_csr")]
    pub fn from_der(der: &[u8]) -> Result<Self, CsrError> {
        if der.len() > Self::MAX_LENGTH {
            return Err(CsrError::Malformed);
        }
        let request = CertReq::from_der(der)?;
        let spki = request.info.public_key.to_der()?;
        let public_key = Jwk::from_spki_der(&spki).map_err(|_| CsrError::UnsupportedKey)?;
        if public_key.check_strength().is_err() {
            return Err(CsrError::TooSmallKey);
        }
        verify(&request, x509_signature::signed_part(der)?, &public_key)?;
        let (names, common_names) = requested_names(&request.info)?;
        Ok(Self {
            der: der.to_vec(),
            names,
            common_names,
            public_key,
        })
    }

    /// Reads a CSR as it stands in a finalize request: base64url.
    ///
    /// # Errors
    /// - As [`from_der`](Self::from_der).
    pub fn from_base64url(text: &str) -> Result<Self, CsrError> {
        let der = base64url::decode(text).map_err(|_| CsrError::Malformed)?;
        Self::from_der(&der)
    }

    /// The CSR as it stands in a finalize request: base64url.
    #[doc(alias = "encode_csr")]
    #[must_use]
    pub fn to_base64url(&self) -> String {
        base64url::encode(&self.der)
    }

    /// The DER that was built or received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The subject alternative names, in their order.
    #[must_use]
    pub fn names(&self) -> &[ServerName] {
        &self.names
    }

    /// The common names of the subject; the CSRs built here have none unless one is asked for.
    #[must_use]
    pub fn common_names(&self) -> &[String] {
        &self.common_names
    }

    /// The key that the certificate is to hold.
    #[must_use]
    pub const fn public_key(&self) -> &Jwk {
        &self.public_key
    }
}

fn request_info(
    names: &[ServerName],
    common_name: Option<&str>,
    key: &Jwk,
) -> Result<CertReqInfo, CsrError> {
    let subject = common_name::subject(common_name)?;
    let names = names
        .iter()
        .map(general_name)
        .collect::<der::Result<Vec<_>>>()?;
    let extension = SubjectAltName(names).to_extension(&subject, &[])?;
    let mut attributes: Attributes = SetOfVec::new();
    attributes.insert(ExtensionReq(vec![extension]).try_into()?)?;
    let spki = key.to_spki_der().map_err(|_| CsrError::UnsupportedKey)?;
    Ok(CertReqInfo {
        version: Version::V1,
        subject,
        public_key: spki::SubjectPublicKeyInfoOwned::from_der(&spki)?,
        attributes,
    })
}

fn general_name(name: &ServerName) -> der::Result<GeneralName> {
    Ok(match name {
        ServerName::Dns(name) => GeneralName::DnsName(Ia5String::new(name.as_str())?),
        ServerName::Ip(address) => GeneralName::from(*address),
    })
}

fn verify(request: &CertReq, signed: &[u8], key: &Jwk) -> Result<(), CsrError> {
    let signature = request.signature.as_bytes().ok_or(CsrError::BadSignature)?;
    match x509_signature::verify(key, request.algorithm.oid, signed, signature) {
        Verdict::Valid => Ok(()),
        Verdict::Invalid => Err(CsrError::BadSignature),
        Verdict::Unknown => Err(CsrError::UnsupportedSignature),
    }
}

fn requested_names(info: &CertReqInfo) -> Result<(Vec<ServerName>, Vec<String>), CsrError> {
    let mut names = None;
    for attribute in info.attributes.iter() {
        if attribute.oid != const_oid::db::rfc5912::ID_EXTENSION_REQ {
            continue;
        }
        for value in attribute.values.iter() {
            for extension in value.decode_as::<ExtensionReq>()?.0 {
                if extension.extn_id == const_oid::db::rfc5280::ID_CE_SUBJECT_ALT_NAME {
                    let san = SubjectAltName::from_der(extension.extn_value.as_bytes())?;
                    let found = alternative_names(&san).map_err(|_| CsrError::UnsupportedName)?;
                    if names.replace(found).is_some() {
                        return Err(CsrError::Malformed);
                    }
                }
            }
        }
    }
    let common_names = info
        .subject
        .iter()
        .filter(|it| it.oid == const_oid::db::rfc4519::CN)
        .map(|it| {
            // One that cannot be read must not pass for none.
            attribute_text::read(&it.value)
                .unwrap_or_else(|| String::from_utf8_lossy(it.value.value()).into_owned())
        })
        .collect();
    Ok((names.unwrap_or_default(), common_names))
}

/// A CSR could not be built or read
/// ([RFC 8555, section 7.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.4)).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsrError {
    /// The CSR is not signed by the key it holds.
    #[error("the signing request is not signed by its own key")]
    BadSignature,
    /// The bytes are no CSR.
    #[error("not a certificate signing request")]
    Malformed,
    /// There are no names to ask for.
    #[error("a certificate needs at least one name")]
    NoNames,
    /// The key could not sign.
    #[error("the signing request could not be signed")]
    Sign(#[source] SignError),
    /// The key is RSA under 2048 bits.
    #[error("the signing request's RSA key has under 2048 bits")]
    TooSmallKey,
    /// The key is of a kind this build does not know.
    #[error("the signing request's key is of an unsupported kind")]
    UnsupportedKey,
    /// A name is of a kind that no certificate here is for.
    #[error("the signing request asks for a name that is neither DNS nor address")]
    UnsupportedName,
    /// The signature is of an algorithm this build does not know.
    #[error("the signing request's signature is of an unsupported algorithm")]
    UnsupportedSignature,
}

impl From<der::Error> for CsrError {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}
