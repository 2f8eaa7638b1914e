//! A responder that puts its values into a [`TestDns`](super::TestDns).

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use acme_messages::{ChallengeType, ServerName, dns_account, jose::BoxFuture};
use acme_responders::{ChallengeContext, Responder, ResponderError};

use super::{DnsRecord, Name, handle::Shared, record};

/// Answers dns-01, or dns-account-01, at a [`TestDns`](super::TestDns).
///
/// Its TXT record goes where the name leads: to the end of the aliases that the server has.
/// Records of others at the same name stay: a name and its wildcard are proved side by side.
///
/// ```
/// use acme_testing::{TestDns, messages, responders};
/// use messages::{ChallengeType, KeyAuthorization, Token};
/// use responders::{ChallengeContext, Responder};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let dns = TestDns::start().await?;
/// let responder = dns.responder();
///
/// let key = messages::jose::PrivateKey::generate(messages::jose::KeyType::EcdsaP256)?;
/// let token = Token::parse("abc")?;
/// let answer = KeyAuthorization::new(&token, &key.thumbprint());
/// let name = "example.com".parse()?;
/// let challenge = ChallengeContext::new(name, ChallengeType::Dns01, token, answer.clone())
///     .wildcard(true);
/// responder.start(&challenge).await?;
/// assert_eq!(dns.txt("_acme-challenge.example.com"), [answer.dns_txt_value()]);
/// responder.stop(&challenge).await?;
/// assert!(dns.txt("_acme-challenge.example.com").is_empty());
/// # Ok(())
/// # }
/// ```
pub struct DnsResponder {
    shared: Arc<Shared>,
    account: Option<String>,
    /// The records that stand, each with how often its name was answered for before.
    standing: Mutex<HashMap<(Name, String), u64>>,
}

impl DnsResponder {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            account: None,
            standing: Mutex::default(),
        }
    }

    /// Answers dns-account-01 instead, for the account with this URL
    /// ([draft-ietf-acme-dns-account-label]).
    ///
    /// [draft-ietf-acme-dns-account-label]: https://datatracker.ietf.org/doc/draft-ietf-acme-dns-account-label/
    #[must_use]
    pub fn for_account(mut self, account_url: impl Into<String>) -> Self {
        self.account = Some(account_url.into());
        self
    }

    /// Where the record of a challenge belongs, and what it says.
    fn place(&self, challenge: &ChallengeContext) -> Result<(Name, String), ResponderError> {
        let ServerName::Dns(domain) = challenge.name() else {
            return Err(ResponderError::new("an address cannot be proved by DNS"));
        };
        let owner = match &self.account {
            Some(account) => dns_account::record_name(account, domain),
            None => format!("_acme-challenge.{}", domain.base()),
        };
        let owner = record::name(&owner).map_err(ResponderError::new)?;
        let owner = self.shared.zone().canonical(&owner);
        Ok((owner, challenge.key_authorization().dns_txt_value()))
    }

    fn standing(&self) -> MutexGuard<'_, HashMap<(Name, String), u64>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, challenge: &ChallengeContext) -> Result<(), ResponderError> {
        let place = self.place(challenge)?;
        let data = DnsRecord::txt(&place.1)
            .to_data()
            .map_err(ResponderError::new)?;
        let before = self.shared.answers(&place.0);
        self.standing().entry(place.clone()).or_insert(before);
        self.shared.change(|zone| zone.add(place.0, data));
        Ok(())
    }

    fn unset(&self, challenge: &ChallengeContext) -> Result<(), ResponderError> {
        let place = self.place(challenge)?;
        let data = DnsRecord::txt(&place.1)
            .to_data()
            .map_err(ResponderError::new)?;
        self.standing().remove(&place);
        self.shared.change(|zone| zone.remove(&place.0, &data));
        Ok(())
    }
}

impl Responder for DnsResponder {
    fn challenge_type(&self) -> ChallengeType {
        match self.account {
            Some(_) => ChallengeType::DnsAccount01,
            None => ChallengeType::Dns01,
        }
    }

    fn start<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(async { self.set(challenge) })
    }

    fn stop<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(async { self.unset(challenge) })
    }

    fn asked<'a>(&'a self, challenge: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let Ok(place) = self.place(challenge) else {
                return std::future::pending().await;
            };
            let mut changes = self.shared.changes();
            loop {
                let before = self.standing().get(&place).copied();
                if before.is_some_and(|it| self.shared.answers(&place.0) > it) {
                    return;
                }
                // The server's half never goes before this one does.
                let _ = changes.changed().await;
            }
        })
    }
}

impl fmt::Debug for DnsResponder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsResponder")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}
