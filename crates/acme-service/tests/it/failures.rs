//! What failures lead to: pauses, alarms, and never the loss of what serves.

use std::{sync::Arc, time::Duration};

use acme_service::{
    IssueError, ServiceEvent,
    client::{ErrorKind, Operation},
    messages::{ChallengeType, ProblemType},
};
use acme_testing::{FakeOutcome, NullResponder};

use crate::{
    doubles::{foreign, problem, unreachable_ca},
    world::{DAY, HOUR, MINUTE, SECOND, World, name, settle, until, within},
};

/// The pauses between the orders for one name whose every order ends so.
async fn pauses(act: fn() -> FakeOutcome, span: Duration) -> Vec<Duration> {
    let world = World::new();
    world.request("a.example");
    world.authority.script(move |_| act());
    let _service = world.start();
    settle().await;
    world.pass(span, MINUTE).await;
    let moments = world.moments();
    let pairs = moments.windows(2);
    pairs
        .map(|it| Duration::try_from(it[1].duration_since(it[0])).unwrap())
        .collect()
}

// acmed retried without a pause.
#[tokio::test]
async fn failures_back_off() {
    let expected = [MINUTE, 10 * MINUTE, 100 * MINUTE, DAY, DAY];
    assert_eq!(
        pauses(|| FakeOutcome::Fail(unreachable_ca()), 3 * DAY).await,
        expected
    );
}

// rustls-acme retried after 1, 2, 4, 8, 16 s whatever the error.
#[tokio::test]
async fn permanent_errors_slow_down() {
    let expected = [100 * MINUTE, DAY, DAY];
    assert_eq!(
        pauses(|| FakeOutcome::Fail(problem(ProblemType::Caa)), 3 * DAY).await,
        expected
    );
    // "Paused" at Let's Encrypt: a person must act, and no wait is named.
    assert_eq!(
        pauses(
            || FakeOutcome::Fail(problem(ProblemType::RateLimited)),
            3 * DAY
        )
        .await,
        expected
    );
    // Each of these has spent one of five certificates a week.
    assert_eq!(pauses(foreign, 3 * DAY).await, expected);
}

// CertMagic drops it and uses its own table.
#[tokio::test]
async fn retry_after_on_429_is_obeyed() {
    let long =
        || FakeOutcome::Fail(problem(ProblemType::RateLimited).with_retry_after(Some(3 * HOUR)));
    assert_eq!(pauses(long, 7 * HOUR).await, [3 * HOUR, 3 * HOUR]);
    // It says when there is room again: that is no reason to wait for longer.
    let short =
        || FakeOutcome::Fail(problem(ProblemType::RateLimited).with_retry_after(Some(5 * MINUTE)));
    assert_eq!(pauses(short, 16 * MINUTE).await, [5 * MINUTE, 10 * MINUTE]);
    let never = || {
        FakeOutcome::Fail(problem(ProblemType::RateLimited).with_retry_after(Some(Duration::MAX)))
    };
    assert_eq!(pauses(never, DAY).await, [DAY]);
}

// The last pauses must not outlast what is left of a short life.
#[tokio::test]
async fn short_lives_are_tried_more_often() {
    let world = World::new();
    world.authority.set_lifetime(DAY);
    world.request("a.example");
    let _service = world.start();
    settle().await;
    let mut left = 20;
    world.authority.script(move |_| {
        left -= 1;
        if left > 0 {
            FakeOutcome::Fail(unreachable_ca())
        } else {
            FakeOutcome::Issue
        }
    });
    world.pass(DAY, MINUTE).await;
    let bundle = world.stored("a.example").await.unwrap();
    assert!(bundle.chain().leaf().not_after > world.now());
    let pauses = world.moments();
    let shortest = pauses
        .windows(2)
        .skip(3)
        .map(|it| it[1].duration_since(it[0]))
        .min();
    assert!(shortest.unwrap() >= jiff::SignedDuration::from_mins(10));
}

// CertMagic did not issue the 1,001st name in 45 s.
#[tokio::test]
async fn dead_names_do_not_starve() {
    let world = World::new();
    for at in 0..1_000 {
        world.request(&format!("dead{at}.example"));
    }
    world.request("zz-healthy.example");
    world.authority.script(
        |order| match order.names[0].to_string().starts_with("dead") {
            true => FakeOutcome::Fail(problem(ProblemType::Connection)),
            false => FakeOutcome::Issue,
        },
    );
    let service = world.start();
    let start = world.now();
    let check = within(service.handle.initial_check()).await.unwrap();
    assert_eq!(check.attempted.len(), 1_001);
    assert!(world.stored("zz-healthy.example").await.is_some());
    assert_eq!(world.now(), start, "no time passed");
    // One that comes later finds the slots free.
    world.request("zz-later.example");
    until(|| world.orders() == 1_002).await;
    settle().await;
    assert!(world.stored("zz-later.example").await.is_some());
}

