//! Row J5: the nonce's syntax.

use acme_jose::Nonce;

#[test]
fn takes_base64url_and_nothing_else() {
    let thousand = "a".repeat(1000);
    let rows = [
        ("oFvnlFP1wIhRlYS2jTaXbA", true),
        (thousand.as_str(), true),
        ("a!_", false),
        ("", false),
        ("Tm9uY2U=", false),
        ("a b", false),
        ("ä", false),
    ];
    for (text, valid) in rows {
        assert_eq!(text.parse::<Nonce>().is_ok(), valid, "{text:?}");
    }
    let too_long = "a".repeat(Nonce::MAX_LENGTH + 1);
    assert!(too_long.parse::<Nonce>().is_err());
}
