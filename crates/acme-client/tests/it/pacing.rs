//! How often the CA is looked at while it works.

use std::{sync::Arc, time::Duration};

use acme_client::{
    ASKED_WAIT, Client, ErrorKind, FIRST_POLL_INTERVAL, MAX_POLL_INTERVAL, ORDER_DEADLINE, Pacing,
    REQUEST_TIMEOUT,
    messages::{Clock, NewOrder, OrderStatus, Timestamp, jose::KeyType},
};
use acme_testing::{Fault, ManualClock, NullResponder, Operation as Asked};

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

// What the CA says goes before everything, between 100 ms and a minute.
#[tokio::test]
async fn the_cas_own_pace_is_kept() {
    for (said, kept, deadline) in [
        ("0", 100, 14),
        ("7", 7_000, 300),
        ("86400", 60_000, 300),
        ("99999999999999999999", 60_000, 300),
    ] {
        let world = World::new().await;
        let pacing = Pacing::default().deadline(Duration::from_secs(deadline));
        let (clock, mut order) = pending(&world, pacing).await;
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
    let quiet = Arc::new(Quiet(world.responder.clone()));
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

#[derive(Debug)]
struct Quiet(Arc<acme_testing::RecordingResponder>);

impl acme_client::responders::Responder for Quiet {
    fn challenge_type(&self) -> acme_client::messages::ChallengeType {
        http_01()
    }

    fn start<'a>(
        &'a self,
        it: &'a acme_client::responders::ChallengeContext,
    ) -> acme_client::messages::jose::BoxFuture<
        'a,
        Result<(), acme_client::responders::ResponderError>,
    > {
        self.0.start(it)
    }

    fn stop<'a>(
        &'a self,
        it: &'a acme_client::responders::ChallengeContext,
    ) -> acme_client::messages::jose::BoxFuture<
        'a,
        Result<(), acme_client::responders::ResponderError>,
    > {
        self.0.stop(it)
    }

    fn asked<'a>(
        &'a self,
        _: &'a acme_client::responders::ChallengeContext,
    ) -> acme_client::messages::jose::BoxFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

// C26: issuance that takes its time, and a CA that says nothing of it.
#[tokio::test]
async fn delayed_issuance_is_waited_for() {
    let world = World::with(builder().processing_polls(20)).await;
    world.ca.inject(Fault::NoRetryAfter);
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::Finalize), 1);
}

// An order that stays pending although its authorization has failed, as some CAs have it.
#[tokio::test]
async fn a_failed_name_is_told_even_if_its_order_lingers() {
    let world = World::new().await;
    let account = world.account().await;
    world
        .transport
        .rule(|request| match request.uri().path().contains("/order/") {
            true => crate::transport::Meddle::Change(Box::new(|answer| {
                let text = String::from_utf8(answer.body().to_vec()).unwrap();
                let text = text.replace(r#""status":"invalid""#, r#""status":"pending""#);
                *answer.body_mut() = text.into();
            })),
            false => crate::transport::Meddle::Pass,
        });
    let mute = Arc::new(NullResponder::new(http_01()));
    let request = request(&["a.example"]).responder(mute);
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthorizationFailed);
}
