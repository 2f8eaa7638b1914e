//! Responders that fail, hang and panic, each where it was told to.

use std::{error::Error, sync::Arc};

use acme_testing::{
    FaultyResponder, InjectedFault, Mishap, RecordingResponder,
    messages::ChallengeType,
    responders::{Responder, ResponderError},
};
use tokio::task::JoinError;

use crate::challenges::challenge;

type Outcome = Result<Result<(), ResponderError>, JoinError>;

/// What becomes of a start and a stop; `None` where one has not come back.
async fn outcomes(responder: FaultyResponder) -> [Option<Outcome>; 2] {
    let responder = Arc::new(responder);
    let started = tokio::spawn({
        let responder = responder.clone();
        async move { responder.start(&challenge("one")).await }
    });
    let stopped = tokio::spawn(async move { responder.stop(&challenge("one")).await });
    let mut outcomes = [None, None];
    for (outcome, mut task) in outcomes.iter_mut().zip([started, stopped]) {
        // All that runs by itself has run by then.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        *outcome = futures_util::FutureExt::now_or_never(&mut task);
        task.abort();
    }
    outcomes
}

fn is_fine(outcome: &Option<Outcome>) -> bool {
    matches!(outcome, Some(Ok(Ok(()))))
}

fn is_injected(outcome: &Option<Outcome>) -> bool {
    let Some(Ok(Err(error))) = outcome else {
        return false;
    };
    error.source().unwrap().is::<InjectedFault>()
}

fn has_panicked(outcome: &Option<Outcome>) -> bool {
    matches!(outcome, Some(Err(error)) if error.is_panic())
}

#[tokio::test]
async fn each_fault_happens_where_it_was_told_to() {
    let new = || FaultyResponder::new(ChallengeType::Http01);
    let [start, stop] = outcomes(new()).await;
    assert!(is_fine(&start) && is_fine(&stop));
    let [start, stop] = outcomes(new().in_start(Mishap::Fail)).await;
    assert!(is_injected(&start) && is_fine(&stop));
    let [start, stop] = outcomes(new().in_stop(Mishap::Fail)).await;
    assert!(is_fine(&start) && is_injected(&stop));
    let [start, stop] = outcomes(new().in_start(Mishap::Hang).in_stop(Mishap::Panic)).await;
    assert!(start.is_none() && has_panicked(&stop));
    let [start, stop] = outcomes(new().in_start(Mishap::Panic).in_stop(Mishap::Hang)).await;
    assert!(has_panicked(&start) && stop.is_none());
}

#[tokio::test]
async fn a_failure_comes_before_the_work_or_after_it() {
    for (mishap, calls) in [(Mishap::Fail, 0), (Mishap::FailAfterwards, 1)] {
        let inner = Arc::new(RecordingResponder::new(ChallengeType::Dns01));
        let responder = FaultyResponder::over(inner.clone()).in_start(mishap);
        assert_eq!(responder.challenge_type(), ChallengeType::Dns01);
        responder.start(&challenge("one")).await.unwrap_err();
        assert_eq!(inner.under_way(), calls, "{mishap:?}");
    }
}
