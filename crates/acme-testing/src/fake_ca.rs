//! A CA without any network: it issues, as its test tells it.

mod builder;
mod fulfilment;
mod issuer;
mod proof;
mod script;

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use acme_client::{
    CertificateAuthority, CertificateRequest, Error, IssuedCertificate, RenewalAdvice,
};
use acme_messages::{
    CertificateChain, CertificateId, CertificateSigningRequest, Clock, ServerName,
    jose::{BoxFuture, KeyType, PrivateKey},
};
use rustls_pki_types::CertificateDer;
use tokio::sync::watch;

use crate::{CertificateValidity, IssuanceGate, PkiError};
use issuer::Issuer;
use proof::Challenger;
use script::Script;

pub use builder::FakeCaBuilder;
pub use script::{FakeOrder, FakeOutcome};

/// A [`CertificateAuthority`] that performs no network operations and issues
/// certificates signed by its own fake CA.
///
/// It starts and stops a request's responders as a real CA's client does, on
/// every way out, and takes each challenge for met whose responder has started:
/// what really validates is [`TestCa`](crate::TestCa). It writes orders into a request's
/// journal, and takes an order up again that was given up. The clock decides from
/// when to when its certificates are valid. What is to go wrong is said before:
/// [`answer_next`](Self::answer_next) and its like for one order,
/// [`script`](Self::script) for all of them.
///
/// Clones are one CA.
///
/// ```
/// use std::sync::Arc;
/// use acme_testing::{
///     FakeCa, ManualClock, NullResponder, client::{CertificateAuthority, CertificateRequest},
///     messages::{ChallengeType, jose}, valid_for_name,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = ManualClock::new("2026-11-23T00:00:00Z".parse()?);
/// let ca = FakeCa::new(clock)?;
///
/// let key = jose::PrivateKey::generate(jose::KeyType::EcdsaP256)?;
/// let responder = NullResponder::new(ChallengeType::Http01);
/// let request = CertificateRequest::for_names(&["example.com".parse()?], &key)?
///     .responder(Arc::new(responder));
/// let issued = ca.obtain(&request).await?;
///
/// assert!(valid_for_name(&issued.chain.as_der()[0], "example.com"));
/// assert_eq!(issued.chain.leaf().not_after, "2027-02-21T00:00:00Z".parse()?);
/// assert_eq!(ca.orders()[0].names, ["example.com".parse()?]);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "FakeClient")]
#[derive(Clone)]
pub struct FakeCa {
    shared: Arc<Shared>,
}

struct Shared {
    identity: String,
    clock: Arc<dyn Clock>,
    gate: IssuanceGate,
    issuer: Issuer,
    challenger: Challenger,
    pre_authorized: bool,
    poll_delay: Duration,
    state: Mutex<State>,
    traffic: watch::Sender<Traffic>,
}

struct State {
    lifetime: Duration,
    script: Script,
    renewal: Option<RenewalAdvice>,
    prepare_errors: VecDeque<Error>,
    renewal_errors: VecDeque<Error>,
    prepared: usize,
    orders: Vec<FakeOrder>,
    /// The orders that can be taken up again, and whom they are for.
    open: HashMap<String, Vec<ServerName>>,
    issued: Vec<CertificateChain>,
    renewal_queries: Vec<CertificateId>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    orders: usize,
    under_way: usize,
    most_at_once: usize,
}

impl FakeCa {
    /// The common name of the issuer.
    pub const COMMON_NAME: &'static str = "ACME Snake Oil CA";

    /// Who this is, unless the builder is told otherwise.
    pub const IDENTITY: &'static str = "https://fake-ca.example/directory";

