//! tls-alpn-01 in real handshakes (rows R7 to R9; RFC 8737, RFC 8738).

use std::{io::Write, process::Command, sync::Arc};

use acme_responders::{
    ChallengeContext, Responder, TlsAlpn01Responder, challenge_certificate,
    messages::{
        ChallengeType, KeyAuthorization, ServerName,
        jose::Jwk,
        tls_alpn::{ACME_IDENTIFIER, ACME_TLS_1, acme_identifier_value},
    },
};
use der::{Decode, Encode};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName as Sni, UnixTime},
    server::Acceptor,
};
use tokio::io::DuplexStream;
use tokio_rustls::{LazyConfigAcceptor, TlsConnector};
use x509_cert::{
    Certificate,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use crate::responder::{challenge, is_ready, starts_and_stops};

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn context(name: &str, token: &str) -> ChallengeContext {
    challenge(name, ChallengeType::TlsAlpn01, token)
}

/// Takes any certificate, as a CA does, but checks that the peer holds its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &Sni<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        // The critical extension is unknown to rustls' own check.
        assert_eq!(signature.scheme, SignatureScheme::ECDSA_NISTP256_SHA256);
        assert!(is_signed(certificate, message, signature.signature()));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify_tls12_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn client(versions: &[&'static rustls::SupportedProtocolVersion], alpn: &[&[u8]]) -> TlsConnector {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider())))
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|it| it.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// One handshake over a pipe, served with the responder's configuration whatever the client
/// offers; the certificate that came, if one did.
async fn shown(
    responder: &TlsAlpn01Responder,
    connector: TlsConnector,
    sni: &str,
) -> Option<Vec<u8>> {
    let (near, far) = tokio::io::duplex(1 << 16);
    let server = async {
        let start = LazyConfigAcceptor::new(Acceptor::default(), far)
            .await
            .ok()?;
        start.into_stream(responder.server_config()).await.ok()
    };
    let sni = Sni::try_from(sni.to_owned()).unwrap();
    let client = async {
        let stream: tokio_rustls::client::TlsStream<DuplexStream> =
            connector.connect(sni, near).await.ok()?;
        let connection = stream.get_ref().1;
        assert_eq!(connection.alpn_protocol(), Some(ACME_TLS_1));
        Some(connection.peer_certificates()?[0].to_vec())
    };
    let (_, certificate) = tokio::join!(server, client);
    certificate
}

async fn asked_by_a_ca(responder: &TlsAlpn01Responder, sni: &str) -> Option<Vec<u8>> {
    shown(
        responder,
        client(rustls::DEFAULT_VERSIONS, &[ACME_TLS_1]),
        sni,
    )
    .await
}

/// Whether a certificate's key made a signature: ECDSA on P-256, as DER.
fn is_signed(certificate: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let certificate = Certificate::from_der(certificate).unwrap();
    let key = certificate.tbs_certificate().subject_public_key_info();
    let key = Jwk::from_spki_der(&key.to_der().unwrap()).unwrap();
    let signature = p256::ecdsa::Signature::from_der(signature).unwrap();
    key.verify(message, &signature.to_bytes()).is_ok()
}

/// RFC 8737, section 3 and Boulder's stricter reading of it.
fn check_certificate(der: &[u8], name: &ServerName, answer: &KeyAuthorization) {
    let certificate = Certificate::from_der(der).unwrap();
    let tbs = certificate.tbs_certificate();
    assert_eq!(tbs.issuer(), tbs.subject());
    let signed = tbs.to_der().unwrap();
    assert!(is_signed(der, &signed, certificate.signature().raw_bytes()));

    let extensions = tbs.extensions().unwrap();
    let find = |oid: &str| {
        let mut all = extensions.iter().filter(|it| it.extn_id.to_string() == oid);
        let found = all.next().unwrap();
        assert!(all.next().is_none());
        found
    };
    let names = find("2.5.29.17").extn_value.as_bytes();
    let SubjectAltName(names) = SubjectAltName::from_der(names).unwrap();
    let [only] = names.as_slice() else {
        panic!("{names:?}")
    };
    match (only, name) {
        (GeneralName::DnsName(found), ServerName::Dns(name)) => {
            assert_eq!(found.as_str(), name.base());
        }
        (GeneralName::IpAddress(found), ServerName::Ip(std::net::IpAddr::V4(address))) => {
            assert_eq!(found.as_bytes(), address.octets());
        }
        (GeneralName::IpAddress(found), ServerName::Ip(std::net::IpAddr::V6(address))) => {
            assert_eq!(found.as_bytes(), address.octets());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(ACME_IDENTIFIER.to_string(), "1.3.6.1.5.5.7.1.31");
    let identifier = find("1.3.6.1.5.5.7.1.31");
    assert!(identifier.critical);
    let expected = acme_identifier_value(&answer.digest());
    assert_eq!(identifier.extn_value.as_bytes(), expected);
    assert_eq!(extensions.len(), 2);
}

#[test]
fn certificates() {
    // Row R7.
    for name in [
        "example.com",
        "*.Example.com",
        "192.0.2.1",
        "2001:db8::1",
        "xn--bcher-kva.ch",
    ] {
        let context = context(name, "abc");
        let made = challenge_certificate(context.name(), context.key_authorization()).unwrap();
        check_certificate(
            made.certificate(),
            context.name(),
            context.key_authorization(),
        );
        let again = challenge_certificate(context.name(), context.key_authorization()).unwrap();
        assert_ne!(made.certificate(), again.certificate(), "a fresh key each");
        assert!(!format!("{made:?}").contains("key"));
        made.into_certified_key(&provider()).unwrap();
    }
}

#[test]
fn openssl_reads_it() {
    if Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: openssl is not on the path");
        return;
    }
    let context = context("example.com", "abc");
    let made = challenge_certificate(context.name(), context.key_authorization()).unwrap();
    let mut child = Command::new("openssl")
        .args(["x509", "-inform", "DER", "-noout", "-text"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(made.certificate())
        .unwrap();
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    for expected in [
        "Version: 3",
        "Not Before: Jan  1 00:00:00 1970 GMT",
        "Not After : Dec 31 23:59:59 9999 GMT",
        "DNS:example.com\n",
        "1.3.6.1.5.5.7.1.31: critical",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn starts_and_stops_in_handshakes() {
    // Rows R4, R8; RFC 8738, section 6: an address by its reverse name.
    let responder = TlsAlpn01Responder::new(provider()).unwrap();
    let v6 = format!(
        "{}8.b.d.0.1.0.0.2.ip6.arpa",
        "1.".to_owned() + &"0.".repeat(23)
    );
    let names = ["a.example", "b.example", "192.0.2.1", "2001:db8::1"];
    let snis = ["a.example", "b.example", "1.2.0.192.in-addr.arpa", &v6];
    let challenges = names.map(|it| context(it, "abc"));
    starts_and_stops(&responder, &challenges, |at| {
        let (responder, challenge, sni) = (responder.clone(), &challenges[at], snis[at]);
        async move {
            let certificate = asked_by_a_ca(&responder, sni).await;
            if let Some(der) = &certificate {
                check_certificate(der, challenge.name(), challenge.key_authorization());
            }
            certificate.is_some()
        }
    })
    .await;
}

#[tokio::test]
async fn each_version_and_spelling_is_answered() {
    let responder = TlsAlpn01Responder::new(provider()).unwrap();
    let challenge = context("a.example", "abc");
    responder.start(&challenge).await.unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for sni in ["a.example", "A.Example"] {
            let connector = client(&[version], &[ACME_TLS_1]);
            let der = shown(&responder, connector, sni).await.unwrap();
            check_certificate(&der, challenge.name(), challenge.key_authorization());
        }
    }
}

#[tokio::test]
async fn visitors_never_negotiate_acme_tls() {
    // Row R9: chosen by what the client offers, never by name alone; not even an
    // application that hands everyone this configuration shows a challenge certificate.
    let responder = TlsAlpn01Responder::new(provider()).unwrap();
    let challenge = context("a.example", "abc");
    responder.start(&challenge).await.unwrap();
    let offers: [&[&[u8]]; 7] = [
        &[],
        &[b"h2", b"http/1.1"],
        &[b"acme-tls/1", b"h2"],
        &[b"h2", b"acme-tls/1"],
        &[b"acme-tls/1", b"acme-tls/1"],
        &[b"ACME-TLS/1"],
        &[b"acme-tls/2"],
    ];
    for offer in offers {
        let connector = client(rustls::DEFAULT_VERSIONS, offer);
        assert_eq!(
            shown(&responder, connector, "a.example").await,
            None,
            "{offer:?}"
        );
        assert!(!offered(offer).await, "{offer:?}");
    }
    assert!(!is_ready(responder.asked(&challenge)));
    assert!(offered(&[ACME_TLS_1]).await);
    assert!(asked_by_a_ca(&responder, "a.example").await.is_some());
}

/// Whether an endpoint would take a client with this offer for a CA.
async fn offered(alpn: &[&[u8]]) -> bool {
    let (near, far) = tokio::io::duplex(1 << 16);
    let connector = client(rustls::DEFAULT_VERSIONS, alpn);
    let client = async {
        let sni = Sni::try_from("a.example").unwrap();
        connector.connect(sni, near).await.unwrap_err()
    };
    let server = async {
        let start = LazyConfigAcceptor::new(Acceptor::default(), far)
            .await
            .unwrap();
        TlsAlpn01Responder::is_challenge(&start.client_hello())
    };
    tokio::join!(client, server).1
}

#[tokio::test]
async fn a_name_without_a_challenge_is_not_answered() {
    let responder = TlsAlpn01Responder::new(provider()).unwrap();
    responder.start(&context("a.example", "abc")).await.unwrap();
    for sni in ["b.example", "x.a.example", "example", "192.0.2.1"] {
        assert_eq!(asked_by_a_ca(&responder, sni).await, None, "{sni}");
    }
}

#[tokio::test]
async fn two_tokens_of_one_name() {
    // Two orders at once: the one that started last is shown, and then the other again.
    let responder = TlsAlpn01Responder::new(provider()).unwrap();
    let (one, two) = (context("a.example", "one"), context("*.a.example", "two"));
    let check = async |expected: &ChallengeContext| {
        let der = asked_by_a_ca(&responder, "a.example").await.unwrap();
        check_certificate(&der, expected.name(), expected.key_authorization());
    };
    responder.start(&one).await.unwrap();
    responder.start(&two).await.unwrap();
    check(&two).await;
    assert!(!is_ready(responder.asked(&one)));
    responder.stop(&two).await.unwrap();
    check(&one).await;
    assert!(is_ready(responder.asked(&one)));

    // The same token under another account's key, after a stop that never came.
    let again = context("a.example", "one");
    responder.start(&again).await.unwrap();
    check(&again).await;
}

#[tokio::test]
async fn challenge_state_is_gone_after_stop() {
    let responder = TlsAlpn01Responder::new(provider()).unwrap();
    let clone = responder.clone();
    let challenge = context("a.example", "abc");
    clone.start(&challenge).await.unwrap();
    assert!(format!("{responder:?}").contains("a.example"));
    responder.stop(&challenge).await.unwrap();
    assert!(!format!("{clone:?}").contains("a.example"));
    assert_eq!(asked_by_a_ca(&clone, "a.example").await, None);
}
