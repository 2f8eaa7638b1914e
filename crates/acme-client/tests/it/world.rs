//! A CA that knocks at a real http-01 responder, and a client that asks it.

use std::{sync::Arc, time::Duration};

use acme_client::{
    Account, AcmeAuthority, AcmeAuthorityBuilder, CertificateRequest, Client, Error,
    HyperTransport, IssuedCertificate,
    messages::{
        ChallengeType, NewAccount, ServerName,
        jose::{KeyType, PrivateKey},
    },
};
use acme_responders::Http01Responder;
use acme_testing::{Operation, RecordingResponder, TestCa, TestCaBuilder};
use rustls::crypto::CryptoProvider;
use tokio::net::TcpListener;

use crate::{clock::QuickClock, transport::Meddler};

/// How long a test may take when something hangs: a net, not a wait.
const SAFETY_NET: Duration = Duration::from_secs(60);

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub(crate) fn builder() -> TestCaBuilder {
    TestCa::builder().crypto_provider(provider())
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) ca: TestCa,
    pub(crate) transport: Meddler,
    pub(crate) client: Client,
    pub(crate) clock: QuickClock,
    pub(crate) responder: Arc<RecordingResponder>,
    pub(crate) account_key: Arc<PrivateKey>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(builder()).await
    }

    pub(crate) async fn with(builder: TestCaBuilder) -> Self {
        let responder = Http01Responder::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serve = responder.clone();
        tokio::spawn(async move { serve.serve(listener).await });
        let ca = builder.http_01_port(port).start().await.unwrap();
        let transport = Meddler::over(hyper(&ca));
        let clock = QuickClock::default();
        let client = Client::builder(ca.directory_url(), transport.clone())
            .clock(Arc::new(clock.clone()))
            .build()
            .unwrap();
        Self {
            ca,
            transport,
            client,
            clock,
            responder: Arc::new(RecordingResponder::over(responder)),
            account_key: Arc::new(PrivateKey::generate(KeyType::EcdsaP256).unwrap()),
        }
    }

    pub(crate) fn authority(&self) -> AcmeAuthority {
        self.authority_builder().build()
    }

    pub(crate) fn authority_builder(&self) -> AcmeAuthorityBuilder {
        AcmeAuthority::builder(self.client.clone(), self.account_key.clone())
            .agree_to_terms_of_service(true)
    }

    /// An account, and no requests counted so far.
    pub(crate) async fn account(&self) -> Account {
        let made = self
            .client
            .new_account(self.account_key.clone(), &agreed())
            .await;
        self.ca.clear_requests();
        made.unwrap().account
    }

    pub(crate) fn request(&self, names: &[&str]) -> CertificateRequest {
        request(names).responder(self.responder.clone())
    }

    pub(crate) async fn obtain(&self, names: &[&str]) -> Result<IssuedCertificate, Error> {
        let account = self.account().await;
        within(account.obtain(&self.request(names))).await
    }

    /// What the CA was asked since it was last forgotten.
    pub(crate) fn asked(&self) -> Vec<Operation> {
        self.ca.requests().iter().map(|it| it.operation).collect()
    }

    pub(crate) fn asked_for(&self, operation: Operation) -> usize {
        self.asked().iter().filter(|it| **it == operation).count()
    }

    /// The tokens that were answered for, or were to be.
    pub(crate) fn tokens(&self) -> Vec<String> {
        let calls = self.responder.calls();
        calls
            .iter()
            .map(|it| match it {
                acme_testing::ResponderCall::Start(it) | acme_testing::ResponderCall::Stop(it) => {
                    it.token().as_str().to_owned()
                }
                _ => String::new(),
            })
            .collect()
    }
}

/// A new account that agrees to the terms.
pub(crate) fn agreed() -> NewAccount {
    let mut new = NewAccount::default();
    new.terms_of_service_agreed = true;
    new
}

pub(crate) fn new_key() -> Arc<PrivateKey> {
    Arc::new(PrivateKey::generate(KeyType::EcdsaP256).unwrap())
}

pub(crate) fn hyper(ca: &TestCa) -> HyperTransport {
    HyperTransport::builder()
        .crypto_provider(provider())
        .only_roots_pem(ca.https_root_pem().as_bytes())
        .unwrap()
        .build()
        .unwrap()
}

pub(crate) fn names(names: &[&str]) -> Vec<ServerName> {
    names.iter().map(|it| it.parse().unwrap()).collect()
}

pub(crate) fn request(texts: &[&str]) -> CertificateRequest {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    CertificateRequest::for_names(&names(texts), &key).unwrap()
}

pub(crate) fn http_01() -> ChallengeType {
    ChallengeType::Http01
}

/// Waits for something, but not for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SAFETY_NET, future)
        .await
        .expect("nothing hangs")
}

pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    within(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
