//! tls-alpn-01: a certificate shown in a handshake ([RFC 8737, section 3]),
//! looked at as closely as Boulder does.
//!
//! [RFC 8737, section 3]: https://www.rfc-editor.org/rfc/rfc8737#section-3

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use acme_messages::{
    ProblemType, ServerName,
    tls_alpn::{ACME_IDENTIFIER, ACME_TLS_1, acme_identifier_value},
};
use const_oid::db::rfc5280::ID_CE_SUBJECT_ALT_NAME;
use der::{
    Decode, Encode,
    asn1::{Ia5String, ObjectIdentifier},
};
use rustls::{
    ClientConfig,
    client::Resumption,
    pki_types::{CertificateDer, ServerName as TlsName},
};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsConnector;
use x509_cert::{
    Certificate,
    ext::{
        Extension,
        pkix::{SubjectAltName, name::GeneralName},
    },
};

use super::{
    Look, Verdict,
    address::reason,
    tls_verifier::{self, ShownCertificate},
};

pub(super) async fn validate(look: &Look) -> Verdict<()> {
    let mut addresses = look.addresses(&look.job.name).await?.into_iter().peekable();
    while let Some(address) = addresses.next() {
        match shown_certificate(look, address).await {
            Ok(certificate) => return judge(look, &certificate),
            // As at Boulder: whatever was wrong there, the other address may do.
            Err(_) if addresses.peek().is_some() => {}
            Err(problem) => return Err(problem),
        }
    }
    Err(look.connection("there is no address to try"))
}

/// Shakes hands and returns the first certificate shown.
async fn shown_certificate(look: &Look, address: IpAddr) -> Verdict<CertificateDer<'static>> {
    let provider = &look.provider;
    let tls = |detail: String| look.problem(ProblemType::Tls, detail);
    let shown = Arc::new(ShownCertificate::new(Arc::clone(provider)));
    let mut tls_config = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&shown) as _)
        .with_no_client_auth();
    tls_config.alpn_protocols = vec![ACME_TLS_1.to_vec()];
    tls_config.resumption = Resumption::disabled();

    let sni = TlsName::try_from(look.job.name.validation_sni())
        .map_err(|error| tls(error.to_string()))?;
    let address = SocketAddr::new(address, look.config().tls_alpn_01_port);
    let stream = look.connect(address).await?;
    let connector = TlsConnector::from(Arc::new(tls_config));
    let mut stream =
        connector
            .connect(sni, stream)
            .await
            .map_err(|error| match rustls_error(&error) {
                Some(error) => tls(error.to_string()),
                None => look.connection(format_args!("{address}: {}", reason(&error))),
            })?;
    let negotiated = stream.get_ref().1.alpn_protocol() == Some(ACME_TLS_1);
    // The proof is the handshake; how the other side takes its end says nothing.
    let _ = stream.shutdown().await;
    if !negotiated {
        return Err(look.unauthorized("the server did not choose acme-tls/1"));
    }
    shown
        .take()
        .ok_or_else(|| look.unauthorized("the server showed no certificate"))
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn judge(look: &Look, der: &CertificateDer<'_>) -> Verdict<()> {
    let foreign = |detail: &str| look.unauthorized(detail);
    let certificate =
        Certificate::from_der(der).map_err(|_| foreign("the certificate cannot be read"))?;
    let tbs = certificate.tbs_certificate();
    if tbs.issuer() != tbs.subject()
        || !tls_verifier::is_self_signed(&look.provider, der, &certificate)
    {
        return Err(foreign("the certificate is not self-signed"));
    }
    let extensions = tbs.extensions().map_or(&[][..], |it| it.as_slice());
    let names = single(extensions, ID_CE_SUBJECT_ALT_NAME)
        .ok_or_else(|| foreign("the certificate has not exactly one subjectAltName extension"))?;
    if expected_names(&look.job.name).as_deref() != Some(names.extn_value.as_bytes()) {
        let detail = "the certificate is not for exactly this identifier";
        return Err(foreign(detail));
    }
    let identifier = single(extensions, ACME_IDENTIFIER)
        .ok_or_else(|| foreign("the certificate has not exactly one acmeIdentifier extension"))?;
    if !identifier.critical {
        return Err(foreign("the acmeIdentifier extension is not critical"));
    }
    let expected = acme_identifier_value(&look.job.key_authorization.digest());
    if identifier.extn_value.as_bytes() != expected {
        let detail = "the acmeIdentifier is not the key authorization's digest";
        return Err(look.wrong(detail));
    }
    if has_duplicates(extensions) {
        return Err(foreign("the certificate has an extension twice"));
    }
    Ok(())
}

/// The one extension of this kind; `None` when there is none, or more than one.
fn single(extensions: &[Extension], oid: ObjectIdentifier) -> Option<&Extension> {
    let mut found = extensions.iter().filter(|it| it.extn_id == oid);
    found.next().filter(|_| found.next().is_none())
}

fn has_duplicates(extensions: &[Extension]) -> bool {
    let mut rest = extensions;
    while let Some((first, others)) = rest.split_first() {
        if others.iter().any(|it| it.extn_id == first.extn_id) {
            return true;
        }
        rest = others;
    }
    false
}

/// The bytes of an extension with this identifier alone.
fn expected_names(name: &ServerName) -> Option<Vec<u8>> {
    let name = match name {
        ServerName::Dns(name) => GeneralName::DnsName(Ia5String::new(name.as_str()).ok()?),
        ServerName::Ip(address) => GeneralName::from(*address),
    };
    SubjectAltName(vec![name]).to_der().ok()
}
