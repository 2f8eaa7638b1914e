//! How often the CA is looked at while it works.

use std::{sync::Arc, time::Duration};

use acme_client::{
    ASKED_WAIT, Client, DOUBT_AFTER, ErrorKind, FIRST_POLL_INTERVAL, MAX_POLL_INTERVAL,
    ORDER_DEADLINE, Pacing, REQUEST_TIMEOUT,
    messages::{
        ChallengeType, Clock, NewOrder, OrderStatus, Timestamp,
        jose::{BoxFuture, KeyType},
    },
    responders::{ChallengeContext, Responder, ResponderError},
};
use acme_testing::{Fault, FaultRule, ManualClock, Operation as Asked, RecordingResponder};

use crate::{
    clock::QuickClock,
    world::{World, builder, http_01, names, request, within},
};

/// A client whose waits are written down, and an order that stays pending at the CA.
async fn pending(world: &World, pacing: Pacing) -> (QuickClock, acme_client::Order) {
    let url = world.account().await.url().to_owned();
    let clock = QuickClock::default();
    let client = Client::builder(world.ca.directory_url(), world.transport.clone())
        .clock(Arc::new(clock.clone()))
        .pacing(pacing)
        .build()
        .unwrap();
    let account = client.account(world.account_key.clone(), url);
    let new = NewOrder::new(names(&["a.example"]));
    let order = account.new_order(&new).await.unwrap();
    world.ca.clear_requests();
    (clock, order)
}

// C31, C32, C50: the waits are the clock's; they double, to a limit, and end.
#[tokio::test]
async fn a_slow_ca_is_not_pestered() {
    let world = World::new().await;
    let (clock, mut order) = pending(&world, Pacing::default()).await;
    let error = within(order.leaves(&OrderStatus::Pending))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("still pending"), "{error}");
    let waits = clock.waits();
    assert_eq!(waits[0], FIRST_POLL_INTERVAL);
    for pair in waits.windows(2) {
        assert!(pair[1] <= pair[0] * 2 && pair[1] >= pair[0], "{waits:?}");
    }
    assert_eq!(waits.last(), Some(&MAX_POLL_INTERVAL));
    let waited: Duration = waits.iter().sum();
    assert!(waited <= ORDER_DEADLINE);
    assert!(waited + MAX_POLL_INTERVAL > ORDER_DEADLINE);
    assert_eq!(world.asked_for(Asked::Order), waits.len());
    assert!(waits.len() < 80, "{}", waits.len());
}

// A CA that answers no look is given up as soon as one that answers each.
#[tokio::test]
async fn a_ca_that_falls_silent_is_given_up_in_time() {
    let world = World::with(builder().authorization_reuse(true)).await;
    within(world.obtain(&["a.example"])).await.unwrap();
    let url = world.account().await.url().to_owned();
    let clock = ManualClock::new(Timestamp::now());
    let client = Client::builder(world.ca.directory_url(), world.transport.clone())
        .clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    let account = client.account(world.account_key.clone(), url);
    let new = NewOrder::new(names(&["a.example"]));
    let mut order = account.new_order(&new).await.unwrap();
    world.ca.inject(Fault::DropAnswer.on(Asked::Finalize));
    world.ca.inject(Fault::Silence.on(Asked::Order));
    let begin = clock.monotonic();
    let wanted = request(&["a.example"]);
    let given_up = async {
        let mut finalize = std::pin::pin!(order.finalize(wanted.csr()));
        loop {
            tokio::select! {
                biased;
                result = &mut finalize => return result.unwrap_err(),
                () = clock.wait_for_sleepers(1) => drop(clock.advance_to_next()),
            }
        }
    };
    let error = within(given_up).await;
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    // The finalize itself, the looks, and the last one of them.
    let elapsed = clock.monotonic() - begin;
    assert!(
        elapsed <= ORDER_DEADLINE + 2 * REQUEST_TIMEOUT,
        "{elapsed:?}"
    );
}

// C23: as txacme polls, every five seconds; with 14 seconds in all, that is twice after the first.
#[tokio::test]
async fn the_waits_can_be_set() {
    let world = World::new().await;
    let five = Duration::from_secs(5);
    let pacing = Pacing::default()
        .intervals(five, five)
        .deadline(Duration::from_secs(14));
    let (clock, mut order) = pending(&world, pacing).await;
    within(order.leaves(&OrderStatus::Pending))
        .await
        .unwrap_err();
    let waits: Vec<_> = clock.waits().iter().map(Duration::as_secs).collect();
    assert_eq!(waits, [5, 5]);
    assert_eq!(world.asked_for(Asked::Order), 2);
}

// What the CA says goes before everything, up to a minute.
#[tokio::test]
async fn the_cas_own_pace_is_kept() {
    for (said, kept) in [
        ("1", 1_000),
        ("7", 7_000),
        ("86400", 60_000),
        ("99999999999999999999", 60_000),
    ] {
        let world = World::new().await;
        let (clock, mut order) = pending(&world, Pacing::default()).await;
        let text = said.to_owned();
        world.transport.rule(move |request| {
            let text = text.clone();
            match request.uri().path().contains("/order/") {
                true => crate::transport::Meddle::Change(Box::new(move |answer| {
                    let headers = answer.headers_mut();
                    headers.insert("retry-after", text.parse().unwrap());
                })),
                false => crate::transport::Meddle::Pass,
            }
        });
        within(order.leaves(&OrderStatus::Pending))
            .await
            .unwrap_err();
        let waits = clock.waits();
        let kept = Duration::from_millis(kept);
        assert!(waits.len() > 2, "{said}: {waits:?}");
        assert!(waits[1..].iter().all(|it| *it == kept), "{said}: {waits:?}");
    }
}

