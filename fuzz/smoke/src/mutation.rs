//! Inputs that are nearly right: a seed with a few changes, the same ones from the same start.

/// The longest input that is made, in bytes: twice the longest file of a corpus.
pub(crate) const MAX_LENGTH: usize = 4096;

/// The most changes made to one seed.
const MAX_CHANGES: usize = 4;

/// What parsers stumble over.
const INTERESTING: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\n",
    b"\r\n",
    b" ",
    b"=",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    "\u{e9}\u{202e}".as_bytes(),
    b"{}",
    b"[]",
    b"\"\"",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e999",
    b"0.1",
    b"18446744073709551616",
    b"9999-12-31T23:59:60Z",
    b"0000-00-00T00:00:00+99:99",
    b"-----BEGIN CERTIFICATE-----\n",
    b"-----END CERTIFICATE-----\n",
    b"-----BEGIN PRIVATE KEY-----\n",
    b",",
    b";",
    b"<>",
    b"rel=\"\"",
    b"\x30\x80",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x02\x01\x00",
    b"\x03\x01\x00",
    b"\x05\x00",
    b"\x06\x00",
];

/// What a member's value is replaced by.
const VALUES: &[&[u8]] = &[
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"true",
    b"false",
    b"0",
    b"-1",
    b"1.5",
    b"1e308",
    b"65536",
    b"\"\\u0000\"",
    b"\"-000001-01-01T00:00:00Z\"",
    b"\"2026-12-01T00:00:60.000000001+23:59\"",
    b"[null]",
    b"[{}]",
    b"{\"type\":null}",
];

/// Xorshift64*: small, fast, and the same on every machine.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The sequence that belongs to a name.
    pub(crate) fn of(name: &str) -> Self {
        // FNV-1a, which is never 0 here but by an accident that `| 1` rules out.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number below `end`; 0 where there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    fn pick<'a>(&mut self, from: &[&'a [u8]]) -> &'a [u8] {
        from.get(self.below(from.len()))
            .copied()
            .unwrap_or_default()
    }

    /// A span of at most `most` bytes within `length` bytes.
    fn span(&mut self, length: usize, most: usize) -> std::ops::Range<usize> {
        let begin = self.below(length);
        let end = begin + self.below(most.min(length - begin) + 1);
        begin..end
    }
}

/// Changes the seed a few times; `other` is what is spliced in.
pub(crate) fn mutate(random: &mut Random, seed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut input = seed.to_vec();
    for _ in 0..=random.below(MAX_CHANGES) {
        change(random, &mut input, other);
    }
    input.truncate(MAX_LENGTH);
    input
}

fn change(random: &mut Random, input: &mut Vec<u8>, other: &[u8]) {
    let at = random.below(input.len() + 1);
    match random.below(10) {
        0 | 1 => flip(random, input),
        2 => input.truncate(at),
        3 => {
            let rest = random.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[rest..]);
        }
        4 => {
            let span = random.span(input.len(), 64);
            let times = 1 + random.below(16);
            let repeated = input[span.clone()].repeat(times);
            input.splice(span.end..span.end, repeated);
        }
        5 => {
            let span = random.span(input.len(), 32);
            input.drain(span);
        }
        6 | 7 => {
            let bytes = random.pick(INTERESTING);
            input.splice(at..at, bytes.iter().copied());
        }
        8 => replace_value(random, input, at),
        _ => {
            let span = random.span(input.len(), 8);
            let bytes = random.pick(INTERESTING);
            input.splice(span, bytes.iter().copied());
        }
    }
}

fn flip(random: &mut Random, input: &mut [u8]) {
    let at = random.below(input.len());
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

/// Replaces what stands between the next colon and the comma or bracket behind it.
fn replace_value(random: &mut Random, input: &mut Vec<u8>, from: usize) {
    let Some(colon) = input[from..].iter().position(|it| *it == b':') else {
        return;
    };
    let begin = from + colon + 1;
    let end = input[begin..]
        .iter()
        .position(|it| matches!(it, b',' | b'}' | b']'))
        .map_or(input.len(), |length| begin + length);
    let bytes = random.pick(VALUES);
    input.splice(begin..end, bytes.iter().copied());
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SEED: &[u8] = br#"{"status":"pending","error":null}"#;

    fn many(name: &str, seed: &[u8], other: &[u8]) -> Vec<Vec<u8>> {
        let mut random = Random::of(name);
        (0..2000)
            .map(|_| mutate(&mut random, seed, other))
            .collect()
    }

    #[test]
    fn the_same_name_gives_the_same_inputs() {
        assert_eq!(many("order", SEED, b"x"), many("order", SEED, b"x"));
        assert_ne!(many("order", SEED, b"x"), many("account", SEED, b"x"));
    }

    #[test]
    fn inputs_differ_and_stay_short() {
        let inputs = many("order", &[b'a'; 4000], &[b'b'; 4000]);
        assert!(inputs.iter().all(|it| it.len() <= MAX_LENGTH));
        let distinct: BTreeSet<_> = many("order", SEED, b"other").into_iter().collect();
        assert!(distinct.len() > 1000, "{}", distinct.len());
    }

    #[test]
    fn an_empty_seed_grows() {
        let inputs = many("order", b"", b"");
        assert!(inputs.iter().any(|it| !it.is_empty()));
    }

    #[test]
    fn every_kind_of_change_is_made() {
        let inputs = many("order", SEED, b"<other>");
        let any = |what: &str, is: &dyn Fn(&[u8]) -> bool| {
            assert!(inputs.iter().any(|it| is(it)), "{what}");
        };
        any("one bit flipped", &|it| {
            it.len() == SEED.len()
                && it
                    .iter()
                    .zip(SEED)
                    .map(|(one, other)| (one ^ other).count_ones())
                    .sum::<u32>()
                    == 1
        });
        any("truncated", &|it| {
            it.len() < SEED.len() && SEED.starts_with(it)
        });
        any("spliced", &|it| it.ends_with(b"other>"));
        any("repeated", &|it| it.len() > 2 * SEED.len());
        any("something inserted", &|it| {
            it.windows(4).any(|it| it == b"\x30\x84\xff\xff")
        });
        any("a value replaced", &|it| {
            it.strip_prefix(br#"{"status":"#).is_some_and(|rest| {
                let mut values = VALUES.iter().filter_map(|value| rest.strip_prefix(*value));
                values.any(|rest| rest.starts_with(b","))
            })
        });
    }

    #[test]
    fn a_number_is_below_its_end() {
        let mut random = Random::of("x");
        assert!((0..1000).all(|_| random.below(3) < 3));
        assert_eq!(random.below(0), 0);
    }
}
