//! instant-acme, as its own example uses it.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{
    Account, AccountBuilder, ChallengeType, Identifier, NewAccount, NewOrder, OrderStatus,
    RetryPolicy,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

use crate::Failure;
use crate::issuer::Issued;

/// How often the tuned one looks at what the CA works on; it doubles this by itself.
const LOOK: Duration = Duration::from_millis(5);

pub(crate) struct Client {
    account: Account,
    retries: RetryPolicy,
}

impl Client {
    /// As it comes.
    pub(crate) async fn default(directory: &str, root: &Path) -> Result<Self, Failure> {
        // It takes the process's provider, and this program has two to choose from.
        let _ = aws_lc_rs::default_provider().install_default();
        let builder = Account::builder_with_root(root)?;
        Self::with(builder, directory, RetryPolicy::default()).await
    }

    /// As fast as its settings allow.
    pub(crate) async fn tuned(directory: &str, root: &Path) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&fs::read(root)?)?)?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(https);
        let builder = Account::builder_with_http(Box::new(http));
        let retries = RetryPolicy::new().initial_delay(LOOK);
        Self::with(builder, directory, retries).await
    }

    async fn with(
        builder: AccountBuilder,
        directory: &str,
        retries: RetryPolicy,
    ) -> Result<Self, Failure> {
        let new = NewAccount {
            contact: &[],
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let (account, _) = builder.create(&new, directory.to_owned(), None).await?;
        Ok(Self { account, retries })
    }

    pub(crate) async fn issue(&self, names: &[String]) -> Result<Issued, Failure> {
        let names: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
        let mut order = self.account.new_order(&NewOrder::new(&names)).await?;
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            let mut challenge = authorization
                .challenge(ChallengeType::Http01)
                .ok_or("no http-01 is on offer")?;
            challenge.set_ready().await?;
        }
        let status = order.poll_ready(&self.retries).await?;
        if status != OrderStatus::Ready {
            return Err(format!("the order is {status:?}").into());
        }
        Ok(Issued {
            key: order.finalize().await?,
            chain: order.poll_certificate(&self.retries).await?,
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
