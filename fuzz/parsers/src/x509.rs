//! Requests for certificates, and certificates.

use acme_messages::{CertificateChain, CertificateInfo, CertificateSigningRequest, Timestamp};

/// Reads a CSR, DER or base64url; it stays what was received.
pub fn csr(data: &[u8]) {
    if let Ok(csr) = CertificateSigningRequest::from_der(data) {
        assert_eq!(csr.as_der(), data);
        let text = csr.to_base64url();
        let again =
            CertificateSigningRequest::from_base64url(&text).expect("what was written can be read");
        assert_eq!(again.as_der(), data);
        assert_eq!(again.names(), csr.names());
        assert_eq!(again.common_names(), csr.common_names());
        assert_eq!(again.public_key(), csr.public_key());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = CertificateSigningRequest::from_base64url(text);
    }
}

/// Reads a certificate chain, PEM, and a certificate, DER; each stays what was received.
pub fn pem_chain(data: &[u8]) {
    if let Ok(chain) = CertificateChain::from_pem(data) {
        let again = CertificateChain::from_pem(chain.to_pem().as_bytes())
            .expect("a written chain can be read");
        assert_eq!(again, chain);
        assert!(!chain.as_der().is_empty(), "there is a leaf");
        assert!(chain.as_der().len() <= CertificateChain::MAX_CERTIFICATES);
        assert_eq!(chain.check_links(), again.check_links());
        let _ = chain.check_names(&chain.leaf().names);
        let _ = chain.check_time(Timestamp::UNIX_EPOCH);
        let _ = format!("{chain:?}");
    }
    if let Ok(info) = CertificateInfo::from_der(data) {
        let _ = (info.certificate_id(), info.serial_hex());
        let _ = format!("{info:?}");
    }
}
