//! The request layer by itself: what is signed, what is retried, what an answer is.

use std::sync::Arc;

use acme_client::{
    Client, ErrorKind, Operation, Repeat, RetryPolicy, Sender,
    messages::{
        ProblemType,
        jose::{AsyncSigner, BoxFuture, FlattenedJws, Jwk, SignError, Signer, SigningAlgorithm},
    },
};
use acme_testing::{Fault, Operation as Asked};
use tokio::sync::Notify;

use crate::{
    clock::QuickClock,
    transport::Meddle,
    world::{World, new_key, until, within},
};

// C36, C37, C51: what each request says, and what is asked for.
#[tokio::test]
async fn requests_are_as_the_rfc_wants_them() {
    let world = World::new().await;
    world.obtain(&["a.example"]).await.unwrap();
    world.client.directory().await.unwrap();
    for request in world.ca.requests() {
        assert!(request.header("user-agent").is_some(), "{request:?}");
        assert_eq!(request.header("accept-language"), Some("en"));
        assert_eq!(request.header("accept-encoding"), Some("identity"));
        assert_eq!(request.header("replay-nonce"), None);
        let expected = (request.method == "POST").then_some("application/jose+json");
        assert_eq!(request.header("content-type"), expected);
        let pem = request.header("accept") == Some("application/pem-certificate-chain");
        assert_eq!(pem, request.operation == Asked::Certificate);
        // C42: GET is for the directory only; HEAD for nonces.
        let expected = match request.operation {
            Asked::Directory => "GET",
            Asked::NewNonce => "HEAD",
            _ => "POST",
        };
        assert_eq!(request.method, expected);
    }
    // C17: a challenge is answered with an empty object, which is not an empty payload.
    let payloads = |operation| {
        let requests = world.ca.requests().into_iter();
        requests
            .filter(move |it| it.operation == operation)
            .map(|it| it.payload)
            .collect::<Vec<_>>()
    };
    assert_eq!(payloads(Asked::Challenge), ["{}"]);
    assert_eq!(payloads(Asked::Certificate), [""]);
}

// RFC 8555, section 6.1: the product goes before our own name, on each request.
#[tokio::test]
async fn who_asks_and_in_which_language_can_be_said() {
    let world = World::new().await;
    let build = || Client::builder(world.ca.directory_url(), world.transport.clone());
    let client = build()
        .user_agent("site/1.2")
        .accept_language("de, en;q=0.5")
        .build()
        .unwrap();
    client
        .find_account(world.account_key.clone())
        .await
        .unwrap();
    // The transport names the library that it speaks with.
    let own = concat!(
        "site/1.2 acme-client/",
        env!("CARGO_PKG_VERSION"),
        " hyper/1"
    );
    let requests = world.ca.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        assert_eq!(request.header("user-agent"), Some(own));
        assert_eq!(request.header("accept-language"), Some("de, en;q=0.5"));
    }
    for bad in ["a\nb", "a\0"] {
        let error = build().user_agent(bad).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request);
        let error = build().accept_language(bad).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request);
    }
}

// What this crate knows nothing about can be said all the same.
#[tokio::test]
async fn anything_can_be_posted() {
    let world = World::new().await;
    let account = world.account().await;
    let (client, sender) = (&world.client, account.sender());
    let payload = br#"{"contact":["mailto:a@example.com"]}"#;
    let reply = client
        .post(
            Operation::Custom,
            &sender,
            account.url(),
            payload,
            Repeat::Safe,
        )
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.url(), account.url());
    let json: serde_json::Value = reply.json().unwrap();
    assert_eq!(json["contact"][0], "mailto:a@example.com");
    assert!(reply.links().iter().any(|it| it.has_relation("index")));

    let reply = client.post_as_get(Operation::Custom, &sender, account.url());
    assert!(!reply.await.unwrap().body().is_empty());
    let directory = client
        .get(Operation::Custom, world.ca.directory_url().as_str())
        .await;
    assert!(directory.unwrap().headers().contains_key("content-type"));

    // What was signed is what RFC 8555 says, for the URL exactly.
    let seen = world.transport.seen();
    let body = &seen.iter().find(|it| it.url == account.url()).unwrap().body;
    let jws = FlattenedJws::from_json(body).unwrap();
    jws.verify(world.account_key.public_jwk_of()).unwrap();
    assert_eq!(jws.header().url, account.url());
    assert_eq!(jws.header().kid.as_deref(), Some(account.url()));
    assert!(jws.header().jwk.is_none());
    let key = Sender::Key(new_key());
    let error = client
        .post_as_get(Operation::Custom, &key, account.url())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Problem);
}

trait PublicJwk {
    fn public_jwk_of(&self) -> &Jwk;
}

