//! When the service looks, and what it renews.

use acme_service::{RenewalPolicy, ServiceEvent};
use acme_testing::{CertificateValidity, FakeOutcome};

use crate::{
    doubles::unreachable_ca,
    world::{DAY, HOUR, MINUTE, Running, SECOND, World, name, settle, within},
};

const TXACME: RenewalPolicy = RenewalPolicy::Fixed {
    reissue: DAY.saturating_mul(30),
    alert: DAY.saturating_mul(15),
};

fn checks(service: &mut Running) -> usize {
    let events = service.reported().into_iter();
    events
        .filter(|it| matches!(it, ServiceEvent::Checked { .. }))
        .count()
}

// V4: at the start, then each interval measured from it.
#[tokio::test]
async fn checks_come_at_the_start_and_each_interval() {
    let world = World::new();
    let mut service = world.start_with(|it| it.check_interval(12 * HOUR));
    settle().await;
    assert_eq!(checks(&mut service), 1);
    world.pass(12 * HOUR - SECOND, 7 * MINUTE).await;
    assert_eq!(checks(&mut service), 0);
    world.pass(SECOND, SECOND).await;
    assert_eq!(checks(&mut service), 1);
    world.pass(12 * HOUR, 7 * MINUTE).await;
    assert_eq!(checks(&mut service), 1);
}

// V4: a check that overruns makes ticks be skipped, not queued.
#[tokio::test]
async fn missed_checks_are_skipped() {
    let world = World::new();
    let mut service = world.start_with(|it| it.check_interval(HOUR));
    settle().await;
    checks(&mut service);
    world.clock.advance(10 * HOUR + 30 * MINUTE);
    settle().await;
    assert_eq!(checks(&mut service), 1);
    world.pass(30 * MINUTE, MINUTE).await;
    assert_eq!(checks(&mut service), 1);
}

#[tokio::test]
async fn any_interval_will_do() {
    for interval in [std::time::Duration::ZERO, std::time::Duration::MAX] {
        let world = World::new();
        world.request("a.example");
        let mut service = world.start_with(|it| it.check_interval(interval));
        within(service.handle.initial_check()).await.unwrap();
        settle().await;
        assert!(checks(&mut service) <= 2, "{interval:?}");
        assert!(world.stored("a.example").await.is_some());
    }
}

// V5, V6: both limits are inclusive, to the second.
#[tokio::test]
async fn limits_are_inclusive() {
    let check = async |left, due: bool, alarming: bool| {
        let world = World::new();
        world
            .authority
            .script(|_| FakeOutcome::Fail(unreachable_ca()));
        world
            .put("a.example", &world.bundle("a.example", left))
            .await;
        let mut service = world.start_with(|it| it.policy(TXACME));
        settle().await;
        let alarms: Vec<_> = service
            .reported()
            .into_iter()
            .filter_map(|it| match it {
                ServiceEvent::Failed { alarming, .. } => Some(alarming),
                _ => None,
            })
            .collect();
        let expected = if due { vec![alarming] } else { Vec::new() };
        assert_eq!(alarms, expected, "{left:?}");
    };
    check(30 * DAY + SECOND, false, false).await;
    check(30 * DAY, true, false).await;
    check(15 * DAY + SECOND, true, false).await;
    check(15 * DAY, true, true).await;
}

// V25, with txacme's own numbers.
#[tokio::test]
async fn time_marches_on() {
    let world = World::new();
    let (first, second) = (
        world.bundle("first.example", 31 * DAY),
        world.bundle("second.example", 32 * DAY),
    );
    world.put("first.example", &first).await;
    world.put("second.example", &second).await;
    let _service = world.start_with(|it| it.policy(TXACME));
    settle().await;
    assert_eq!(world.orders(), 0);
    world.pass(36 * HOUR, HOUR).await;
    assert_ne!(world.stored("first.example").await.unwrap(), first);
    assert_eq!(world.stored("second.example").await.unwrap(), second);
    world.pass(36 * HOUR, HOUR).await;
    assert_ne!(world.stored("second.example").await.unwrap(), second);
    assert_eq!(world.orders(), 2);
}

// V12, V34: what is blank is issued at the start, one name to a certificate.
#[tokio::test]
async fn blank_entries_are_issued_at_the_start() {
    let world = World::new();
    world.request("a.example");
    let service = world.start();
    let check = within(service.handle.initial_check()).await.unwrap();
    assert!(check.is_ok());
    assert_eq!(check.attempted.len(), 1);
    let bundle = world.stored("a.example").await.unwrap();
    assert_eq!(bundle.chain().leaf().names, [name("a.example")]);
}

// V28: a new key each time.
#[tokio::test]
async fn each_renewal_has_a_new_key() {
    let world = World::new();
    let old = world.bundle("a.example", 20 * DAY);
    world.put("a.example", &old).await;
    let _service = world.start();
    settle().await;
    let new = world.stored("a.example").await.unwrap();
    assert_ne!(new.chain().leaf().spki, old.chain().leaf().spki);
    assert_ne!(new.chain().leaf().serial, old.chain().leaf().serial);
}

// V32: what cannot be served goes first, then what is most overdue.
#[tokio::test]
async fn the_most_urgent_goes_first() {
    let world = World::new();
    for (text, left) in [("a.example", 29), ("b.example", 2), ("c.example", 14)] {
        world.put(text, &world.bundle(text, left * DAY)).await;
    }
    world.request("z.example");
    let _service = world.start_with(|it| it.parallel(1));
    settle().await;
    let order = ["z.example", "b.example", "c.example", "a.example"];
    assert_eq!(world.ordered(), order);
}

// acmed's fixed rule reissued a certificate of six days for ever.
#[tokio::test]
async fn short_lived_certificates_do_not_loop() {
    for policy in [RenewalPolicy::Relative, TXACME] {
        let world = World::new();
        world.authority.set_lifetime(160 * HOUR);
        world.request("a.example");
        let _service = world.start_with(|it| it.policy(policy));
        settle().await;
        world.pass(30 * DAY, HOUR).await;
        // Every 80 hours, and the CA's hour of backdating.
        assert!((9..=11).contains(&world.orders()), "{}", world.orders());
    }
}

// rustls-acme placed 102 orders in five seconds.
#[tokio::test]
async fn renewal_floor_holds_under_a_wrong_clock() {
    let world = World::new();
    let right = CertificateValidity::starting(world.now(), 90 * DAY);
    world
        .clock
        .set_wall("2027-06-01T00:00:00Z".parse().unwrap());
    world
        .authority
        .script(move |_| FakeOutcome::IssueFor(right));
    world.request("a.example");
    let _service = world.start();
    settle().await;
    assert_eq!(world.orders(), 1);
    world.pass(26 * DAY, HOUR).await;
    assert_eq!(world.orders(), 3, "a tenth of 90 days lies between");
}
