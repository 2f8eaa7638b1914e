//! From names to a certificate in one call, in the fewest requests.

use std::{
    collections::BTreeSet,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use acme_messages::{
    Authorization, AuthorizationStatus, CertificateChain, CertificateId, CertificateSigningRequest,
    Challenge, ChallengeStatus, CsrError, KeyAuthorization, NewOrder, OrderStatus, Problem,
    ProblemType, ServerName, Token, jose::Signer,
};
use acme_responders::{ChallengeContext, Responder};
use futures_util::{StreamExt, future::join_all, stream};

use crate::{Account, Error, ErrorKind, Operation, Order, active_challenge::ActiveChallenge};

/// How many authorizations of one order are under way at once.
pub const PARALLEL_AUTHORIZATIONS: usize = 4;

/// How long the CA is given to ask before its side is looked at.
const ASKED_WAIT: Duration = Duration::from_secs(3);

/// What the CA needs to make up its mind after it has asked.
const SETTLE: Duration = Duration::from_millis(250);

/// How often an order that keeps coming back as ready is finalized.
const MAX_FINALIZATIONS: usize = 3;

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
    responders: Vec<Arc<dyn Responder>>,
    profile: Option<String>,
    replaces: Option<CertificateId>,
}

impl CertificateRequest {
    /// A request for these names with this key.
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
            responders: Vec::new(),
            profile: None,
            replaces: None,
        }
    }

    /// Adds a way to prove a name. The first one whose type the CA offers is taken.
    #[must_use]
    pub fn responder(mut self, responder: Arc<dyn Responder>) -> Self {
        self.responders.push(responder);
        self
    }

    /// Asks for a profile of the CA's.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    /// Says which certificate this one is to replace ([RFC 9773, section 5]); only for the CA
    /// and the account that issued it.
    ///
    /// [RFC 9773, section 5]: https://www.rfc-editor.org/rfc/rfc9773#section-5
    #[must_use]
    pub fn replaces(mut self, id: CertificateId) -> Self {
        self.replaces = Some(id);
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

    fn order(&self) -> NewOrder {
        let mut order = NewOrder::new(self.names());
        order.profile.clone_from(&self.profile);
        order.replaces = self.replaces.as_ref().map(ToString::to_string);
        order
    }
}

/// A certificate as the CA issued it, checked against the request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuedCertificate {
    /// The leaf and its chain.
    pub chain: CertificateChain,
    /// The order it came from.
    pub order_url: String,
}

impl IssuedCertificate {
    /// A certificate and where it came from.
    #[must_use]
    pub const fn new(chain: CertificateChain, order_url: String) -> Self {
        Self { chain, order_url }
    }
}

