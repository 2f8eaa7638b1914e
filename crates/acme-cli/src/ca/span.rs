//! Spans of time as people write them: `90d`, `12h`, `30m`, `45s`.

use std::time::Duration;

/// The units, in seconds.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// The longest span, in seconds: a hundred years, which any date can take.
const LONGEST: u64 = 100 * 365 * 86_400;

/// Reads a whole number and a unit.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let expected = || "expected a whole number and a unit, such as 90d, 12h, 30m or 45s".to_owned();
    let (number, seconds) = UNITS
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)))
        .ok_or_else(expected)?;
    if number.is_empty() || !number.bytes().all(|it| it.is_ascii_digit()) {
        return Err(expected());
    }
    let total = number
        .parse()
        .ok()
        .and_then(|number: u64| number.checked_mul(seconds));
    match total {
        Some(0) => Err("it must be longer than nothing".to_owned()),
        Some(total) if total <= LONGEST => Ok(Duration::from_secs(total)),
        _ => Err("it must be a hundred years at most".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, expected) in [
            ("90d", Some(7_776_000)),
            ("1h", Some(3_600)),
            ("30m", Some(1_800)),
            ("45s", Some(45)),
            ("036500d", Some(3_153_600_000)),
            ("36501d", None),
            ("18446744073709551615d", None),
            ("99999999999999999999s", None),
            ("0s", None),
            ("90", None),
            ("d", None),
            ("", None),
            ("-1d", None),
            ("+1d", None),
            ("1.5h", None),
            ("1 d", None),
            ("1ü", None),
        ] {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(parse(text).ok(), expected, "{text:?}");
        }
    }
}
