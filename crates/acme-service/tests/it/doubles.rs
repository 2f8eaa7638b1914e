//! An authority and a store that do what a test tells them.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use acme_service::{
    client::{
        CertificateAuthority, CertificateRequest, Error, ErrorKind, IssuedCertificate, Operation,
        RenewalAdvice,
        responders::{ChallengeContext, Responder},
    },
    messages::{
        CertificateId, ChallengeType, Clock, KeyAuthorization, Problem, ProblemType, ServerName,
        Timestamp, Token,
        jose::{KeyType, PrivateKey},
    },
    store::{
        BoxFuture, BoxStream, CertificateBundle, CertificateStore, Cursor, Entry, Expect, Listed,
        MemoryStore, Page, PutError, StoreError, StoreEvent, Version,
    },
};
use acme_testing::{CertificateValidity, ManualClock, TestPki};
use tokio::sync::watch;

/// What the authority does with one order.
pub(crate) enum Act {
    Issue,
    /// Issues what lives from one moment to another, whatever the time is.
    IssueFor(CertificateValidity),
    /// Issues for a name that nobody asked for.
    IssueForeign,
    Fail(Error),
    Hang,
    Panic,
    /// Issues once the gate is open.
    Gated,
    /// Lets the first responder answer, and never comes back.
    ProveForEver,
}

type Script = Box<dyn FnMut(&ServerName) -> Act + Send>;

/// Issues as its script says, and writes down when and for whom it was asked.
pub(crate) struct FakeAuthority {
    pub(crate) pki: TestPki,
    clock: ManualClock,
    lifetime: Mutex<Duration>,
    script: Mutex<Script>,
    orders: Mutex<Vec<(Timestamp, ServerName)>>,
    preferred: Mutex<Vec<String>>,
    gate: watch::Sender<bool>,
    under_way: Arc<Mutex<(usize, usize)>>,
}

impl FakeAuthority {
    pub(crate) fn new(clock: ManualClock) -> Self {
        Self {
            pki: TestPki::new().unwrap(),
            clock,
            lifetime: Mutex::new(Duration::from_secs(90 * 86_400)),
            script: Mutex::new(Box::new(|_| Act::Issue)),
            orders: Mutex::default(),
            preferred: Mutex::default(),
            gate: watch::Sender::new(false),
            under_way: Arc::default(),
        }
    }

    pub(crate) fn script(&self, script: impl FnMut(&ServerName) -> Act + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    pub(crate) fn set_lifetime(&self, lifetime: Duration) {
        *self.lifetime.lock().unwrap() = lifetime;
    }

    pub(crate) fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    /// Who ordered so far, first first.
    pub(crate) fn ordered(&self) -> Vec<String> {
        let orders = self.orders.lock().unwrap();
        orders.iter().map(|(_, name)| name.to_string()).collect()
    }

    /// The challenge that each order would have been proved with.
    pub(crate) fn preferred(&self) -> Vec<String> {
        self.preferred.lock().unwrap().clone()
    }

    /// When orders came so far.
    pub(crate) fn moments(&self) -> Vec<Timestamp> {
        let orders = self.orders.lock().unwrap();
        orders.iter().map(|(at, _)| *at).collect()
    }

    /// The most orders that were ever under way at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.under_way.lock().unwrap().1
    }

    fn issue(
        &self,
        request: &CertificateRequest,
        names: &[ServerName],
        validity: CertificateValidity,
    ) -> IssuedCertificate {
        let spki = request.csr().public_key().to_spki_der().unwrap();
        let chain = self.pki.issue(&spki, names, validity).unwrap();
        IssuedCertificate::new(chain, "https://ca.example/order/1".to_owned())
    }

    async fn act(&self, request: &CertificateRequest) -> Result<IssuedCertificate, Error> {
        let name = request.names()[0].clone();
        let now = self.clock.now();
        self.orders.lock().unwrap().push((now, name.clone()));
        let preferred = request.responders().first();
        let preferred = preferred.map(|it| it.challenge_type().to_string());
        self.preferred.lock().unwrap().extend(preferred);
        let act = (self.script.lock().unwrap())(&name);
        let usual = CertificateValidity::starting(now, *self.lifetime.lock().unwrap());
        let validity = match act {
            Act::Issue => usual,
            Act::IssueFor(validity) => validity,
            Act::IssueForeign => {
                let foreign = ["foreign.example".parse().unwrap()];
                return Ok(self.issue(request, &foreign, usual));
            }
            Act::Fail(error) => return Err(error),
            Act::Hang => std::future::pending().await,
            Act::Panic => panic!("the authority panics, as the test wants"),
            Act::Gated => {
                let mut gate = self.gate.subscribe();
                gate.wait_for(|open| *open).await.unwrap();
                usual
            }
            Act::ProveForEver => {
                let _answer = Answer::start(request, name).await;
                std::future::pending().await
            }
        };
        // Takes a while, as every CA.
        tokio::task::yield_now().await;
        Ok(self.issue(request, request.names(), validity))
    }
}

