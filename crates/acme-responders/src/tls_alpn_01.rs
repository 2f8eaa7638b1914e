//! tls-alpn-01: a certificate shown in a TLS handshake ([RFC 8737]).
//!
//! [RFC 8737]: https://www.rfc-editor.org/rfc/rfc8737

mod certificate;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use acme_messages::{
    ChallengeType, KeyAuthorization, Token, jose::BoxFuture, tls_alpn::ACME_TLS_1,
};
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::sync::watch;

use crate::{ChallengeContext, Responder, ResponderError};

pub use certificate::{ChallengeCertificate, ChallengeCertificateError, challenge_certificate};

/// Answers tls-alpn-01 challenges; clones share their answers ([RFC 8737, section 3](https://www.rfc-editor.org/rfc/rfc8737#section-3)).
///
/// It brings a [`ServerConfig`] of its own, for connections whose client
/// offers exactly `acme-tls/1` ([`is_challenge`](Self::is_challenge)).
/// Everyone else is served with the application's configuration, so that no
/// visitor sees a challenge certificate and no CA needs a client certificate.
#[doc(alias = "TLSSNI01Responder")]
#[derive(Clone)]
pub struct TlsAlpn01Responder {
    answers: Answers,
    provider: Arc<CryptoProvider>,
    config: Arc<ServerConfig>,
}

impl TlsAlpn01Responder {
    /// A responder that answers nothing yet.
    ///
    /// # Errors
    /// - [`rustls::Error`] when the provider supports neither TLS 1.2 nor 1.3.
    pub fn new(provider: Arc<CryptoProvider>) -> Result<Self, rustls::Error> {
        let answers = Answers::default();
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(answers.clone()));
        config.alpn_protocols = vec![ACME_TLS_1.to_vec()];
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self {
            answers,
            provider,
            config: Arc::new(config),
        })
    }

    /// Whether a client asks for a challenge: it offers `acme-tls/1` and nothing else
    /// ([RFC 8737, section 4](https://www.rfc-editor.org/rfc/rfc8737#section-4)).
    #[must_use]
    pub fn is_challenge(hello: &ClientHello<'_>) -> bool {
        hello.alpn().is_some_and(|offered| offered.eq([ACME_TLS_1]))
    }

    /// The configuration for such a client.
    ///
    /// The connection is to be closed after the handshake: no application data follows.
    #[must_use]
    pub fn server_config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }
}

impl Responder for TlsAlpn01Responder {
    fn challenge_type(&self) -> ChallengeType {
        ChallengeType::TlsAlpn01
    }

    fn start<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(async move {
            if self.answers.holds(challenge) {
                return Ok(());
            }
            let certificate =
                challenge_certificate(challenge.name(), challenge.key_authorization())
                    .map_err(ResponderError::new)?;
            let key = certificate
                .into_certified_key(&self.provider)
                .map_err(ResponderError::new)?;
            self.answers.insert(challenge, key);
            Ok(())
        })
    }

    fn stop<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        self.answers
            .remove(&challenge.name().validation_sni(), challenge.token());
        Box::pin(std::future::ready(Ok(())))
    }

    fn asked<'a>(&'a self, challenge: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        let asked = self
            .answers
            .subscribe(&challenge.name().validation_sni(), challenge.token());
        crate::asked::wait(asked)
    }
}

impl fmt::Debug for TlsAlpn01Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsAlpn01Responder")
            .field("answers", &self.answers)
            .finish_non_exhaustive()
    }
}

/// The challenges under way by the server name that asks for them.
///
/// Two orders may prove one name at once; the one that started last is shown.
#[derive(Clone, Default)]
struct Answers(Arc<RwLock<HashMap<String, Vec<Answer>>>>);

struct Answer {
    token: Token,
    text: KeyAuthorization,
    key: Arc<CertifiedKey>,
    asked: watch::Sender<bool>,
}

impl Answer {
    fn is_for(&self, challenge: &ChallengeContext) -> bool {
        self.token == *challenge.token() && self.text == *challenge.key_authorization()
    }
}

impl Answers {
    fn holds(&self, challenge: &ChallengeContext) -> bool {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        names
            .get(&challenge.name().validation_sni())
            .is_some_and(|answers| answers.iter().any(|it| it.is_for(challenge)))
    }

    fn insert(&self, challenge: &ChallengeContext, key: CertifiedKey) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let answers = names.entry(challenge.name().validation_sni()).or_default();
        if answers.iter().all(|it| !it.is_for(challenge)) {
            // The same token under another account's key: that start is over.
            answers.retain(|it| it.token != *challenge.token());
            answers.push(Answer {
                token: challenge.token().clone(),
                text: challenge.key_authorization().clone(),
                key: Arc::new(key),
                asked: watch::Sender::new(false),
            });
        }
    }

    fn remove(&self, sni: &str, token: &Token) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(answers) = names.get_mut(sni) {
            answers.retain(|it| it.token != *token);
            if answers.is_empty() {
                names.remove(sni);
            }
        }
    }

    fn subscribe(&self, sni: &str, token: &Token) -> Option<watch::Receiver<bool>> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let answer = names.get(sni)?.iter().find(|it| it.token == *token)?;
        Some(answer.asked.subscribe())
    }
}

impl ResolvesServerCert for Answers {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // Also for applications that hand everyone this configuration: no visitor sees it.
        if !TlsAlpn01Responder::is_challenge(&hello) {
            return None;
        }
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let answer = names.get(hello.server_name()?)?.last()?;
        answer.asked.send_replace(true);
        Some(answer.key.clone())
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(names.keys()).finish()
    }
}
