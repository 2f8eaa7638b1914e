use super::*;

const POLICY: RenewalPolicy = RenewalPolicy::Relative;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn ninety_days() -> Record {
    Record::new(Holding::Certificate {
        not_before: at("2026-01-01T00:00:00Z"),
        not_after: at("2026-03-31T23:59:59Z"),
    })
}

// V5, T30: due with exactly 30 days left, not a second before.
#[test]
fn due_at_a_third_of_the_life_inclusive() {
    let record = ninety_days();
    let due = at("2026-03-01T23:59:59Z");
    assert_eq!(
        record.decide(due, &POLICY),
        Decision::Issue {
            urgent: false,
            since: due
        }
    );
    let second = Duration::from_secs(1);
    assert_eq!(record.decide(due - second, &POLICY), Decision::Wait(due));
}

// V6: alarming with exactly 15 days left.
#[test]
fn alarming_at_a_sixth_of_the_life_inclusive() {
    let record = ninety_days();
    let alarm = at("2026-03-16T23:59:59Z");
    assert!(record.is_alarming(alarm, &POLICY));
    assert!(!record.is_alarming(alarm - Duration::from_secs(1), &POLICY));
}

// V12: a blank entry is due at once, and urgent.
#[test]
fn blank_is_urgent() {
    let record = Record::new(Holding::Nothing);
    let now = at("2026-01-01T00:00:00Z");
    assert_eq!(
        record.decide(now, &POLICY),
        Decision::Issue {
            urgent: true,
            since: Timestamp::MIN
        }
    );
}

#[test]
fn failures_back_off() {
    let now = at("2026-01-01T00:00:00Z");
    let mut record = Record::new(Holding::Nothing);
    for pause in BACKOFF.into_iter().chain([DAY, DAY]) {
        assert_eq!(record.failed(now, None), now + pause);
        assert_eq!(record.decide(now, &POLICY), Decision::Wait(now + pause));
        assert_eq!(
            record.decide(now + pause, &POLICY),
            Decision::Issue {
                urgent: true,
                since: now + pause
            }
        );
    }
}

// A clock a year ahead makes each new certificate look expired.
#[test]
fn renewal_floor_holds_under_a_wrong_clock() {
    let wrong = at("2027-06-01T00:00:00Z");
    let mut record = ninety_days();
    assert_eq!(
        record.decide(wrong, &POLICY),
        Decision::Issue {
            urgent: true,
            since: at("2026-03-01T23:59:59Z")
        }
    );
    record.succeeded(
        wrong,
        at("2026-01-01T00:00:00Z"),
        at("2026-03-31T23:59:59Z"),
    );
    assert_eq!(
        record.decide(wrong, &POLICY),
        Decision::Wait(wrong + 9 * DAY)
    );
}

// T33: a certificate of six days is renewed once in its life, not at each check.
#[test]
fn short_lived_certificates_do_not_loop() {
    let now = at("2026-01-01T00:00:00Z");
    let mut record = Record::new(Holding::Nothing);
    record.succeeded(now, now, now + Duration::from_secs(160 * 3600 - 1));
    assert_eq!(
        record.decide(now, &POLICY),
        Decision::Wait(now + Duration::from_secs(80 * 3600 - 1))
    );
}

// A pause that began in a future which the clock has left begins now.
#[test]
fn a_clock_set_back_shortens_the_pause() {
    let ahead = at("2036-01-01T00:00:00Z");
    let mut record = Record::new(Holding::Nothing);
    record.failed(ahead, None);
    let now = at("2026-01-01T00:00:00Z");
    record.clock_went_back(now);
    assert_eq!(
        record.decide(now, &POLICY),
        Decision::Wait(now + BACKOFF[0])
    );
}

// The last pause leaves eight attempts for what is left, but not more than five an hour.
#[test]
fn pauses_fit_what_is_left() {
    let check = |left: Duration, pause: Duration| {
        let now = at("2026-01-01T00:00:00Z");
        let mut record = Record::new(Holding::Certificate {
            not_before: now - DAY,
            not_after: now + left,
        });
        record.failures = 9;
        assert_eq!(record.failed(now, None), now + pause, "{left:?}");
    };
    check(30 * DAY, DAY);
    check(4 * DAY, DAY / 2);
    check(Duration::from_secs(3600), SUSTAINED);
}

#[test]
fn nothing_overflows() {
    let mut record = Record::new(Holding::Certificate {
        not_before: Timestamp::MIN,
        not_after: Timestamp::MAX,
    });
    assert_eq!(record.failed(Timestamp::MAX, None), Timestamp::MAX);
    record.succeeded(Timestamp::MAX, Timestamp::MIN, Timestamp::MAX);
    assert_eq!(
        record.decide(Timestamp::MAX, &POLICY),
        Decision::Wait(Timestamp::MAX)
    );
}