impl<T: Signer> PublicJwk for T {
    fn public_jwk_of(&self) -> &Jwk {
        Signer::public_jwk(self)
    }
}

// C41: nobody looks at what HEAD brings.
#[tokio::test]
async fn head_is_given_back_unchecked() {
    let world = World::new().await;
    world.ca.fail_next(Asked::NewNonce, 500);
    let directory = world.client.directory().await.unwrap();
    let reply = world.client.head(Operation::NewNonce, &directory.new_nonce);
    assert_eq!(reply.await.unwrap().status(), 500);
}

// C38, C39: as txacme has it, one more attempt and no other.
#[tokio::test]
async fn the_number_of_retries_can_be_set() {
    let world = World::new().await;
    for (retries, posts) in [(0, 1), (1, 2), (7, 8)] {
        world.ca.configure(|it| it.answers.nonce_reject_rate = 0.0);
        let client = Client::builder(world.ca.directory_url(), world.transport.clone())
            .bad_nonce_retries(retries)
            .build()
            .unwrap();
        let account = client.account(world.account_key.clone(), world.account().await.url());
        world.ca.configure(|it| it.answers.nonce_reject_rate = 1.0);
        world.ca.clear_requests();
        let error = account.fetch().await.unwrap_err();
        assert!(error.has_problem(&ProblemType::BadNonce));
        assert_eq!(world.asked_for(Asked::Account), posts);
        assert_eq!(error.attempts(), u32::try_from(posts).unwrap());
        // The last error's nonce is kept: the next request needs none.
        world.ca.configure(|it| it.answers.nonce_reject_rate = 0.0);
        world.ca.clear_requests();
        account.fetch().await.unwrap();
        assert_eq!(world.asked(), [Asked::Account]);
    }
}

// C43, C44: a missing or malformed nonce hides nothing.
#[tokio::test]
async fn the_problem_is_seen_without_a_nonce() {
    for fault in [Fault::NoNonce, Fault::MangledNonce] {
        let world = World::new().await;
        let account = world.account().await;
        world.ca.inject(fault.clone().on(Asked::Order));
        world.ca.inject(fault.on(Asked::Account).times(1));
        let order = account.url().replace("/account/", "/order/");
        let error = account.order(order).await.unwrap_err();
        assert!(error.status() >= Some(400), "{error}");
        assert_eq!(error.operation(), Operation::Order);
        // `badNonce` without one: a fresh one is fetched.
        world.ca.inject(Fault::BadNonce.on(Asked::Account).times(1));
        account.fetch().await.unwrap();
        assert_eq!(world.asked_for(Asked::Account), 2);
    }
}

#[tokio::test]
async fn a_ca_that_forgets_its_nonces_costs_one_request() {
    let world = World::new().await;
    // Requests side by side: several nonces are kept.
    world.obtain(&["a.example", "b.example"]).await.unwrap();
    let account = world.account().await;
    world.ca.forget_nonces();
    world.ca.clear_requests();
    account.fetch().await.unwrap();
    assert_eq!(world.asked(), [Asked::Account, Asked::Account]);
    // The others of its kind are not tried one by one.
    let (one, two) = tokio::join!(account.fetch(), account.fetch());
    one.and(two).unwrap();
    assert_eq!(world.asked_for(Asked::Account), 4);
}

// 5xx and broken connections pass; what is refused does not.
#[tokio::test]
async fn only_what_may_pass_is_tried_again() {
    let world = World::new().await;
    let account = world.account().await;
    let check = async |fault: Fault, attempts: usize| {
        world.ca.clear_faults();
        let before = world.transport.seen().len();
        world.ca.inject(fault.clone().on(Asked::Account));
        let error = within(account.fetch()).await.unwrap_err();
        let seen = world.transport.seen().split_off(before);
        let posts = seen.iter().filter(|it| it.method == "POST").count();
        assert_eq!(posts, attempts, "{fault:?}");
        assert_eq!(error.attempts() as usize, attempts, "{fault:?}");
    };
    check(Fault::Html(502), 3).await;
    check(Fault::DropRequest, 3).await;
    check(Fault::DropAnswer, 3).await;
    check(Fault::CutBody, 3).await;
    check(Fault::Html(404), 1).await;
    check(Fault::HtmlBody, 1).await;
    check(Fault::EmptyBody, 1).await;
    check(Fault::EndlessBody, 1).await;
    check(Fault::RateLimited(None), 1).await;
    check(
        Fault::RateLimited(Some(std::time::Duration::from_secs(1))),
        3,
    )
    .await;
    check(
        Fault::RateLimited(Some(std::time::Duration::from_secs(9))),
        1,
    )
    .await;
}

