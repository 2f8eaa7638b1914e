//! Several names of one order: proved at the same time, within bounds.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use acme_client::{
    PARALLEL_AUTHORIZATIONS,
    messages::{ChallengeType, jose::BoxFuture},
    responders::{ChallengeContext, Responder, ResponderError},
};
use acme_testing::{Operation as Asked, RecordingResponder, ResponderCall, TestDns};
use tokio::sync::{Barrier, Notify};

use crate::world::{World, builder, http_01, names, within};

/// Puts no answer up before it was asked for all: whoever asks one after another waits for ever.
#[derive(Debug)]
struct AllAtOnce {
    next: Arc<RecordingResponder>,
    all: Barrier,
}

impl Responder for AllAtOnce {
    fn challenge_type(&self) -> ChallengeType {
        http_01()
    }

    fn start<'a>(&'a self, it: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(async move {
            self.all.wait().await;
            self.next.start(it).await
        })
    }

    fn stop<'a>(&'a self, it: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        self.next.stop(it)
    }

    fn asked<'a>(&'a self, it: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        self.next.asked(it)
    }
}

// instant-acme and lego prove one name after another: ten took lego 48 s. Here ten slow responders,
// as those of DNS are, wait side by side, and so do the CA's ten validations.
#[tokio::test]
async fn ten_names_take_the_time_of_one() {
    let world = World::with(builder().polls_wait(true)).await;
    let account = world.account().await;
    let ten: Vec<_> = (0..10).map(|it| format!("n{it}.example")).collect();
    let ten: Vec<_> = ten.iter().map(String::as_str).collect();
    let request = crate::world::request(&ten).responder(Arc::new(AllAtOnce {
        next: world.responder.clone(),
        all: Barrier::new(10),
    }));
    world.ca.hold_validations();
    let obtain = tokio::spawn(async move { account.obtain(&request).await });
    // All are told before the CA has made up its mind about any.
    within(world.ca.wait_for(Asked::Challenge, 10)).await;
    assert_eq!(world.responder.under_way(), 10);
    world.ca.release_validations();
    within(obtain).await.unwrap().unwrap();
    // One look at the order stands for ten at its authorizations.
    assert_eq!(world.asked_for(Asked::Order), 1);
    assert_eq!(world.responder.under_way(), 0);
}

// The CA is asked about so many at once, and no more.
#[tokio::test]
async fn requests_side_by_side_are_bounded() {
    for (width, expected) in [(None, PARALLEL_AUTHORIZATIONS), (Some(1), 1), (Some(7), 7)] {
        let world = World::new().await;
        let url = world.account().await.url().to_owned();
        let gate = Gate::over(world.transport.clone());
        let client = acme_client::Client::builder(world.ca.directory_url(), gate.clone());
        let client = match width {
            Some(width) => client.parallel_authorizations(width),
            None => client,
        };
        let account = client
            .build()
            .unwrap()
            .account(world.account_key.clone(), url);
        let ten: Vec<_> = (0..10).map(|it| format!("n{it}.example")).collect();
        let ten: Vec<_> = ten.iter().map(String::as_str).collect();
        let request = world.request(&ten);
        within(account.obtain(&request)).await.unwrap();
        assert_eq!(gate.0.most.load(Ordering::SeqCst), expected);
    }
}

/// Holds each look at an authorization until no more of them come, and counts them.
#[derive(Clone, Debug)]
struct Gate(Arc<GateInner>);

#[derive(Debug)]
struct GateInner {
    next: crate::transport::Meddler,
    now: AtomicUsize,
    most: AtomicUsize,
    go: Notify,
}

impl Gate {
    fn over(next: crate::transport::Meddler) -> Self {
        Self(Arc::new(GateInner {
            next,
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            go: Notify::new(),
        }))
    }
}

impl acme_client::HttpTransport for Gate {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
        max_body: usize,
    ) -> BoxFuture<'_, Result<http::Response<bytes::Bytes>, acme_client::TransportError>> {
        let inner = self.0.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            let counted = path.contains("authorization") || path.contains("challenge");
            if !counted {
                return inner.next.send(request, max_body).await;
            }
            let now = inner.now.fetch_add(1, Ordering::SeqCst) + 1;
            inner.most.fetch_max(now, Ordering::SeqCst);
            // Everyone who can come does so while nobody is answered.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            inner.go.notify_waiters();
            let answer = inner.next.send(request, max_body).await;
            inner.now.fetch_sub(1, Ordering::SeqCst);
            answer
        })
    }
}

// RFC 8555, section 7.1.4: two authorizations, and two records of one name.
#[tokio::test]
async fn a_name_and_its_wildcard_are_proved_side_by_side() {
    let dns = TestDns::start().await.unwrap();
    let address = dns.address();
    let world =
        World::with(builder().configure(|it| it.validation.dns_server = Some(address))).await;
    let account = world.account().await;
    let both = ["a.example", "*.a.example"];
    let responder = Arc::new(RecordingResponder::over(dns.responder()));
    let request = crate::world::request(&both).responder(responder.clone());
    world.ca.hold_validations();
    let obtain = tokio::spawn(async move { account.obtain(&request).await });
    within(world.ca.wait_for(Asked::Challenge, 2)).await;
    assert_eq!(dns.txt("_acme-challenge.a.example").len(), 2);
    let wildcards: Vec<_> = responder
        .calls()
        .iter()
        .map(|it| match it {
            ResponderCall::Start(it) => {
                assert_eq!(it.name().to_string(), "a.example");
                it.is_wildcard()
            }
            _ => panic!("{it:?}"),
        })
        .collect();
    assert!(wildcards == [true, false] || wildcards == [false, true]);
    world.ca.release_validations();
    let issued = within(obtain).await.unwrap().unwrap();
    issued.chain.check_names(&names(&both)).unwrap();
    assert!(dns.txt("_acme-challenge.a.example").is_empty());
}
