//! acme-client with its defaults, and with the mathematics of the TLS library.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use acme_client::messages::jose::{BoxFuture, KeyType, PrivateKey};
use acme_client::messages::{ChallengeType, NewAccount, ServerName};
use acme_client::responders::{ChallengeContext, Responder, ResponderError};
use acme_client::{Account, CertificateRequest, HyperTransport, ProviderSigner};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use crate::Failure;
use crate::issuer::Issued;

#[derive(Debug)]
pub(crate) struct Client {
    account: Account,
    responder: Arc<AskedAtOnce>,
    /// The TLS library, where that signs.
    signs: Option<Arc<CryptoProvider>>,
}

impl Client {
    pub(crate) async fn new(
        directory: &str,
        root: &Path,
        by_provider: bool,
    ) -> Result<Self, Failure> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let transport = HyperTransport::builder()
            .crypto_provider(provider.clone())
            .only_roots_pem(&fs::read(root)?)?
            .build()?;
        let client = acme_client::Client::builder(directory, transport).build()?;
        let mut new = NewAccount::default();
        new.terms_of_service_agreed = true;
        let key = PrivateKey::generate(KeyType::EcdsaP256)?;
        let registered = match by_provider {
            true => client.new_account(Arc::new(ProviderSigner::new(&provider, &key)?), &new),
            false => client.new_account(Arc::new(key), &new),
        };
        Ok(Self {
            account: registered.await?.account,
            responder: Arc::new(AskedAtOnce),
            signs: by_provider.then_some(provider),
        })
    }

    pub(crate) async fn issue(&self, names: &[String]) -> Result<Issued, Failure> {
        let names = names.iter().map(|it| it.parse());
        let names: Vec<ServerName> = names.collect::<Result<_, _>>()?;
        let key = PrivateKey::generate(KeyType::EcdsaP256)?;
        let request = match &self.signs {
            Some(provider) => {
                CertificateRequest::for_names(&names, &ProviderSigner::new(provider, &key)?)?
            }
            None => CertificateRequest::for_names(&names, &key)?,
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
