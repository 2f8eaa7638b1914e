//! What an authority does with responders.

use std::{collections::HashSet, sync::Arc};

use acme_client::ErrorKind;
use acme_messages::ServerName;
use acme_responders::{ChallengeContext, Responder};

use super::{Subject, new_key, request, within};
use crate::{FaultyResponder, Mishap, NullResponder, RecordingResponder, ResponderCall};

/// Each challenge is for one of the names, with a token of its own, which its answer begins
/// with ([RFC 8555, section 8.1](https://www.rfc-editor.org/rfc/rfc8555#section-8.1)).
///
/// # Panics
/// - When it is not so.
pub async fn challenges_are_for_the_names(subject: &Subject) {
    let recorder = Arc::new(RecordingResponder::over(subject.responder.clone()));
    let names = subject.fresh_names(2);
    attempt(subject, &names, recorder.clone())
        .await
        .expect("names that are proved are issued");
    let mut proved = HashSet::new();
    let mut tokens = HashSet::new();
    for challenge in started(&recorder) {
        let name = challenge.name();
        assert!(names.contains(name), "nobody asked for {name}");
        assert_eq!(
            *challenge.challenge_type(),
            recorder.challenge_type(),
            "a responder is started for its own type"
        );
        let token = challenge.token().as_str();
        let answer = challenge.key_authorization().as_str();
        assert_eq!(
            answer.split('.').next(),
            Some(token),
            "an answer begins with its token"
        );
        assert!(tokens.insert(token.to_owned()), "each has its own token");
        proved.insert(name.clone());
    }
    assert_eq!(proved.len(), names.len(), "each name is proved");
}

/// Without a responder nothing is issued: [`ErrorKind::NoSupportedChallenge`].
///
/// # Panics
/// - When it is not so.
pub async fn without_a_responder_nothing_is_issued(subject: &Subject) {
    let request = request(&subject.fresh_names(1), &new_key());
    let refused = subject.obtain(&request).await.map(drop);
    let error = refused.expect_err("a name that is not proved is not issued");
    assert_eq!(error.kind(), ErrorKind::NoSupportedChallenge, "{error}");
}

/// A responder that cannot start is [`ErrorKind::Responder`], and harms no later order for the
/// same name.
///
/// # Panics
/// - When it is not so.
pub async fn a_failing_responder_is_the_error(subject: &Subject) {
    let names = subject.fresh_names(1);
    let faulty = FaultyResponder::over(subject.responder.clone()).in_start(Mishap::Fail);
    let refused = attempt(subject, &names, Arc::new(faulty)).await;
    let error = refused.expect_err("a responder that fails is no proof");
    assert_eq!(error.kind(), ErrorKind::Responder, "{error}");
    assert!(
        std::error::Error::source(&error).is_some(),
        "the responder's own error is the cause"
    );
    subject.issue(&names).await;
}

/// A name without an answer is [`ErrorKind::AuthorizationFailed`], where the subject
/// [validates](Subject::validates), and its responder is stopped.
///
/// # Panics
/// - When it is not so.
pub async fn wrong_answers_are_refused(subject: &Subject) {
    if !subject.validates {
        return;
    }
    let silent = NullResponder::new(subject.responder.challenge_type());
    let recorder = Arc::new(RecordingResponder::over(silent));
    let refused = attempt(subject, &subject.fresh_names(1), recorder.clone()).await;
    let error = refused.expect_err("a name that is not proved is not issued");
    assert_eq!(error.kind(), ErrorKind::AuthorizationFailed, "{error}");
    within(recorder.wait_until_idle()).await;
}

/// Each responder that was started is stopped by the time the certificate is there.
///
/// # Panics
/// - When it is not so.
pub async fn responders_are_stopped_after_success(subject: &Subject) {
    let recorder = Arc::new(RecordingResponder::over(subject.responder.clone()));
    attempt(subject, &subject.fresh_names(2), recorder.clone())
        .await
        .expect("names that are proved are issued");
    assert!(!recorder.calls().is_empty(), "the responder was started");
    assert_eq!(recorder.under_way(), 0, "each that started is stopped");
}

/// Each responder that was started is stopped after one of them has failed.
///
/// # Panics
/// - When it is not so.
pub async fn responders_are_stopped_after_a_failure(subject: &Subject) {
    let faulty = FaultyResponder::over(subject.responder.clone()).in_start(Mishap::FailAfterwards);
    let recorder = Arc::new(RecordingResponder::over(faulty));
    let refused = attempt(subject, &subject.fresh_names(2), recorder.clone()).await;
    refused.expect_err("a responder that fails is no proof");
    assert!(!recorder.calls().is_empty(), "the responder was started");
    within(recorder.wait_until_idle()).await;
}

/// Dropping an order under way stops the responders that were started.
///
/// # Panics
/// - When it is not so.
pub async fn giving_up_stops_responders(subject: &Subject) {
    give_up(subject, |responder| responder).await;
}

/// Dropping an order while a responder is still starting stops it.
///
/// # Panics
/// - When it is not so.
pub async fn giving_up_while_a_responder_starts_stops_it(subject: &Subject) {
    give_up(subject, |responder| responder.in_start(Mishap::Hang)).await;
}

/// Drops an order as soon as a responder is started.
async fn give_up(subject: &Subject, spoil: fn(FaultyResponder) -> FaultyResponder) {
    let responder = spoil(FaultyResponder::over(subject.responder.clone()));
    let recorder = Arc::new(RecordingResponder::over(responder));
    let names = subject.fresh_names(1);
    tokio::select! {
        biased;
        () = within(recorder.wait_for_calls(1)) => {}
        // An authority may be done before anybody could give up.
        _ = attempt(subject, &names, recorder.clone()) => {}
    }
    assert!(!recorder.calls().is_empty(), "the responder was started");
    within(recorder.wait_until_idle()).await;
}

async fn attempt(
    subject: &Subject,
    names: &[ServerName],
    responder: Arc<dyn Responder>,
) -> Result<(), acme_client::Error> {
    let request = request(names, &new_key()).responder(responder);
    subject.obtain(&request).await.map(drop)
}

fn started(recorder: &RecordingResponder) -> Vec<ChallengeContext> {
    let calls = recorder.calls().into_iter();
    let started = calls.filter_map(|call| match call {
        ResponderCall::Start(challenge) => Some(challenge),
        ResponderCall::Stop(_) => None,
    });
    started.collect()
}
