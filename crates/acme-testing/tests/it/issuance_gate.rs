//! The gate before a fake CA's issuances.

use acme_testing::{
    IssuanceGate,
    client::{Error, ErrorKind, Operation},
};
use futures_util::FutureExt;
use tokio::task::JoinHandle;

type Passing = JoinHandle<Result<(), Error>>;

async fn three_wait(gate: &IssuanceGate) -> [Passing; 3] {
    let before = gate.pending();
    let passing = [(); 3].map(|()| {
        let gate = gate.clone();
        tokio::spawn(async move { gate.pass().await })
    });
    gate.wait_for_pending(before + 3).await;
    passing
}

// X4, X5, X6
#[tokio::test]
async fn a_closed_gate_counts_who_waits_and_an_open_one_holds_nobody() {
    let gate = IssuanceGate::new(false);
    assert!(!gate.is_paused());
    assert!(gate.pass().now_or_never().unwrap().is_ok());

    let gate = IssuanceGate::new(true);
    assert_eq!(gate.pending(), 0);
    let passing = three_wait(&gate).await;
    assert_eq!(gate.pending(), 3);
    assert!(passing.iter().all(|it| !it.is_finished()));
}

// X7, X8
#[tokio::test]
async fn resuming_opens_the_gate_for_good() {
    let gate = IssuanceGate::default();
    gate.pause();
    let passing = three_wait(&gate).await;
    gate.resume();
    assert_eq!(gate.pending(), 0);
    for one in passing {
        one.await.unwrap().unwrap();
    }
    assert!(!gate.is_paused());
    assert!(gate.pass().now_or_never().unwrap().is_ok());
}

// X8, L38
#[tokio::test]
async fn those_who_wait_can_be_failed_each_with_its_own_error() {
    let gate = IssuanceGate::new(true);
    let passing = three_wait(&gate).await;
    let mut count = 0;
    gate.resume_with(|| {
        count += 1;
        Err(Error::new(ErrorKind::OrderFailed, Operation::Finalize).with_detail(count.to_string()))
    });
    let mut details = Vec::new();
    for one in passing {
        let error = one.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OrderFailed);
        details.push(error.to_string().chars().last().unwrap());
    }
    details.sort_unstable();
    assert_eq!(details, ['1', '2', '3']);
    assert!(gate.pass().now_or_never().unwrap().is_ok());
}

// X8, as txacme's did it
#[tokio::test]
async fn those_who_wait_can_be_let_go_while_the_gate_stays_closed() {
    let gate = IssuanceGate::new(true);
    for one in {
        let passing = three_wait(&gate).await;
        gate.release_pending();
        passing
    } {
        one.await.unwrap().unwrap();
    }
    assert!(gate.is_paused());
    assert!(gate.pass().now_or_never().is_none());
}

#[tokio::test]
async fn who_gives_up_is_not_counted_and_harms_nobody() {
    let gate = IssuanceGate::new(true);
    let [first, second, third] = three_wait(&gate).await;
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    assert_eq!(gate.pending(), 2);
    {
        let waiter = gate.pass();
        tokio::pin!(waiter);
        assert!(waiter.as_mut().now_or_never().is_none());
        assert_eq!(gate.pending(), 3);
        // Let go, and never looked at again.
        gate.release_pending();
        assert_eq!(gate.pending(), 0);
    }
    assert_eq!(gate.pending(), 0);
    first.await.unwrap().unwrap();
    third.await.unwrap().unwrap();
    assert_eq!(
        format!("{gate:?}"),
        "IssuanceGate { paused: true, pending: 0 }"
    );
}
