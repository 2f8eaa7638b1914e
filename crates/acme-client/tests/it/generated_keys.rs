//! Certificate keys that a TLS library makes, or helps to make.

use std::{error::Error, sync::Arc};

use acme_client::{
    AcmeAuthority, CertificateAuthority, CertificateRequest, Client, Cryptography, ErrorKind,
    ProviderSigner,
    messages::{
        CertificateSigningRequest,
        jose::{AsyncSigner, KeyType, PrivateKey, Signer},
    },
};
use rustls::{
    crypto::{CryptoProvider, aws_lc_rs, ring},
    pki_types::SignatureVerificationAlgorithm,
};

use crate::world::{World, hyper, names, new_key, within};

fn providers() -> [CryptoProvider; 2] {
    [aws_lc_rs::default_provider(), ring::default_provider()]
}

/// The request is signed by the key that comes with it, and that key is whole.
fn check(request: &CertificateRequest) {
    let key: &PrivateKey = request.key().expect("the key comes with it");
    let csr = CertificateSigningRequest::from_der(request.csr().as_der()).unwrap();
    assert_eq!(csr.public_key(), key.public_jwk());
    assert_eq!(csr.names(), request.names());
    let again = PrivateKey::from_der(&key.to_pkcs8_der().unwrap()).unwrap();
    assert_eq!(again.public_jwk(), key.public_jwk());
    let signature = Signer::sign(key, b"message").unwrap();
    key.public_jwk().verify(b"message", &signature).unwrap();
}

// As far as this build makes them, RSA too, which the libraries only sign with.
#[test]
fn each_kind_is_made_with_each_library() {
    for provider in &providers() {
        for key_type in KeyType::ALL {
            let by_itself = PrivateKey::generate(*key_type);
            let made = ProviderSigner::generate(provider, *key_type);
            assert_eq!(made.is_ok(), by_itself.is_ok(), "{key_type}");
            let Ok((key, signer)) = made else { continue };
            assert_eq!(key.public_jwk(), Signer::public_jwk(&signer));
            for message in [&b""[..], b"message"] {
                let signature = Signer::sign(&signer, message).unwrap();
                key.public_jwk().verify(message, &signature).unwrap();
            }
        }
    }
}

#[test]
fn no_key_is_made_twice() {
    for provider in &providers() {
        let make = || ProviderSigner::generate(provider, KeyType::EcdsaP256);
        let (one, two) = (make().unwrap().0, make().unwrap().0);
        assert_ne!(one.thumbprint(), two.thumbprint());
    }
}

fn client_of(world: &World, library: Option<Arc<dyn Cryptography>>) -> Client {
    let client = Client::builder(world.ca.directory_url(), hyper(&world.ca));
    client.cryptography(library).build().unwrap()
}

#[tokio::test]
async fn a_request_is_made_with_the_clients_library_and_issued() {
    let world = World::new().await;
    let [aws, ring] = providers().map(|it| Some(Arc::new(it) as Arc<dyn Cryptography>));
    for library in [aws, ring, None] {
        let client = client_of(&world, library);
        let authority = AcmeAuthority::builder(client, new_key())
            .agree_to_terms_of_service(true)
            .build();
        // Behind a pointer, as an engine holds it.
        let authority: Arc<dyn CertificateAuthority> = Arc::new(authority);
        let request = authority.certificate_request(&names(&["a.example"]), KeyType::EcdsaP256);
        let request = request.unwrap().responder(world.responder.clone());
        check(&request);
        let issued = within(authority.obtain(&request)).await.unwrap();
        let key: &PrivateKey = &issued.key.unwrap();
        issued.chain.check_key(key.public_jwk()).unwrap();
    }
}

/// A library that signs with another key than the one it hands out.
#[derive(Debug)]
struct Mistaken;

impl Cryptography for Mistaken {
    fn signer(&self, _: &PrivateKey) -> Option<Arc<dyn AsyncSigner>> {
        None
    }

    fn generate(&self, key_type: KeyType) -> Option<(PrivateKey, Box<dyn Signer>)> {
        let make = || PrivateKey::generate(key_type).unwrap();
        Some((make(), Box::new(make())))
    }

    fn verification_algorithms(&self) -> &[&dyn SignatureVerificationAlgorithm] {
        &[]
    }
}

#[tokio::test]
async fn a_library_that_mixes_keys_up_is_done_without() {
    let world = World::new().await;
    let client = client_of(&world, Some(Arc::new(Mistaken)));
    let request = client.certificate_request(&names(&["a.example"]), KeyType::EcdsaP256);
    check(&request.unwrap());
}

#[tokio::test]
async fn no_names_are_no_request() {
    let world = World::new().await;
    let [aws, _] = providers();
    for library in [Some(Arc::new(aws) as Arc<dyn Cryptography>), None] {
        let client = client_of(&world, library);
        let error = client.certificate_request(&[], KeyType::EcdsaP256);
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request);
        let cause = error.source().map(ToString::to_string);
        assert!(cause.is_some_and(|it| it.contains("at least one name")));
    }
    assert_eq!(world.asked(), []);
}