// CertMagic leaked the slot, and never queued the name again.
#[tokio::test]
async fn panic_in_job_requeues() {
    let world = World::new();
    world.request("a.example");
    let mut panics = 5;
    world.authority.script(move |_| {
        panics -= 1;
        if panics > 0 {
            FakeOutcome::Panic
        } else {
            FakeOutcome::Issue
        }
    });
    let mut service = world.start_with(|it| it.parallel(1));
    let check = within(service.handle.initial_check()).await.unwrap();
    assert!(matches!(check.attempted[0].1, Err(IssueError::Panicked)));
    world.pass(2 * DAY, MINUTE).await;
    assert!(world.stored("a.example").await.is_some());
    let failures = service.reported().into_iter().filter_map(|it| match it {
        ServiceEvent::Failed { failures, .. } => Some(failures),
        _ => None,
    });
    assert_eq!(failures.collect::<Vec<_>>(), [1, 2, 3, 4]);
}

// nginx-acme stopped serving a certificate that was still valid.
#[tokio::test]
async fn refused_renewal_keeps_serving() {
    let world = World::new();
    let old = world.bundle("a.example", 20 * DAY);
    world.put("a.example", &old).await;
    let before = world.entry("a.example").await;
    world
        .authority
        .script(|_| FakeOutcome::Fail(problem(ProblemType::Caa)));
    let _service = world.start();
    settle().await;
    world.pass(40 * DAY, HOUR).await;
    assert!(world.orders() > 20, "{}", world.orders());
    assert_eq!(world.entry("a.example").await, before);
}

// A chain for other names is refused whoever hands it over.
#[tokio::test]
async fn foreign_chain_is_refused() {
    let world = World::new();
    let old = world.bundle("a.example", 20 * DAY);
    world.put("a.example", &old).await;
    world.authority.script(|_| foreign());
    let service = world.start();
    let error = within(service.handle.issue(&name("a.example")))
        .await
        .unwrap_err();
    let error = error.authority().unwrap();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::InvalidChain, Operation::Certificate)
    );
    assert_eq!(world.stored("a.example").await.unwrap(), old);
}

// CertMagic gave up after 30 days, and reported success.
#[tokio::test]
async fn giving_up_is_never_success() {
    let world = World::new();
    world.request("a.example");
    world
        .authority
        .script(|_| FakeOutcome::Fail(unreachable_ca()));
    let mut service = world.start();
    let check = within(service.handle.initial_check()).await.unwrap();
    assert!(!check.is_ok());
    world.pass(40 * DAY, HOUR).await;
    let last = *world.moments().last().unwrap();
    assert!(world.now().duration_since(last) <= jiff::SignedDuration::from_hours(25));
    for event in service.reported() {
        match event {
            ServiceEvent::Issued { .. } => panic!("nothing was issued"),
            ServiceEvent::Failed {
                alarming,
                next_attempt,
                ..
            } => {
                assert!(alarming && next_attempt > "2026-01-01T00:00:00Z".parse().unwrap());
            }
            _ => {}
        }
    }
    world.authority.script(|_| FakeOutcome::Issue);
    world.pass(DAY, HOUR).await;
    assert!(world.stored("a.example").await.is_some());
}

// V7, V23: an alarm only where little time is left, and at each failure then.
#[tokio::test]
async fn failures_alarm_when_time_runs_short() {
    let world = World::new();
    world
        .put("a.example", &world.bundle("a.example", 30 * DAY))
        .await;
    world
        .authority
        .script(|_| FakeOutcome::Fail(unreachable_ca()));
    let mut service = world.start();
    settle().await;
    world.pass(14 * DAY, HOUR).await;
    let alarms = |service: &mut crate::world::Running| -> Vec<bool> {
        let events = service.reported().into_iter();
        events
            .filter_map(|it| match it {
                ServiceEvent::Failed { alarming, .. } => Some(alarming),
                _ => None,
            })
            .collect()
    };
    let quiet = alarms(&mut service);
    assert!(quiet.len() > 10 && quiet.iter().all(|it| !it), "{quiet:?}");
    world.pass(2 * DAY, HOUR).await;
    alarms(&mut service);
    world.pass(10 * DAY + SECOND, HOUR).await;
    let loud = alarms(&mut service);
    assert!(loud.len() >= 9 && loud.iter().all(|it| *it), "{loud:?}");
}

// A CA that cannot reach port 443 may reach port 80.
#[tokio::test]
async fn another_responder_goes_first_after_a_failure() {
    let world = World::new();
    world.request("a.example");
    world
        .authority
        .script(|_| FakeOutcome::Fail(unreachable_ca()));
    let _service = world.start_with(|builder| {
        builder
            .responder(Arc::new(NullResponder::new(ChallengeType::TlsAlpn01)))
            .responder(Arc::new(NullResponder::new(ChallengeType::Http01)))
    });
    settle().await;
    world.pass(12 * MINUTE, MINUTE).await;
    assert_eq!(world.preferred(), ["tls-alpn-01", "http-01", "tls-alpn-01"]);
}
