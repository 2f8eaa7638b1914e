//! Whether a certificate or a signing request is for a name.

use acme_messages::{CertificateInfo, CertificateSigningRequest, ServerName};

/// Whether a DER certificate or CSR is for `name` by its alternative names,
/// wildcards included ([RFC 9525, section 6.3]).
///
/// What is neither certificate nor CSR, or no name, is `false`.
///
/// ```
/// use acme_testing::{messages, valid_for_name};
/// use messages::{CertificateSigningRequest, jose};
///
/// let key = jose::PrivateKey::generate(jose::KeyType::EcdsaP256)?;
/// let names = ["example.com".parse()?, "*.example.org".parse()?];
/// let csr = CertificateSigningRequest::for_names(&names, &key)?;
/// assert!(valid_for_name(csr.as_der(), "example.com"));
/// assert!(valid_for_name(csr.as_der(), "www.example.org"));
/// assert!(!valid_for_name(csr.as_der(), "www.example.com"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 9525, section 6.3]: https://www.rfc-editor.org/rfc/rfc9525#section-6.3
#[doc(alias = "ValidForName")]
#[must_use]
pub fn valid_for_name(der: &[u8], name: &str) -> bool {
    let Ok(name) = name.parse() else {
        return false;
    };
    if let Ok(certificate) = CertificateInfo::from_der(der) {
        return certificate.is_valid_for(&name);
    }
    CertificateSigningRequest::from_der(der)
        .is_ok_and(|csr| csr.names().iter().any(|own| own.covers(&name)))
}

/// Demands that a DER certificate or CSR is for `name`, as [`valid_for_name`] tells it.
///
/// ```
/// use acme_testing::{CertificateValidity, TestPki, assert_valid_for_name};
///
/// let pki = TestPki::new()?;
/// let names = ["example.com".parse()?];
/// let (chain, _) = pki.issue_server(&names, CertificateValidity::FOREVER)?;
/// assert_valid_for_name(&chain.as_der()[0], "example.com");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// - When it is not; the message says what it is for.
#[track_caller]
pub fn assert_valid_for_name(der: &[u8], name: &str) {
    let Some(own) = names(der) else {
        panic!("neither a certificate nor a signing request, so not for {name}")
    };
    assert!(
        valid_for_name(der, name),
        "not for {name}, but for {}",
        own.join(", ")
    );
}

/// The names that a certificate or a signing request is for.
fn names(der: &[u8]) -> Option<Vec<String>> {
    let text = |names: &[ServerName]| names.iter().map(ToString::to_string).collect();
    match CertificateInfo::from_der(der) {
        Ok(certificate) => Some(text(&certificate.names)),
        Err(_) => {
            let csr = CertificateSigningRequest::from_der(der).ok()?;
            Some(text(csr.names()))
        }
    }
}
