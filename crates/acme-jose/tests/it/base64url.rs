//! Row J4: strict in both directions.

use acme_jose::base64url::{decode, encode};
use proptest::prelude::*;

#[test]
fn decodes_only_what_it_would_encode() {
    let rows: [(&str, Option<&[u8]>); 9] = [
        ("", Some(b"")),
        ("Zg", Some(b"f")),
        ("Zm9vYmFy", Some(b"foobar")),
        ("-_-_", Some(&[0xfb, 0xff, 0xbf])),
        ("Zg==", None),
        ("Zh", None),
        ("Z", None),
        ("Zm 9", None),
        ("Zm9v+/", None),
    ];
    for (text, expected) in rows {
        assert_eq!(decode(text).ok().as_deref(), expected, "{text:?}");
    }
}

proptest! {
    #[test]
    fn round_trips(bytes: Vec<u8>) {
        prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
    }

    #[test]
    fn what_decodes_is_canonical(text in "[A-Za-z0-9_=-]{0,12}") {
        if let Ok(bytes) = decode(&text) {
            prop_assert_eq!(encode(bytes), text);
        }
    }
}
