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

// Row J11: a log shows the text that was sent, not what it would decode to.
#[test]
fn shows_the_text_as_sent() {
    let nonce: Nonce = "oFvnlFP1wIhRlYS2jTaXbA".parse().unwrap();
    assert_eq!(nonce.to_string(), "oFvnlFP1wIhRlYS2jTaXbA");
    assert!(format!("{nonce:?}").contains("oFvnlFP1wIhRlYS2jTaXbA"));
}
