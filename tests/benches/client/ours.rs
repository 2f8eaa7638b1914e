//! acme-client with its defaults, and without the cryptography of the TLS library.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use acme_client::messages::jose::{BoxFuture, KeyType, PrivateKey};
use acme_client::messages::{ChallengeType, NewAccount, ServerName};
use acme_client::responders::{ChallengeContext, Responder, ResponderError};
use acme_client::{Account, HyperTransport};
use rustls::crypto::aws_lc_rs;

use crate::Failure;
use crate::issuer::Issued;

#[derive(Debug)]
pub(crate) struct Client {
    account: Account,
    responder: Arc<AskedAtOnce>,
}

impl Client {
    pub(crate) async fn new(
        directory: &str,
        root: &Path,
        by_themselves: bool,
    ) -> Result<Self, Failure> {
        let transport = HyperTransport::builder()
            .crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .only_roots_pem(&fs::read(root)?)?
            .build()?;
        let mut client = acme_client::Client::builder(directory, transport);
        if by_themselves {
            client = client.cryptography(None);
        }
        let mut new = NewAccount::default();
        new.terms_of_service_agreed = true;
        let key = Arc::new(PrivateKey::generate(KeyType::EcdsaP256)?);
        Ok(Self {
            account: client.build()?.new_account(key, &new).await?.account,
            responder: Arc::new(AskedAtOnce),
        })
    }

    pub(crate) async fn issue(&self, names: &[String]) -> Result<Issued, Failure> {
        let names = names.iter().map(|it| it.parse());
        let names: Vec<ServerName> = names.collect::<Result<_, _>>()?;
        let client = self.account.client();
        let request = client.certificate_request(&names, KeyType::EcdsaP256)?;
        let request = request.responder(self.responder.clone());
        let issued = self.account.obtain(&request).await?;
        let key = issued.key.ok_or("the key did not come back")?;
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
