//! The responders of an order: started, and stopped on every way out.

use std::{sync::Arc, time::Duration};

use acme_client::{CertificateRequest, Error, ErrorKind, Operation};
use acme_messages::{
    ChallengeType, Clock, KeyAuthorization, ServerName, Token,
    jose::{KeyType, PrivateKey, base64url},
};
use acme_responders::{ChallengeContext, Responder};

use crate::{PkiError, pki::random};

/// How long the taking down of an answer is waited for, by the CA's clock; it goes on behind.
const STOP_WAIT: Duration = Duration::from_secs(30);

/// Gives out challenges, and takes each for met whose responder has started.
pub(super) struct Challenger {
    account: PrivateKey,
    offered: Option<Vec<ChallengeType>>,
    wait_until_asked: bool,
}

impl Challenger {
    /// The length of a token, in random bytes.
    const TOKEN_LENGTH: usize = 32;

    pub(super) fn new(
        offered: Option<Vec<ChallengeType>>,
        wait_until_asked: bool,
    ) -> Result<Self, PkiError> {
        let account =
            PrivateKey::generate(KeyType::EcdsaP256).map_err(|_| PkiError::NoRandomness)?;
        Ok(Self {
            account,
            offered,
            wait_until_asked,
        })
    }

    /// Starts a responder for each name; who drops what comes back stops them.
    pub(super) async fn prove(&self, request: &CertificateRequest) -> Result<Vec<Proof>, Error> {
        let mut proofs = Vec::new();
        for name in request.names() {
            let responder = self.choose(name, request.responders())?;
            let context = self.context(name, responder.challenge_type())?;
            proofs.push(Proof::start(responder, context).await?);
        }
        if self.wait_until_asked {
            for proof in &proofs {
                proof.responder.asked(&proof.context).await;
            }
        }
        Ok(proofs)
    }

    /// The first responder, in the caller's order, whose type is on offer for a name.
    fn choose(
        &self,
        name: &ServerName,
        responders: &[Arc<dyn Responder>],
    ) -> Result<Arc<dyn Responder>, Error> {
        let mut fitting = responders.iter();
        let found = fitting.find(|it| self.offers(&it.challenge_type(), name));
        found.cloned().ok_or_else(|| {
            Error::new(ErrorKind::NoSupportedChallenge, Operation::Authorization)
                .with_detail(format!("no responder for {name}"))
        })
    }

    fn offers(&self, kind: &ChallengeType, name: &ServerName) -> bool {
        let Some(offered) = &self.offered else {
            return true;
        };
        let by_dns = !matches!(kind, ChallengeType::Http01 | ChallengeType::TlsAlpn01);
        offered.contains(kind) && (by_dns || !name.is_wildcard())
    }

    fn context(&self, name: &ServerName, kind: ChallengeType) -> Result<ChallengeContext, Error> {
        let bad = |cause: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::BadResponse, Operation::Authorization).with_source(cause)
        };
        let token = random::<{ Self::TOKEN_LENGTH }>().map_err(|error| bad(error.into()))?;
        let token = Token::parse(&base64url::encode(token)).map_err(|error| bad(error.into()))?;
        let base = match name {
            ServerName::Dns(dns) => dns.base().parse().map_err(|error| bad(Box::new(error)))?,
            ServerName::Ip(_) => name.clone(),
        };
        let answer = KeyAuthorization::new(&token, &self.account.thumbprint());
        Ok(ChallengeContext::new(base, kind, token, answer).wildcard(name.is_wildcard()))
    }
}

/// A responder that answers, until this is let go of.
pub(super) struct Proof {
    responder: Arc<dyn Responder>,
    context: Arc<ChallengeContext>,
    up: bool,
}

impl Proof {
    /// A start that fails, or is cancelled, is stopped too.
    async fn start(
        responder: Arc<dyn Responder>,
        context: ChallengeContext,
    ) -> Result<Self, Error> {
        let proof = Self {
            responder,
            context: Arc::new(context),
            up: true,
        };
        let started = proof.responder.start(&proof.context).await;
        started.map_err(|error| {
            let context = &proof.context;
            Error::new(ErrorKind::Responder, Operation::Challenge)
                .with_detail(format!(
                    "{} for {}",
                    context.challenge_type(),
                    context.name()
                ))
                .with_source(error)
        })?;
        Ok(proof)
    }

    /// Stops, and waits for it within reason.
    pub(super) async fn stop(mut self, clock: &dyn Clock) {
        let limit = async { clock.sleep(STOP_WAIT).await };
        tokio::select! {
            biased;
            // That it could not be stopped does not spoil a certificate.
            _ = self.responder.stop(&self.context) => self.up = false,
            () = limit => {} // The drop starts it anew.
        }
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        if !self.up {
            return;
        }
        let (responder, context) = (self.responder.clone(), self.context.clone());
        // Dropped by cancellation, so there is a runtime unless it is ending itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // There is nobody left to tell.
                let _ = responder.stop(&context).await;
            });
        }
    }
}
