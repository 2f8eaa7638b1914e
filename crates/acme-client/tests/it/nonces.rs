//! Nonces: the error's own after `badNonce`, and none ever twice.

use std::collections::HashSet;

use acme_client::{BAD_NONCE_RETRIES, ErrorKind, messages::ProblemType};
use acme_testing::Operation as Asked;

use crate::{
    transport::Meddle,
    world::{World, within},
};

// C38.
#[tokio::test]
async fn bad_nonce_uses_the_errors_nonce() {
    let world = World::new().await;
    let account = world.account().await;
    world.ca.configure(|it| it.answers.nonce_reject_rate = 1.0);
    let before = world.transport.seen().len();
    let error = within(account.obtain(&world.request(&["a.example"])))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Problem);
    assert_eq!(error.problem().unwrap().kind, ProblemType::BadNonce);
    assert!(error.is_transient());
    let seen = world.transport.seen().split_off(before);
    assert_eq!(seen.len(), 1 + BAD_NONCE_RETRIES as usize);
    for pair in seen.windows(2) {
        assert!(pair[0].answer_nonce.is_some());
        assert_eq!(pair[1].nonce, pair[0].answer_nonce);
    }
    // What was kept is good: nothing but the refused is lost.
    world.ca.configure(|it| it.answers.nonce_reject_rate = 0.0);
    within(account.obtain(&world.request(&["a.example"])))
        .await
        .unwrap();
}

#[tokio::test]
async fn many_bad_nonces_are_outlasted() {
    let world = World::new().await;
    let account = world.account().await;
    world.ca.configure(|it| it.answers.nonce_reject_rate = 0.4);
    within(account.obtain(&world.request(&["a.example", "b.example"])))
        .await
        .unwrap();
}

// nginx-acme and lego send a POST again with the nonce of the lost one.
#[tokio::test]
async fn no_nonce_is_sent_twice() {
    let world = World::new().await;
    let account = world.account().await;
    world.ca.configure(|it| it.answers.nonce_reject_rate = 0.2);
    let mut count = 0;
    world.transport.rule(move |request| {
        // A newOrder whose answer is lost is not tried again.
        if request.uri().path().contains("new-order") {
            return Meddle::Pass;
        }
        count += 1;
        match count % 5 {
            1 => Meddle::LoseAnswer,
            3 => Meddle::LoseRequest,
            _ => Meddle::Pass,
        }
    });
    let names = ["a.example", "b.example", "c.example"];
    within(account.obtain(&world.request(&names)))
        .await
        .unwrap();
    let nonces = world.transport.nonces();
    let different: HashSet<_> = nonces.iter().collect();
    assert!(nonces.len() > 12);
    assert_eq!(different.len(), nonces.len());
}

// A cache between that gives one answer to two: the nonce is used once.
#[tokio::test]
async fn a_nonce_that_comes_twice_is_used_once() {
    let world = World::new().await;
    let account = world.account().await;
    world
        .transport
        .rule(|request| match request.method().as_str() {
            "POST" => Meddle::Change(Box::new(|answer| {
                answer
                    .headers_mut()
                    .insert("replay-nonce", "c2FtZQ".parse().unwrap());
            })),
            _ => Meddle::Pass,
        });
    // It is no nonce of the CA's: the error brings it once more, and a fresh one is fetched.
    within(account.obtain(&world.request(&["a.example"])))
        .await
        .unwrap();
    let nonces = world.transport.nonces();
    let pairs = nonces.windows(2);
    assert_eq!(pairs.filter(|it| it[0] == it[1]).count(), 0, "{nonces:?}");
}

#[tokio::test]
async fn a_missing_replay_nonce_is_tolerated() {
    for header in [None, Some("not base64url!")] {
        let world = World::new().await;
        let account = world.account().await;
        world
            .transport
            .rule(move |request| match request.method().as_str() {
                "POST" => Meddle::Change(Box::new(move |answer| {
                    answer.headers_mut().remove("replay-nonce");
                    if let Some(text) = header {
                        answer
                            .headers_mut()
                            .insert("replay-nonce", text.parse().unwrap());
                    }
                })),
                _ => Meddle::Pass,
            });
        within(account.obtain(&world.request(&["a.example"])))
            .await
            .unwrap();
        assert_eq!(world.asked_for(Asked::NewNonce), 5, "one was at hand");
    }
}
