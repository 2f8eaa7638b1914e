//! `Retry-After` in both forms (rows C21, C22).

use std::time::Duration;

use acme_messages::{Timestamp, retry_after};
use proptest::prelude::*;

#[test]
fn values() {
    let now: Timestamp = "1994-11-06T08:49:30Z".parse().unwrap();
    let check = |value: &str, expected: Option<u64>| {
        let expected = expected.map(Duration::from_secs);
        assert_eq!(retry_after::parse(value, now), expected, "{value:?}");
    };
    check("0", Some(0));
    check("120", Some(120));
    check(" 120 ", Some(120));
    check("86400", Some(86_400));
    check("99999999999999999999999", Some(u64::MAX));
    // RFC 9110, section 5.6.7: the three forms of a date.
    check("Sun, 06 Nov 1994 08:49:37 GMT", Some(7));
    check("Sunday, 06-Nov-94 08:49:37 GMT", Some(7));
    check("Sun Nov  6 08:49:37 1994", Some(7));
    check("Sun, 06 Nov 1994 08:49:00 GMT", Some(0));
    check("Thu, 01 Jan 1970 00:00:00 GMT", Some(0));
    for odd in [
        "",
        "soon",
        "-1",
        "+1",
        "1.5",
        "1,2",
        "0x10",
        "١",
        "1994-11-06T08:49:37Z",
    ] {
        check(odd, None);
    }
    let early: Timestamp = "1960-01-01T00:00:00Z".parse().unwrap();
    assert!(retry_after::parse("Sun, 06 Nov 1994 08:49:37 GMT", early).is_some());
}

proptest! {
    #[test]
    fn nothing_from_outside_panics(value in "\\PC*|[0-9a-zA-Z, :]{0,40}", second in -1_000_000_000_000i64..200_000_000_000) {
        if let Ok(now) = Timestamp::from_second(second) {
            let _ = retry_after::parse(&value, now);
        }
    }
}
