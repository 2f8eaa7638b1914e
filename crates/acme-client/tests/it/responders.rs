//! Whatever happens, no answer stays up.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use acme_client::{
    ErrorKind,
    messages::{ChallengeType, jose::BoxFuture},
};
use acme_responders::{ChallengeContext, Responder, ResponderError};
use acme_testing::{Operation as Asked, RecordingResponder};

use crate::{
    transport::Meddle,
    world::{World, http_01, request, until, within},
};

// C30: the CA is told when the answer is up, and it stays up until the CA has seen it.
#[tokio::test]
async fn started_before_the_ca_is_told() {
    let world = World::new().await;
    let account = world.account().await;
    let request = world.request(&["a.example"]);
    world.ca.hold_validations();
    let (responder, asked) = (world.responder.clone(), Arc::new(AtomicUsize::new(0)));
    let seen = asked.clone();
    world.transport.rule(move |request| {
        if request.uri().path().contains("challenge") {
            seen.store(responder.under_way(), Ordering::SeqCst);
        }
        Meddle::Pass
    });
    let obtain = tokio::spawn(async move { account.obtain(&request).await });
    within(world.ca.wait_for(Asked::Challenge, 1)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(world.responder.under_way(), 1);
    world.ca.release_validations();
    within(obtain).await.unwrap().unwrap();
    assert_eq!(world.responder.under_way(), 0);
}

#[tokio::test]
async fn stopped_on_success() {
    let world = World::new().await;
    world.obtain(&["a.example", "b.example"]).await.unwrap();
    assert_eq!(world.tokens().len(), 4);
    assert_eq!(world.responder.under_way(), 0);
}

#[tokio::test]
async fn stopped_when_the_proof_fails() {
    let world = World::new().await;
    let account = world.account().await;
    let mute = Arc::new(RecordingResponder::new(http_01()));
    let request = request(&["a.example"]).responder(mute.clone());
    within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(mute.calls().len(), 2);
    assert_eq!(mute.under_way(), 0);
}

#[tokio::test]
async fn stopped_when_the_ca_cannot_be_told() {
    let world = World::new().await;
    for _ in 0..3 {
        world.ca.fail_next(Asked::Challenge, 500);
    }
    world.obtain(&["a.example"]).await.unwrap_err();
    assert_eq!(world.responder.calls().len(), 2);
    assert_eq!(world.responder.under_way(), 0);
}

#[tokio::test]
async fn stopped_when_the_future_is_dropped() {
    // While the CA is told, and while it is waited for.
    for part in ["chall", "order/"] {
        let world = World::new().await;
        let account = world.account().await;
        world.transport.once(part, Meddle::Hang);
        let request = world.request(&["a.example"]);
        let obtain = tokio::spawn(async move { account.obtain(&request).await });
        let transport = world.transport.clone();
        until(|| transport.seen().iter().any(|it| it.url.contains(part))).await;
        assert_eq!(world.responder.under_way(), 1);
        obtain.abort();
        until(|| world.responder.under_way() == 0).await;
    }
}

// As a task is that its owner keeps in a struct, and drops on a thread of its own.
#[test]
fn stopped_when_dropped_outside_of_its_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (world, obtain) = runtime.block_on(async {
        let world = World::new().await;
        let account = world.account().await;
        world.transport.once("chall", Meddle::Hang);
        let request = world.request(&["a.example"]);
        let mut obtain = Box::pin(async move { account.obtain(&request).await });
        let transport = world.transport.clone();
        tokio::select! {
            _ = &mut obtain => panic!("it hangs"),
            () = until(|| transport.seen().iter().any(|it| it.url.contains("chall"))) => {}
        }
        (world, obtain)
    });
    assert_eq!(world.responder.under_way(), 1);
    drop(obtain);
    runtime.block_on(until(|| world.responder.under_way() == 0));
}

#[tokio::test]
async fn stopped_when_the_deadline_comes() {
    let world = World::new().await;
    let account = world.account().await;
    world.transport.once("/order/", Meddle::Hang);
    let request = world.request(&["a.example"]);
    let request = request.deadline(std::time::Duration::from_millis(1));
    let client = acme_client::Client::builder(world.ca.directory_url(), world.transport.clone());
    let account = client
        .build()
        .unwrap()
        .account(world.account_key.clone(), account.url());
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_transient());
    until(|| world.responder.under_way() == 0).await;
}

/// Fails, or never ends, as it is told.
#[derive(Debug)]
struct Bad {
    start_fails: bool,
}

impl Responder for Bad {
    fn challenge_type(&self) -> ChallengeType {
        http_01()
    }

    fn start<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(async {
            match self.start_fails {
                true => Err(ResponderError::new("no room")),
                false => std::future::pending().await,
            }
        })
    }

    fn stop<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn asked<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn stopped_when_it_could_not_start() {
    let world = World::new().await;
    let account = world.account().await;
    let bad = Arc::new(RecordingResponder::over(Bad { start_fails: true }));
    let request = request(&["a.example"]).responder(bad.clone());
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Responder);
    until(|| bad.under_way() == 0).await;
    assert_eq!(
        world.asked_for(Asked::Challenge),
        0,
        "the CA was told nothing"
    );

    // Neither token nor proof is told with the error.
    let acme_testing::ResponderCall::Start(challenge) = &bad.calls()[0] else {
        panic!("it was started first");
    };
    let text = format!("{error} {error:?}");
    assert!(!text.contains(challenge.token().as_str()), "{text}");
    assert!(
        !text.contains(challenge.key_authorization().as_str()),
        "{text}"
    );
}

#[tokio::test]
async fn stopped_when_dropped_at_the_start() {
    let world = World::new().await;
    let account = world.account().await;
    let slow = Arc::new(RecordingResponder::over(Bad { start_fails: false }));
    let request = request(&["a.example"]).responder(slow.clone());
    let obtain = tokio::spawn(async move { account.obtain(&request).await });
    until(|| slow.under_way() == 1).await;
    obtain.abort();
    until(|| slow.under_way() == 0).await;
}

// After a failure nothing more is begun: the CA is not asked for the rest.
#[tokio::test]
async fn a_failure_begins_nothing_more() {
    let world = World::new().await;
    let account = world.account().await;
    let names: Vec<String> = (0..20).map(|at| format!("n{at}.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    within(account.obtain(&request(&names))).await.unwrap_err();
    assert!(
        world.asked_for(Asked::Authorization) < 10,
        "{:?}",
        world.asked()
    );
}
