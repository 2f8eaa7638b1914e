//! What a certificate is wanted for, and how its names are proved.

use std::{sync::Arc, time::Duration};

use acme_messages::{
    CertificateId, CertificateSigningRequest, ChainPreference, CsrError, NewOrder, ServerName,
    Timestamp,
    jose::{KeyType, PrivateKey, Signer},
};
use acme_responders::Responder;

use crate::{Client, Cryptography, Error, ErrorKind, Operation, OrderJournal};

/// What a certificate is wanted for, and how its names are proved.
///
/// ```
/// use std::sync::Arc;
/// use acme_client::{CertificateRequest, messages::{ServerName, jose}, responders::Responder};
///
/// # fn example(responder: Arc<dyn Responder>) -> Result<(), Box<dyn std::error::Error>> {
/// let key = jose::PrivateKey::generate(jose::KeyType::EcdsaP256)?;
/// let names: Vec<ServerName> = vec!["example.com".parse()?];
/// let request = CertificateRequest::for_names(&names, &key)?.responder(responder);
/// assert_eq!(request.names(), names);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    csr: CertificateSigningRequest,
    key: Option<Arc<PrivateKey>>,
    responders: Vec<Arc<dyn Responder>>,
    profile: Option<String>,
    replaces: Option<Replaced>,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    preference: ChainPreference,
    all_chains: bool,
    journal: Option<Arc<dyn OrderJournal>>,
    resume: Option<String>,
    deadline: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Replaced {
    id: CertificateId,
    account_url: Option<String>,
}

impl Client {
    /// A request for these names with a new key, which comes back with the certificate: made, and
    /// signed, by the TLS library where there is one ([`Cryptography`]).
    ///
    /// ```
    /// # #[cfg(feature = "hyper")] {
    /// use std::sync::Arc;
    /// use acme_client::{Client, HyperTransport, messages::{ServerName, jose::KeyType}};
    ///
    /// # let provider = Arc::new(rustls::crypto::ring::default_provider());
    /// let transport = HyperTransport::builder().crypto_provider(provider).build()?;
    /// let client = Client::builder("https://ca.example/directory", transport).build()?;
    /// let names: Vec<ServerName> = vec!["example.com".parse()?, "192.0.2.1".parse()?];
    /// let request = client.certificate_request(&names, KeyType::EcdsaP256)?;
    /// assert_eq!(request.names(), names);
    /// assert!(request.key().is_some());
    /// # }
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::Request`] when there are no names, or no key can be made.
    pub fn certificate_request(
        &self,
        names: &[ServerName],
        key_type: KeyType,
    ) -> Result<CertificateRequest, Error> {
        CertificateRequest::generate_by(self.cryptography(), names, key_type)
    }
}

impl CertificateRequest {
    /// A request for these names with a new key, which comes back with the certificate.
    ///
    /// [`Client::certificate_request`](crate::Client::certificate_request) does the same in
    /// less time.
    ///
    /// ```
    /// use acme_client::{CertificateRequest, messages::{ServerName, jose::KeyType}};
    ///
    /// let names: Vec<ServerName> = vec!["example.com".parse()?, "192.0.2.1".parse()?];
    /// let request = CertificateRequest::generate(&names, KeyType::EcdsaP256)?;
    /// assert!(request.key().is_some());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::Request`] when there are no names, or no key can be made.
    pub fn generate(names: &[ServerName], key_type: KeyType) -> Result<Self, Error> {
        Self::generate_by(None, names, key_type)
    }

    fn generate_by(
        library: Option<&dyn Cryptography>,
        names: &[ServerName],
        key_type: KeyType,
    ) -> Result<Self, Error> {
        let fail = || Error::new(ErrorKind::Request, Operation::NewOrder);
        let made = library.and_then(|it| it.generate(key_type));
        // What another key signed would be of no use to this one.
        let made = made.filter(|(key, signer)| signer.public_jwk() == key.public_jwk());
        let (key, request) = match made {
            Some((key, signer)) => (key, Self::for_names(names, &*signer)),
            None => {
                let key = PrivateKey::generate(key_type);
                let key = key.map_err(|error| fail().with_source(error))?;
                let request = Self::for_names(names, &key);
                (key, request)
            }
        };
        let mut request = request.map_err(|error| fail().with_source(error))?;
        request.key = Some(Arc::new(key));
        Ok(request)
    }

    /// A request for these names with a key that is kept, and comes back with the certificate.
    ///
    /// # Errors
    /// - As [`for_names`](Self::for_names).
    pub fn with_key(names: &[ServerName], key: Arc<PrivateKey>) -> Result<Self, CsrError> {
        let mut request = Self::for_names(names, &*key)?;
        request.key = Some(key);
        Ok(request)
    }

    /// A request for these names with this key: no subject, the names as alternative names.
    ///
    /// # Errors
    /// - [`CsrError`] when there are no names, or the key cannot sign.
    pub fn for_names(names: &[ServerName], key: &(impl Signer + ?Sized)) -> Result<Self, CsrError> {
        CertificateSigningRequest::for_names(names, key).map(Self::for_csr)
    }

    /// A request with the caller's own signing request.
    #[must_use]
    pub const fn for_csr(csr: CertificateSigningRequest) -> Self {
        Self {
            csr,
            key: None,
            responders: Vec::new(),
            profile: None,
            replaces: None,
            not_before: None,
            not_after: None,
            preference: ChainPreference::Default,
            all_chains: false,
            journal: None,
            resume: None,
            deadline: None,
        }
    }