impl Account {
    /// Orders a certificate, proves its names, and fetches it.
    ///
    /// Valid authorizations are not proved again; an order that is ready at once
    /// is finalized at once. Responders are stopped on every way out, the
    /// cancellation of this future included.
    ///
    /// # Errors
    /// - [`ErrorKind::NoSupportedChallenge`] when a name has no responder that fits.
    /// - [`ErrorKind::AuthorizationFailed`] when the CA did not accept a proof.
    /// - [`ErrorKind::OrderFailed`] when the order became invalid otherwise.
    /// - [`ErrorKind::InvalidChain`] when the certificate is not what was ordered.
    /// - Those of a request; see [`ErrorKind`].
    #[tracing::instrument(
        name = "acme.obtain",
        skip_all,
        fields(ca = self.client().directory_url(), names = ?request.names()),
        err(level = "debug")
    )]
    pub async fn obtain(&self, request: &CertificateRequest) -> Result<IssuedCertificate, Error> {
        let mut order = self.new_order(&request.order()).await?;
        check_identifiers(&order, request)?;
        let mut finalized = 0;
        loop {
            match order.state().status {
                OrderStatus::Pending if finalized == 0 => {
                    self.authorize(&mut order, request).await?
                }
                // It was ready once: another of the CA's machines lags behind.
                OrderStatus::Pending => order.leaves(&OrderStatus::Pending).await.map(drop)?,
                OrderStatus::Ready if finalized < MAX_FINALIZATIONS => {
                    finalized += 1;
                    order.finalize(request.csr()).await?;
                }
                OrderStatus::Processing => {
                    order.leaves(&OrderStatus::Processing).await.map(drop)?
                }
                OrderStatus::Valid => break,
                _ => return Err(order_failed(&order)),
            }
        }
        let chain = order.certificate().await?;
        self.check(&chain, request)?;
        Ok(IssuedCertificate::new(chain, order.url().to_owned()))
    }

    async fn authorize(
        &self,
        order: &mut Order,
        request: &CertificateRequest,
    ) -> Result<(), Error> {
        let (active, failed) = self.start_all(order, request).await;
        let outcome = match failed {
            Some(error) => Err(error),
            None => self.wait(order, &active).await,
        };
        let clock = self.client().clock();
        join_all(active.into_iter().map(|it| it.stop(clock))).await;
        let state = &order.state().status;
        match outcome {
            Ok(()) if *state == OrderStatus::Invalid => Err(explain(order).await),
            // Some CAs fail an authorization and leave its order as it was.
            Err(error) if error.kind() == ErrorKind::Timeout => match why(order).await {
                Some(reason) => Err(reason),
                None => Err(error),
            },
            outcome => outcome,
        }
    }

    /// Starts all that is to be proved; after a failure nothing more is begun.
    async fn start_all(
        &self,
        order: &Order,
        request: &CertificateRequest,
    ) -> (Vec<ActiveChallenge>, Option<Error>) {
        let stop = AtomicBool::new(false);
        let mut started = stream::iter(order.state().authorizations.clone())
            .take_while(|_| ready(!stop.load(Ordering::Relaxed)))
            .map(|url| self.start(order, url, &request.responders))
            .buffer_unordered(PARALLEL_AUTHORIZATIONS);
        let mut active = Vec::new();
        let mut failed = None;
        while let Some(result) = started.next().await {
            match result {
                Ok(one) => active.extend(one),
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    failed.get_or_insert(error);
                }
            }
        }
        (active, failed)
    }

    /// Looks at one authorization and, if it is to be proved, puts an answer up and says so.
    async fn start(
        &self,
        order: &Order,
        url: String,
        responders: &[Arc<dyn Responder>],
    ) -> Result<Option<ActiveChallenge>, Error> {
        let authorization = order.authorization(&url).await?;
        match authorization.status {
            AuthorizationStatus::Valid => return Ok(None),
            AuthorizationStatus::Pending => {}
            _ => return Err(authorization_failed(&[authorization])),
        }
        let (challenge, responder) = choose(&authorization, responders)?;
        let context = self.context(&authorization, challenge, &url)?;
        let active = ActiveChallenge::start(responder.clone(), context)
            .await
            .map_err(|error| {
                Error::new(ErrorKind::Responder, Operation::Challenge)
                    .with_detail(format!(
                        "{} for {}",
                        challenge.kind, authorization.identifier.value
                    ))
                    .with_source(error)
            })?;
        if challenge.status == ChallengeStatus::Pending
            && let Err(error) = order.validate(challenge).await
            && !under_way(order, &url, challenge, &error).await
        {
            active.stop(self.client().clock()).await;
            return Err(error);
        }
        Ok(Some(active))
    }

    fn context(
        &self,
        authorization: &Authorization,
        challenge: &Challenge,
        url: &str,
    ) -> Result<ChallengeContext, Error> {
        let bad = |detail: &str| {
            Error::new(ErrorKind::BadResponse, Operation::Authorization)
                .with_url(url)
                .with_detail(detail)
        };
        let name = authorization
            .identifier
            .server_name()
            .map_err(|error| bad("the identifier is no name").with_source(error))?;
        let token = challenge.token.as_deref().unwrap_or_default();
        let token =
            Token::parse(token).map_err(|error| bad("the token is bad").with_source(error))?;
        let thumbprint = self.signer().public_jwk().thumbprint();
        let answer = KeyAuthorization::new(&token, &thumbprint);
        let context = ChallengeContext::new(name, challenge.kind.clone(), token, answer);
        Ok(context.wildcard(authorization.wildcard))
    }

    /// Waits until the CA has made up its mind about the order.
    async fn wait(&self, order: &mut Order, active: &[ActiveChallenge]) -> Result<(), Error> {
        let clock = self.client().clone();
        let all_asked = join_all(active.iter().map(ActiveChallenge::asked));
        tokio::select! {
            _ = all_asked => clock.clock().sleep(SETTLE).await,
            () = clock.clock().sleep(ASKED_WAIT) => {}
        }
        order.poll(&OrderStatus::Pending, false).await
    }

    /// Nothing is handed out that a server could not use (RFC 8555, section 7.4.2).
    fn check(&self, chain: &CertificateChain, request: &CertificateRequest) -> Result<(), Error> {
        let now = self.client().clock().now();
        chain
            .check_key(request.csr().public_key())
            .and_then(|()| chain.check_names(request.names()))
            .and_then(|()| chain.check_time(now))
            .and_then(|()| chain.check_links())
            .map_err(|error| {
                Error::new(ErrorKind::InvalidChain, Operation::Certificate)
                    .with_detail(error.to_string())
                    .with_source(error)
            })
    }
}