impl CertificateAuthority for FakeAuthority {
    fn identity(&self) -> &str {
        "https://ca.example/directory"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn obtain<'a>(
        &'a self,
        request: &'a CertificateRequest,
    ) -> BoxFuture<'a, Result<IssuedCertificate, Error>> {
        Box::pin(async move {
            let _under_way = UnderWay::new(&self.under_way);
            self.act(request).await
        })
    }

    fn renewal_info<'a>(
        &'a self,
        _: &'a CertificateId,
    ) -> BoxFuture<'a, Result<Option<RenewalAdvice>, Error>> {
        Box::pin(async { Ok(None) })
    }
}

impl fmt::Debug for FakeAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeAuthority").finish_non_exhaustive()
    }
}

struct UnderWay(Arc<Mutex<(usize, usize)>>);

impl UnderWay {
    fn new(count: &Arc<Mutex<(usize, usize)>>) -> Self {
        let mut now = count.lock().unwrap();
        now.0 += 1;
        now.1 = now.1.max(now.0);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().unwrap().0 -= 1;
    }
}

/// An answer that comes down behind whoever drops it, as the client's do.
struct Answer(Arc<dyn Responder>, Arc<ChallengeContext>);

impl Answer {
    async fn start(request: &CertificateRequest, name: ServerName) -> Self {
        let responder = request.responders()[0].clone();
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let token = Token::parse("dG9rZW4").unwrap();
        let proof = KeyAuthorization::new(&token, &key.thumbprint());
        let context = ChallengeContext::new(name, ChallengeType::Http01, token, proof);
        let answer = Self(responder, Arc::new(context));
        answer.0.start(&answer.1).await.unwrap();
        answer
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let (responder, context) = (self.0.clone(), self.1.clone());
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            responder.stop(&context).await
        });
    }
}

pub(crate) fn problem(kind: ProblemType) -> Error {
    Error::new(ErrorKind::Problem, Operation::NewOrder)
        .with_problem(Problem::new(kind, "the test wants it"))
}

pub(crate) fn unreachable_ca() -> Error {
    Error::new(ErrorKind::Transport, Operation::Directory)
}

/// A store in memory that fails, or hangs, on demand.
#[derive(Debug, Default)]
pub(crate) struct FaultyStore {
    pub(crate) memory: MemoryStore,
    pub(crate) list_fails: AtomicBool,
    pub(crate) list_hangs: AtomicBool,
    pub(crate) get_fails: AtomicBool,
    pub(crate) put_fails: AtomicBool,
    pub(crate) put_panics: AtomicBool,
    pub(crate) refuses: AtomicBool,
}

impl FaultyStore {
    pub(crate) fn set(switch: &AtomicBool, on: bool) {
        switch.store(on, Ordering::SeqCst);
    }

    fn down() -> StoreError {
        StoreError::Unavailable("the test wants it".into())
    }
}

fn on(switch: &AtomicBool) -> bool {
    switch.load(Ordering::SeqCst)
}

impl CertificateStore for FaultyStore {
    fn list(
        &self,
        after: Option<Cursor>,
    ) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
        Box::pin(async move {
            if on(&self.list_hangs) {
                std::future::pending::<()>().await;
            }
            match on(&self.list_fails) {
                true => Err(Self::down()),
                false => self.memory.list(after).await,
            }
        })
    }

    fn get<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        Box::pin(async move {
            match on(&self.get_fails) {
                true => Err(Self::down()),
                false => self.memory.get(name).await,
            }
        })
    }

    fn put<'a>(
        &'a self,
        name: &'a ServerName,
        bundle: &'a CertificateBundle,
        expected: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>> {
        Box::pin(async move {
            assert!(!on(&self.put_panics), "the store panics, as the test wants");
            match on(&self.put_fails) {
                true => Err(Self::down().into()),
                false => self.memory.put(name, bundle, expected).await,
            }
        })
    }

    fn accepts<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
        let name = name.clone();
        Box::pin(async move {
            match on(&self.refuses) {
                true => Err(StoreError::NameNotAllowed { name }),
                false => Ok(()),
            }
        })
    }

    fn watch(&self) -> BoxStream<'static, StoreEvent> {
        self.memory.watch()
    }
}