    /// Adds a way to prove a name. The first one whose type the CA offers is taken.
    #[must_use]
    pub fn responder(mut self, responder: Arc<dyn Responder>) -> Self {
        self.responders.push(responder);
        self
    }

    /// Asks for a profile of the CA's; one that it does not offer is an error before anything is
    /// ordered.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    /// Says which certificate this one is to replace ([RFC 9773, section 5]); only for the CA
    /// and the account that issued it.
    ///
    /// It is said only to a CA that has renewal information, and left out when the CA
    /// refuses the order with it.
    ///
    /// [RFC 9773, section 5]: https://www.rfc-editor.org/rfc/rfc9773#section-5
    #[must_use]
    pub fn replaces(mut self, id: CertificateId) -> Self {
        self.replaces = Some(Replaced {
            id,
            account_url: None,
        });
        self
    }

    /// As [`replaces`](Self::replaces), of a certificate that was issued to the account of this
    /// URL: another account does not say it.
    #[must_use]
    pub fn replaces_issued_to(mut self, id: CertificateId, account_url: impl Into<String>) -> Self {
        self.replaces = Some(Replaced {
            id,
            account_url: Some(account_url.into()),
        });
        self
    }

    /// When the certificate should begin; several CAs refuse to be told.
    #[must_use]
    pub const fn not_before(mut self, moment: Timestamp) -> Self {
        self.not_before = Some(moment);
        self
    }

    /// When the certificate should end; several CAs refuse to be told.
    #[must_use]
    pub const fn not_after(mut self, moment: Timestamp) -> Self {
        self.not_after = Some(moment);
        self
    }

    /// Which of several chains to take; where none fits, it is the CA's default.
    ///
    /// Alternates are fetched only when the default is not the one.
    #[must_use]
    pub fn prefer_chain(mut self, preference: ChainPreference) -> Self {
        self.preference = preference;
        self
    }

    /// Whether to fetch all chains; no by default.
    #[must_use]
    pub const fn all_chains(mut self, all: bool) -> Self {
        self.all_chains = all;
        self
    }

    /// Where an order is written down as soon as it is placed; when that fails, the order is left.
    #[must_use]
    pub fn journal(mut self, journal: Arc<dyn OrderJournal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Takes up an order that was placed before, in whatever state it is; a new one is placed when
    /// it is of no use.
    ///
    /// The key, or the signing request, is to be that of the first time.
    #[must_use]
    pub fn resuming(mut self, order_url: impl Into<String>) -> Self {
        self.resume = Some(order_url.into());
        self
    }

    /// How long all of it may take, finding or making an account counted in; without one, each
    /// request and each wait for the CA has its limit, and a responder's start has its own.
    ///
    /// What is under way then is given up as if its future were dropped; an order that was written
    /// down can be taken up later.
    #[must_use]
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// The names the certificate is to be for.
    #[must_use]
    pub fn names(&self) -> &[ServerName] {
        self.csr.names()
    }

    /// The ways to prove a name, for those who implement a
    /// [`CertificateAuthority`](crate::CertificateAuthority).
    #[must_use]
    pub fn responders(&self) -> &[Arc<dyn Responder>] {
        &self.responders
    }

    /// The signing request.
    #[must_use]
    pub const fn csr(&self) -> &CertificateSigningRequest {
        &self.csr
    }

    /// The key, where the request has it.
    #[must_use]
    pub const fn key(&self) -> Option<&Arc<PrivateKey>> {
        self.key.as_ref()
    }

    /// The order to take up.
    #[must_use]
    pub fn order_to_resume(&self) -> Option<&str> {
        self.resume.as_deref()
    }

    /// Where orders are written down.
    #[must_use]
    pub fn order_journal(&self) -> Option<&dyn OrderJournal> {
        self.journal.as_deref()
    }

    /// How long all of it may take, for those who implement a
    /// [`CertificateAuthority`](crate::CertificateAuthority).
    #[must_use]
    pub const fn time_limit(&self) -> Option<Duration> {
        self.deadline
    }

    pub(crate) const fn chain_preference(&self) -> &ChainPreference {
        &self.preference
    }

    pub(crate) const fn wants_all_chains(&self) -> bool {
        self.all_chains
    }

    /// Whether the certificate is wanted for now, and not for later.
    pub(crate) const fn begins_now(&self) -> bool {
        self.not_before.is_none()
    }

    /// The order to place for an account, for those who implement a
    /// [`CertificateAuthority`](crate::CertificateAuthority).
    ///
    /// ```
    /// use acme_client::{CertificateRequest, messages::jose::KeyType};
    ///
    /// let names = ["example.com".parse()?];
    /// let request = CertificateRequest::generate(&names, KeyType::EcdsaP256)?.profile("short");
    /// let order = request.order("https://ca.example/account/1");
    /// assert_eq!(order.profile.as_deref(), Some("short"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn order(&self, account_url: &str) -> NewOrder {
        let mut order = NewOrder::new(self.names());
        order.profile.clone_from(&self.profile);
        order.not_before = self.not_before;
        order.not_after = self.not_after;
        let is_ours = |it: &&Replaced| it.account_url.as_ref().is_none_or(|it| it == account_url);
        let replaced = self.replaces.as_ref().filter(is_ours);
        order.replaces = replaced.map(|it| it.id.to_string());
        order
    }
}
