//! A verifier that takes any certificate, and no handshake that is not signed
//! with its key.
//!
//! rustls' own checks cannot be used: they refuse the critical extension that
//! each tls-alpn-01 certificate has.

use std::sync::{Arc, Mutex, PoisonError};

use der::{Decode, Encode, Header, Reader, SliceReader};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime},
};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::Certificate;

/// Keeps the certificate that a server showed.
#[derive(Debug)]
pub(super) struct ShownCertificate {
    provider: Arc<CryptoProvider>,
    shown: Mutex<Option<CertificateDer<'static>>>,
}

impl ShownCertificate {
    pub(super) fn new(provider: Arc<CryptoProvider>) -> Self {
        Self {
            provider,
            shown: Mutex::default(),
        }
    }

    pub(super) fn take(&self) -> Option<CertificateDer<'static>> {
        self.shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn verify(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
        most: usize,
    ) -> Result<HandshakeSignatureValid, Error> {
        let bad_encoding = || Error::InvalidCertificate(CertificateError::BadEncoding);
        let certificate = Certificate::from_der(certificate).map_err(|_| bad_encoding())?;
        let key = certificate.tbs_certificate().subject_public_key_info();
        let mapping = self.provider.signature_verification_algorithms.mapping;
        let algorithms = mapping
            .iter()
            .find(|(scheme, _)| *scheme == signature.scheme)
            .map_or(&[][..], |(_, algorithms)| algorithms);
        let verified = algorithms
            .iter()
            .take(most)
            .any(|it| verifies(*it, key, message, signature.signature()));
        if verified {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::BadSignature))
        }
    }
}

impl ServerCertVerifier for ShownCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = Some(end_entity.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify(message, certificate, signature, usize::MAX)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // In TLS 1.3 a scheme names the curve too: the first algorithm is the one.
        self.verify(message, certificate, signature, 1)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Whether a certificate is signed by the key it holds.
pub(super) fn is_self_signed(
    provider: &CryptoProvider,
    der: &[u8],
    certificate: &Certificate,
) -> bool {
    let key = certificate.tbs_certificate().subject_public_key_info();
    let (Some(algorithm), Some(message), Some(signature)) = (
        contents(certificate.signature_algorithm()),
        signed_part(der),
        certificate.signature().as_bytes(),
    ) else {
        return false;
    };
    provider
        .signature_verification_algorithms
        .all
        .iter()
        .filter(|it| *it.signature_alg_id() == *algorithm)
        .any(|it| verifies(*it, key, message, signature))
}

fn verifies(
    algorithm: &dyn SignatureVerificationAlgorithm,
    key: &SubjectPublicKeyInfoOwned,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let fits = contents(&key.algorithm).is_some_and(|it| *algorithm.public_key_alg_id() == *it);
    fits && key
        .subject_public_key
        .as_bytes()
        .is_some_and(|key| algorithm.verify_signature(key, message, signature).is_ok())
}

/// An algorithm as rustls spells it: the contents of the sequence, without its header.
fn contents(algorithm: &AlgorithmIdentifierOwned) -> Option<Vec<u8>> {
    let der = algorithm.to_der().ok()?;
    let mut reader = SliceReader::new(&der).ok()?;
    Header::decode(&mut reader).ok()?;
    reader
        .read_slice(reader.remaining_len())
        .ok()
        .map(<[u8]>::to_vec)
}

/// The received bytes of a certificate that its signature is over.
fn signed_part(certificate: &[u8]) -> Option<&[u8]> {
    let mut reader = SliceReader::new(certificate).ok()?;
    Header::decode(&mut reader).ok()?;
    reader.tlv_bytes().ok()
}
