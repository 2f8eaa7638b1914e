//! acme-client with its defaults, and with the mathematics of the TLS library.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use acme_client::messages::jose::{
    BoxFuture, Jwk, KeyType, PrivateKey, SignError, Signer, SigningAlgorithm,
};
use acme_client::messages::{ChallengeType, NewAccount, ServerName};
use acme_client::responders::{ChallengeContext, Responder, ResponderError};
use acme_client::{Account, CertificateRequest, HyperTransport};
use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::SigningKey;

use crate::Failure;
use crate::issuer::Issued;

#[derive(Debug)]
pub(crate) struct Client {
    account: Account,
    responder: Arc<AskedAtOnce>,
    /// Whether the TLS library signs.
    by_provider: bool,
}

impl Client {
    pub(crate) async fn new(
        directory: &str,
        root: &Path,
        by_provider: bool,
    ) -> Result<Self, Failure> {
        let transport = HyperTransport::builder()
            .crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .only_roots_pem(&fs::read(root)?)?
            .build()?;
        let client = acme_client::Client::builder(directory, transport).build()?;
        let mut new = NewAccount::default();
        new.terms_of_service_agreed = true;
        let key = PrivateKey::generate(KeyType::EcdsaP256)?;
        let registered = match by_provider {
            true => client.new_account(Arc::new(ProviderKey::new(&key)?), &new),
            false => client.new_account(Arc::new(key), &new),
        };
        Ok(Self {
            account: registered.await?.account,
            responder: Arc::new(AskedAtOnce),
            by_provider,
        })
    }

    pub(crate) async fn issue(&self, names: &[String]) -> Result<Issued, Failure> {
        let names = names.iter().map(|it| it.parse());
        let names: Vec<ServerName> = names.collect::<Result<_, _>>()?;
        let key = PrivateKey::generate(KeyType::EcdsaP256)?;
        let request = match self.by_provider {
            true => CertificateRequest::for_names(&names, &ProviderKey::new(&key)?)?,
            false => CertificateRequest::for_names(&names, &key)?,
        };
        let request = request.responder(self.responder.clone());
        let issued = self.account.obtain(&request).await?;
        Ok(Issued {
            key: key.to_pkcs8_pem()?.to_string(),
            chain: issued.chain.to_pem(),
        })
    }
}

/// Does nothing, for a CA that finds every challenge met at once and asks nobody: what a real
/// responder would have seen by then is taken as seen.
#[derive(Debug)]
struct AskedAtOnce;

impl Responder for AskedAtOnce {
    fn challenge_type(&self) -> ChallengeType {
        ChallengeType::Http01
    }

    fn start<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn stop<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn asked<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// A P-256 key that the TLS library's provider signs with.
#[derive(Debug)]
struct ProviderKey {
    public: Jwk,
    key: Arc<dyn SigningKey>,
}

impl ProviderKey {
    fn new(key: &PrivateKey) -> Result<Self, Failure> {
        let der = PrivatePkcs8KeyDer::from(key.to_pkcs8_der()?.to_vec());
        let loader = aws_lc_rs::default_provider().key_provider;
        Ok(Self {
            public: key.public_jwk().clone(),
            key: loader.load_private_key(der.into())?,
        })
    }
}

impl Signer for ProviderKey {
    fn algorithm(&self) -> SigningAlgorithm {
        SigningAlgorithm::Es256
    }

    fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signer = self
            .key
            .choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256])
            .ok_or_else(|| SignError::new("the provider has no ES256"))?;
        let der = signer.sign(message).map_err(SignError::new)?;
        let signature = p256::ecdsa::Signature::from_der(&der).map_err(SignError::new)?;
        Ok(signature.to_bytes().to_vec())
    }
}
