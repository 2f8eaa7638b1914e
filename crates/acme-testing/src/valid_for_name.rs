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
        .is_ok_and(|csr| csr.names().iter().any(|own| covers(own, &name)))
}

fn covers(own: &ServerName, name: &ServerName) -> bool {
    own == name
        || match (own, name) {
            (ServerName::Dns(own), ServerName::Dns(name)) => {
                own.is_wildcard()
                    && !name.is_wildcard()
                    && name.as_str().split_once('.').map(|it| it.1) == Some(own.base())
            }
            _ => false,
        }
}