#[tokio::test]
async fn attempts_and_pauses_are_bounded() {
    let world = World::new().await;
    let url = world.account().await.url().to_owned();
    let fetch = async |retries| {
        let clock = QuickClock::default();
        let client = Client::builder(world.ca.directory_url(), world.transport.clone())
            .clock(Arc::new(clock.clone()))
            .randomness(Arc::new(Longest))
            .retries(retries)
            .build()
            .unwrap();
        let account = client.account(world.account_key.clone(), url.as_str());
        world.ca.clear_requests();
        world.ca.inject(Fault::Html(503).on(Asked::Account));
        account.fetch().await.unwrap_err();
        (world.asked_for(Asked::Account), clock.waits())
    };
    assert_eq!(fetch(RetryPolicy::never()).await.0, 1);
    let (count, waits) = fetch(RetryPolicy::default().attempts(100)).await;
    let millis: Vec<_> = waits.iter().map(|it| it.as_millis()).collect();
    // Within half a minute, and no longer than that.
    let expected = [500, 1000, 2000, 4000, 5000, 5000, 5000, 5000];
    assert_eq!(millis, expected);
    assert_eq!(count, expected.len() + 1);
}

#[derive(Debug)]
struct Longest;

impl acme_client::Randomness for Longest {
    fn draw(&self) -> u64 {
        u64::MAX
    }
}

/// A key in an HSM: it signs when it is told to, or never.
#[derive(Debug)]
struct Slow {
    key: Arc<acme_client::messages::jose::PrivateKey>,
    asked: Notify,
}

impl AsyncSigner for Slow {
    fn algorithm(&self) -> SigningAlgorithm {
        Signer::algorithm(&*self.key)
    }

    fn public_jwk(&self) -> &Jwk {
        self.key.public_jwk_of()
    }

    fn sign<'a>(&'a self, _: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        self.asked.notify_one();
        Box::pin(std::future::pending())
    }
}

// Whoever gives up before anything was sent leaves the nonces as they were.
#[tokio::test]
async fn cancelling_loses_no_nonce_that_was_not_sent() {
    let world = World::new().await;
    let url = world.account().await.url().to_owned();
    let signer = Arc::new(Slow {
        key: world.account_key.clone(),
        asked: Notify::new(),
    });
    let slow = world.client.account(signer.clone(), url.as_str());
    let fetch = tokio::spawn(async move { slow.fetch().await });
    signer.asked.notified().await;
    fetch.abort();
    assert!(fetch.await.unwrap_err().is_cancelled());
    let account = world
        .client
        .account(world.account_key.clone(), url.as_str());
    account.fetch().await.unwrap();
    assert_eq!(world.asked(), [Asked::Account], "the nonce was at hand");
}

// One that was sent is gone, and only that one; nobody else is blocked.
#[tokio::test]
async fn cancelling_a_request_leaves_the_client_whole() {
    let world = World::new().await;
    let account = world.account().await;
    world.transport.once("account", Meddle::Hang);
    let other = account.clone();
    let fetch = tokio::spawn(async move { other.fetch().await });
    let transport = world.transport.clone();
    let hangs = || transport.seen().iter().any(|it| it.url == account.url());
    until(hangs).await;
    fetch.abort();
    for _ in 0..3 {
        within(account.fetch()).await.unwrap();
    }
    let nonces = world.transport.nonces();
    let different: std::collections::HashSet<_> = nonces.iter().collect();
    assert_eq!(different.len(), nonces.len());
}

// A directory that has moved is fetched again, once.
#[tokio::test]
async fn resources_that_moved_are_found() {
    let world = World::new().await;
    let account = world.account().await;
    let real = world.client.directory().await.unwrap().new_order.clone();
    let url = world.ca.directory_url();
    // A client whose directory is from yesterday.
    let stale = real.replace("new-order", "old-order");
    let mut first = true;
    world.transport.rule(move |request| {
        if request.method() != "GET" || !std::mem::take(&mut first) {
            return Meddle::Pass;
        }
        let (real, stale) = (real.clone(), stale.clone());
        Meddle::Change(Box::new(move |answer| {
            let text = String::from_utf8(answer.body().to_vec()).unwrap();
            *answer.body_mut() = text.replace(&real, &stale).into();
        }))
    });
    let client = Client::builder(url, world.transport.clone())
        .build()
        .unwrap();
    let moved = client.account(world.account_key.clone(), account.url());
    world.ca.clear_requests();
    let names = crate::world::names(&["a.example"]);
    let new = acme_client::messages::NewOrder::new(names);
    moved.new_order(&new).await.unwrap();
    assert_eq!(world.asked_for(Asked::Directory), 2);
    assert_eq!(world.asked_for(Asked::NewOrder), 1);
    // A resource that is where it was and is not there is an error, not a loop.
    world.ca.fail_next(Asked::NewOrder, 404);
    let error = moved.new_order(&new).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    assert_eq!(world.asked_for(Asked::NewOrder), 2);
}
