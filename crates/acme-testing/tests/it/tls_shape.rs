//! Certificates for tls-alpn-01 made by hand, and servers that show them.

use std::sync::{Arc, Mutex};

use acme_testing::messages::{
    KeyAuthorization, ServerName,
    tls_alpn::{ACME_IDENTIFIER, acme_identifier_value},
};
use der::{
    Encode,
    asn1::{Ia5String, OctetString},
};
use p256::{
    ecdsa::{DerSignature, SigningKey},
    elliptic_curve::Generate,
    pkcs8::EncodePrivateKey,
};
use rustls::{
    ServerConfig, SupportedProtocolVersion,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use spki::{EncodePublicKey, SubjectPublicKeyInfoRef};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
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

/// A challenge certificate and the server that shows it; right unless changed.
pub(crate) struct Shape {
    pub(crate) extensions: Vec<Extension>,
    pub(crate) issuer: Name,
    pub(crate) signer: SigningKey,
    pub(crate) certificate_key: SigningKey,
    pub(crate) handshake_key: SigningKey,
    pub(crate) protocols: Vec<&'static [u8]>,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
}

pub(crate) fn names(names: &[&str]) -> Extension {
    let names = names
        .iter()
        .map(|it| match it.parse().unwrap() {
            ServerName::Dns(_) => GeneralName::DnsName(Ia5String::new(it).unwrap()),
            ServerName::Ip(address) => GeneralName::from(address),
        })
        .collect();
    SubjectAltName(names)
        .to_extension(&Name::default(), &[])
        .unwrap()
}

pub(crate) fn identifier(critical: bool, value: &[u8]) -> Extension {
    let extn_value = OctetString::new(value).unwrap();
    Extension {
        extn_id: ACME_IDENTIFIER,
        critical,
        extn_value,
    }
}

impl Shape {
    pub(crate) fn right(name: &str, answer: &KeyAuthorization) -> Self {
        let key = SigningKey::generate();
        let value = acme_identifier_value(&answer.digest());
        Self {
            extensions: vec![names(&[name]), identifier(true, &value)],
            issuer: Name::default(),
            signer: key.clone(),
            certificate_key: key.clone(),
            handshake_key: key,
            protocols: vec![b"acme-tls/1"],
            versions: vec![&TLS13, &TLS12],
        }
    }

    pub(crate) fn config(self, hellos: Hellos) -> ServerConfig {
        let spki = self
            .certificate_key
            .verifying_key()
            .to_public_key_der()
            .unwrap();
        let profile = Bare {
            issuer: self.issuer,
            extensions: self.extensions,
        };
        let validity = Validity::new(Time::INFINITY, Time::INFINITY);
        let serial = SerialNumber::from(1u8);
        let builder =
            CertificateBuilder::new(profile, serial, validity, spki.decode_msg().unwrap());
        let certificate = builder
            .unwrap()
            .build::<_, DerSignature>(&self.signer)
            .unwrap();
        let key = self
            .handshake_key
            .to_pkcs8_der()
            .unwrap()
            .as_bytes()
            .to_vec();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
        let provider = crate::client::provider();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let shown = CertifiedKey::new(vec![certificate.to_der().unwrap().into()], key);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Show {
                shown: Arc::new(shown),
                hellos,
            }));
        config.alpn_protocols = self.protocols.iter().map(|it| it.to_vec()).collect();
        config
    }
}

struct Bare {
    issuer: Name,
    extensions: Vec<Extension>,
}

impl BuilderProfile for Bare {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
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
        Ok(self.extensions.clone())
    }
}

/// The server names and protocols that clients sent.
pub(crate) type Hellos = Arc<Mutex<Vec<(Option<String>, Vec<Vec<u8>>)>>>;

#[derive(Debug)]
struct Show {
    shown: Arc<CertifiedKey>,
    hellos: Hellos,
}

impl ResolvesServerCert for Show {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let protocols = hello
            .alpn()
            .into_iter()
            .flatten()
            .map(<[u8]>::to_vec)
            .collect();
        let name = hello.server_name().map(str::to_owned);
        self.hellos.lock().unwrap().push((name, protocols));
        Some(Arc::clone(&self.shown))
    }
}

pub(crate) async fn serve(config: ServerConfig) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    port
}