// The first look comes when the CA was done the last time.
#[tokio::test]
async fn the_client_learns_how_long_the_ca_takes() {
    let world = World::with(builder().processing_polls(9)).await;
    let account = world.account().await;
    let request = world.request(&["a.example"]);
    let mut looks = Vec::new();
    for _ in 0..3 {
        world.ca.clear_requests();
        within(account.obtain(&request)).await.unwrap();
        looks.push(world.asked_for(Asked::Order));
        world.ca.configure(|it| it.issuance.processing_polls = 1);
    }
    // Nine looks at first; later the one that comes late enough, and the proof's.
    assert_eq!(looks, [10, 2, 2]);
    let waits = world.clock.waits();
    let learnt = waits.iter().filter(|it| **it > Duration::from_millis(500));
    assert!(learnt.count() >= 2, "{waits:?}");
}

// A CA that validates without asking is looked at all the same, the sooner the faster it is.
#[tokio::test]
async fn a_ca_that_does_not_ask_is_not_waited_for_in_vain() {
    let world = World::with(builder().authorization_reuse(true)).await;
    let account = world.account().await;
    // A responder that cannot tell whether it was asked, as those of DNS.
    let quiet = Arc::new(Quiet::over(&world));
    let mut firsts = Vec::new();
    for at in 0..4 {
        let before = world.clock.waits().len();
        let name = format!("n{at}.example");
        let request =
            acme_client::CertificateRequest::generate(&names(&[&name]), KeyType::EcdsaP256)
                .unwrap()
                .responder(quiet.clone());
        within(account.obtain(&request)).await.unwrap();
        firsts.push(world.clock.waits()[before]);
    }
    assert_eq!(firsts[0], ASKED_WAIT);
    assert!(firsts.windows(2).all(|it| it[1] < it[0]), "{firsts:?}");
}

// C26: issuance that takes its time, and a CA that says nothing of it.
#[tokio::test]
async fn delayed_issuance_is_waited_for() {
    let world = World::with(builder().processing_polls(20)).await;
    world.ca.inject(Fault::NoRetryAfter);
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::Finalize), 1);
}

// Some CAs leave an order pending although an authorization has failed (RFC 8555, section 7.1.6
// says that it is invalid), or even that authorization although its challenge has.
#[tokio::test]
async fn a_failed_name_is_told_even_if_its_order_lingers() {
    let rules: [FaultRule; 2] = [
        Fault::InvalidStaysPending.on(Asked::Order),
        Fault::InvalidStaysPending.into(),
    ];
    for rule in rules {
        let text = format!("{rule:?}");
        let world = World::new().await;
        let account = world.account().await;
        world.ca.inject(rule);
        let request = request(&["a.example", "b.example", "c.example"])
            .responder(Arc::new(Quiet::over(&world).mute_for("b.example")));
        let error = within(account.obtain(&request)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AuthorizationFailed, "{text}");
        let problem = error.problem().unwrap();
        assert_eq!(problem.identifier.as_ref().unwrap().value, "b.example");
        assert!(problem.detail.is_some(), "{text}: {error}");
        assert!(error.to_string().contains("b.example"), "{text}: {error}");
        let waited: Duration = world.clock.waits().iter().sum();
        assert!(waited < 2 * DOUBT_AFTER, "{text}: {waited:?}");
    }
}

// A CA that is merely slow is asked about its authorizations ever more rarely.
#[tokio::test]
async fn a_slow_ca_is_doubted_ever_more_rarely() {
    let world = World::with(builder().polls_wait(false)).await;
    world.ca.hold_validations();
    let error = world.obtain(&["a.example", "b.example"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let waited: Duration = world.clock.waits().iter().sum();
    assert!(waited + MAX_POLL_INTERVAL > ORDER_DEADLINE, "{waited:?}");
    // At the beginning each, after 10, 20, 40, 80 and 160 seconds one, and at the end each.
    assert_eq!(world.asked_for(Asked::Authorization), 2 + 5 + 2);
    world.ca.release_validations();
}

/// Cannot tell whether it was asked, and may put no answer up for one name.
#[derive(Debug)]
struct Quiet {
    next: Arc<RecordingResponder>,
    mute: Option<&'static str>,
}

impl Quiet {
    fn over(world: &World) -> Self {
        let next = world.responder.clone();
        Self { next, mute: None }
    }

    fn mute_for(mut self, name: &'static str) -> Self {
        self.mute = Some(name);
        self
    }
}

impl Responder for Quiet {
    fn challenge_type(&self) -> ChallengeType {
        http_01()
    }

    fn start<'a>(&'a self, it: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        match self.mute == Some(it.name().to_string().as_str()) {
            true => Box::pin(async { Ok(()) }),
            false => self.next.start(it),
        }
    }

    fn stop<'a>(&'a self, it: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        self.next.stop(it)
    }

    fn asked<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}