/// The first responder, in the caller's order, whose type is on offer.
fn choose<'a>(
    authorization: &'a Authorization,
    responders: &'a [Arc<dyn Responder>],
) -> Result<(&'a Challenge, &'a Arc<dyn Responder>), Error> {
    for responder in responders {
        let kind = responder.challenge_type();
        if let Some(challenge) = authorization.challenges.iter().find(|it| it.kind == kind) {
            return Ok((challenge, responder));
        }
    }
    let list = |kinds: Vec<String>| match kinds.is_empty() {
        true => "none".to_owned(),
        false => kinds.join(", "),
    };
    let offered = authorization
        .challenges
        .iter()
        .map(|it| it.kind.to_string());
    let available = responders.iter().map(|it| it.challenge_type().to_string());
    Err(
        Error::new(ErrorKind::NoSupportedChallenge, Operation::Authorization).with_detail(format!(
            "{} is offered {}; responders are there for {}",
            authorization.identifier.value,
            list(offered.collect()),
            list(available.collect()),
        )),
    )
}

/// An order for other names than were asked for is somebody else's (RFC 8555, section 7.1.3).
fn check_identifiers(order: &Order, request: &CertificateRequest) -> Result<(), Error> {
    let wanted: BTreeSet<_> = request.names().iter().cloned().collect();
    let got: BTreeSet<_> = order
        .state()
        .identifiers
        .iter()
        .filter_map(|it| it.server_name().ok())
        .collect();
    if wanted == got {
        return Ok(());
    }
    Err(Error::new(ErrorKind::BadResponse, Operation::NewOrder)
        .with_url(order.url())
        .with_detail("the order is for other names than were asked for"))
}

/// Whether a challenge is on its way although saying so brought an error: an
/// earlier answer was lost, and the CA refuses to be told twice.
async fn under_way(order: &Order, url: &str, challenge: &Challenge, error: &Error) -> bool {
    if error.kind() != ErrorKind::Problem || error.is_transient() {
        return false;
    }
    let Ok(authorization) = order.authorization(url).await else {
        return false;
    };
    let same = authorization
        .challenges
        .iter()
        .find(|it| it.url == challenge.url);
    authorization.status != AuthorizationStatus::Pending
        || same.is_some_and(|it| it.status != ChallengeStatus::Pending)
}

/// Finds out why an order became invalid: its authorizations know.
async fn explain(order: &Order) -> Error {
    match why(order).await {
        Some(reason) => reason,
        None => order_failed(order),
    }
}

async fn why(order: &Order) -> Option<Error> {
    let mut failed = Vec::new();
    for url in &order.state().authorizations {
        if let Ok(authorization) = order.authorization(url).await
            && !matches!(
                authorization.status,
                AuthorizationStatus::Valid | AuthorizationStatus::Pending
            )
        {
            failed.push(authorization);
        }
    }
    (!failed.is_empty()).then(|| authorization_failed(&failed))
}

fn authorization_failed(failed: &[Authorization]) -> Error {
    let mut problems: Vec<Problem> = Vec::new();
    for authorization in failed {
        for problem in authorization
            .challenges
            .iter()
            .filter_map(|it| it.error.clone())
        {
            let mut problem = problem;
            problem.identifier = Some(authorization.identifier.clone());
            problems.push(problem);
        }
    }
    let names: Vec<_> = failed
        .iter()
        .map(|it| format!("{} is {}", it.identifier.value, it.status))
        .collect();
    let error = Error::new(ErrorKind::AuthorizationFailed, Operation::Authorization)
        .with_detail(names.join(", "));
    match problems.len() {
        0 => error,
        1 => error.with_problem(problems.remove(0)),
        _ => {
            let mut all = Problem::new(ProblemType::Compound, "several names failed");
            all.subproblems = problems;
            error.with_problem(all)
        }
    }
}

fn order_failed(order: &Order) -> Error {
    let error = Error::new(ErrorKind::OrderFailed, Operation::Order).with_url(order.url());
    match &order.state().error {
        Some(problem) => error.with_problem(problem.clone()),
        None => error.with_detail(format!("the order is {}", order.state().status)),
    }
}