    /// How long certificates live, unless told otherwise: 90 days from now on, and the
    /// [hour before](CertificateValidity::BACKDATE).
    pub const LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);

    /// How long the issuer lives from its making on.
    pub const ISSUER_LIFETIME: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

    /// A CA with its defaults, on a clock.
    ///
    /// # Errors
    /// - As [`FakeCaBuilder::build`].
    pub fn new(clock: impl Clock) -> Result<Self, PkiError> {
        Self::builder(clock).build()
    }

    /// Starts the settings of a CA on a clock.
    pub fn builder(clock: impl Clock) -> FakeCaBuilder {
        FakeCaBuilder::new(Arc::new(clock))
    }

    /// The gate that issuances pass once their names are proved.
    #[must_use]
    pub fn gate(&self) -> &IssuanceGate {
        &self.shared.gate
    }

    /// The issuer as PEM: what verifies the certificates.
    #[must_use]
    pub fn root_pem(&self) -> String {
        self.shared.issuer.root_pem()
    }

    /// The issuer as DER.
    #[must_use]
    pub fn root(&self) -> &CertificateDer<'static> {
        self.shared.issuer.root()
    }

    /// How long certificates live that are issued from now on.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.shared.lock().lifetime = lifetime;
    }

    /// What is said about the renewal of each certificate from now on; `None`, which is the
    /// default, is no opinion.
    ///
    /// ```
    /// use acme_testing::{FakeCa, ManualClock, client::{CertificateAuthority, RenewalAdvice}};
    /// use acme_testing::messages::{CertificateId, RenewalInfo, SuggestedWindow};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let ca = FakeCa::new(ManualClock::new("2026-11-23T00:00:00Z".parse()?))?;
    /// let window = SuggestedWindow {
    ///     start: "2027-01-21T00:00:00Z".parse()?,
    ///     end: "2027-01-23T00:00:00Z".parse()?,
    /// };
    /// ca.set_renewal_info(Some(RenewalAdvice::new(RenewalInfo::new(window), None)));
    /// let advice = ca.renewal_info(&CertificateId::new(b"key", b"serial")).await?;
    /// assert_eq!(advice.map(|it| it.info.suggested_window), Some(window));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_renewal_info(&self, advice: Option<RenewalAdvice>) {
        self.shared.lock().renewal = advice;
    }

    /// Fails the next call of `prepare`, or the next after those that already fail.
    pub fn fail_next_prepare(&self, error: Error) {
        self.shared.lock().prepare_errors.push_back(error);
    }

    /// Fails the next question about a renewal, or the next after those that already fail.
    pub fn fail_next_renewal_info(&self, error: Error) {
        self.shared.lock().renewal_errors.push_back(error);
    }

    /// Fails the next order: [`answer_next`](Self::answer_next) with [`FakeOutcome::Fail`].
    pub fn fail_next(&self, error: Error) {
        self.answer_next(FakeOutcome::Fail(error));
    }

    /// What becomes of the next order, or of the next one that has no outcome yet.
    ///
    /// ```
    /// use acme_testing::{FakeCa, FakeOutcome, ManualClock};
    /// use acme_testing::client::{CertificateAuthority, CertificateRequest, Error, ErrorKind, Operation};
    /// use acme_testing::messages::jose;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = ManualClock::new("2026-11-23T00:00:00Z".parse()?);
    /// let ca = FakeCa::builder(clock).pre_authorized(true).build()?;
    /// let key = jose::PrivateKey::generate(jose::KeyType::EcdsaP256)?;
    /// let request = CertificateRequest::for_names(&["example.com".parse()?], &key)?;
    ///
    /// let timeout = Error::new(ErrorKind::Timeout, Operation::NewOrder);
    /// ca.answer_next(FakeOutcome::Fail(timeout));
    /// assert_eq!(ca.obtain(&request).await.unwrap_err().kind(), ErrorKind::Timeout);
    /// ca.obtain(&request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn answer_next(&self, outcome: FakeOutcome) {
        self.shared.lock().script.next.push_back(outcome);
    }

    /// What becomes of the order with this number, counted from 1 since the CA was made.
    pub fn answer_call(&self, number: usize, outcome: FakeOutcome) {
        self.shared.lock().script.by_number.insert(number, outcome);
    }

    /// What becomes of the next order that has this name.
    pub fn answer_name(&self, name: ServerName, outcome: FakeOutcome) {
        self.shared.lock().script.by_name.push((name, outcome));
    }

    /// Decides from now on about each order that no other outcome was given for.
    ///
    /// ```
    /// use acme_testing::{FakeCa, FakeOutcome, ManualClock};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let ca = FakeCa::new(ManualClock::new("2026-11-23T00:00:00Z".parse()?))?;
    /// ca.script(|order| match order.names.len() {
    ///     1 => FakeOutcome::Issue,
    ///     _ => FakeOutcome::Hang,
    /// });
    /// # Ok(())
    /// # }
    /// ```
    pub fn script(&self, script: impl FnMut(&FakeOrder) -> FakeOutcome + Send + 'static) {
        self.shared.lock().script.rule = Some(Arc::new(Mutex::new(Box::new(script))));
    }

    /// Issues a certificate for a fresh key, without any order.
    ///
    /// # Errors
    /// - As [`TestPki::issue_server`](crate::TestPki::issue_server).
    pub fn issue_server(
        &self,
        names: &[ServerName],
        validity: CertificateValidity,
    ) -> Result<(CertificateChain, PrivateKey), PkiError> {
        let key = PrivateKey::generate(KeyType::EcdsaP256).map_err(|_| PkiError::NoRandomness)?;
        if names.is_empty() {
            return Err(PkiError::NoNames);
        }
        let csr = CertificateSigningRequest::for_names(names, &key)
            .map_err(|error| PkiError::Encode(error.into()))?;
        Ok((self.shared.issuer.issue(&csr, names, validity)?, key))
    }

    /// How often it was prepared.
    #[must_use]
    pub fn prepared(&self) -> usize {
        self.shared.lock().prepared
    }

    /// What was ordered so far, first first, whatever became of it.
    #[must_use]
    pub fn orders(&self) -> Vec<FakeOrder> {
        self.shared.lock().orders.clone()
    }

    /// The chains that were handed out so far, first first.
    #[must_use]
    pub fn issued(&self) -> Vec<CertificateChain> {
        self.shared.lock().issued.clone()
    }

    /// The certificates whose renewal was asked about so far, first first.
    #[must_use]
    pub fn renewal_queries(&self) -> Vec<CertificateId> {
        self.shared.lock().renewal_queries.clone()
    }

    /// How many orders are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.shared.traffic.borrow().under_way
    }

    /// The most orders that were ever under way at once.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.shared.traffic.borrow().most_at_once
    }

    /// Waits until at least `count` orders have come since the CA was made.
    pub async fn wait_for_orders(&self, count: usize) {
        let mut traffic = self.shared.traffic.subscribe();
        // The sender lives as long as this CA: there is no error to meet.
        let _ = traffic.wait_for(|now| now.orders >= count).await;
    }
}

impl CertificateAuthority for FakeCa {
    fn identity(&self) -> &str {
        &self.shared.identity
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let mut state = self.shared.lock();
            state.prepared += 1;
            state.prepare_errors.pop_front().map_or(Ok(()), Err)
        })
    }

    fn obtain<'a>(
        &'a self,
        request: &'a CertificateRequest,
    ) -> BoxFuture<'a, Result<IssuedCertificate, Error>> {
        Box::pin(self.shared.fulfil(request))
    }

    fn renewal_info<'a>(
        &'a self,
        id: &'a CertificateId,
    ) -> BoxFuture<'a, Result<Option<RenewalAdvice>, Error>> {
        Box::pin(async move {
            let mut state = self.shared.lock();
            state.renewal_queries.push(id.clone());
            match state.renewal_errors.pop_front() {
                Some(error) => Err(error),
                None => Ok(state.renewal.clone()),
            }
        })
    }
}

impl fmt::Debug for FakeCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeCa")
            .field("identity", &self.shared.identity)
            .field("gate", &self.shared.gate)
            .field("traffic", &*self.shared.traffic.borrow())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
