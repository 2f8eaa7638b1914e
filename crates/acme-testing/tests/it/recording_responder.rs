//! What a recording responder writes down, and that it can be waited for.

use acme_testing::{
    RecordingResponder, ResponderCall, messages::ChallengeType, responders::Responder,
};

use futures_util::FutureExt;

use crate::challenges::challenge;

fn tokens(responder: &RecordingResponder) -> Vec<(&'static str, String)> {
    let calls = responder.calls();
    let told = calls.iter().map(|call| match call {
        ResponderCall::Start(it) => ("start", it.token().as_str().to_owned()),
        ResponderCall::Stop(it) => ("stop", it.token().as_str().to_owned()),
        other => panic!("{other:?}"),
    });
    told.collect()
}

#[tokio::test]
async fn calls_are_kept_in_order_and_counted_by_token() {
    let responder = RecordingResponder::new(ChallengeType::Http01);
    let (one, other) = (challenge("one"), challenge("other"));
    responder.start(&one).await.unwrap();
    responder.start(&one).await.unwrap();
    responder.start(&other).await.unwrap();
    assert_eq!(responder.under_way(), 2);
    responder.stop(&one).await.unwrap();
    responder.stop(&challenge("unknown")).await.unwrap();
    assert_eq!(responder.under_way(), 1);
    let expected = [
        ("start", "one"),
        ("start", "one"),
        ("start", "other"),
        ("stop", "one"),
        ("stop", "unknown"),
    ];
    assert_eq!(
        tokens(&responder),
        expected.map(|(call, token)| (call, token.to_owned()))
    );
}

#[tokio::test]
async fn calls_and_rest_can_be_waited_for() {
    let responder = RecordingResponder::new(ChallengeType::Http01);
    responder.wait_until_idle().await;
    let one = challenge("one");
    let mut called = Box::pin(responder.wait_for_calls(1));
    assert!((&mut called).now_or_never().is_none());
    responder.start(&one).await.unwrap();
    called.await;
    let mut idle = Box::pin(responder.wait_until_idle());
    assert!((&mut idle).now_or_never().is_none());
    responder.stop(&one).await.unwrap();
    idle.await;
    assert_eq!((responder.calls().len(), responder.under_way()), (2, 0));
}
