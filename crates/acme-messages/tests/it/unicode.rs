//! Names in Unicode and as A-labels (rows M1 and M12; RFC 5890, UTS 46).

use acme_messages::{DnsName, InvalidName};
use proptest::prelude::*;

#[test]
fn to_a_labels() {
    let check = |text: &str, expected: Result<&str, InvalidName>| {
        let name = DnsName::from_unicode(text);
        let name = name.as_ref().map(DnsName::as_str).map_err(|it| *it);
        assert_eq!(name, expected, "{text:?}");
    };
    check("example.com", Ok("example.com"));
    check("bücher.example", Ok("xn--bcher-kva.example"));
    check("*.bücher.example.", Ok("*.xn--bcher-kva.example"));
    // Composed or not, in upper case or lower: one name.
    check("BÜCHER.Example", Ok("xn--bcher-kva.example"));
    check("bu\u{308}cher.example", Ok("xn--bcher-kva.example"));
    check("XN--BCHER-KVA.example", Ok("xn--bcher-kva.example"));
    check("例え。テスト", Ok("xn--r8jz45g.xn--zckzah"));
    check("ＷＷＷ.example", Ok("www.example"));
    // Not transitional: `ß` is a letter of its own.
    check("faß.example", Ok("xn--fa-hia.example"));
    check("العربية.example", Ok("xn--mgbcd4a2b0d2b.example"));
    check("r3---a.example", Ok("r3---a.example"));
    // An `xn--` label stands for something, and is the one label that does.
    for odd in [
        "xn--a.example",
        "xn--.example",
        "xn--example.xn--zzzzzzzzz",
        "a\u{202e}b.example",
        "\u{301}a.example",
        "אa1.example",
        "\u{fffd}.example",
    ] {
        check(odd, Err(InvalidName::BadUnicode));
    }
    check("a_ü.example", Err(InvalidName::BadCharacter));
    check("ü*.example", Err(InvalidName::BadCharacter));
    check("a_b.example", Err(InvalidName::BadCharacter));
    check("a.*.example", Err(InvalidName::BadCharacter));
    check("", Err(InvalidName::EmptyLabel));
    check("ü..example", Err(InvalidName::EmptyLabel));
    check("*.", Err(InvalidName::BadCharacter));
    check("１９２.0.2.1", Err(InvalidName::NumericTop));
    check(
        &format!("{}.example", "ü".repeat(70)),
        Err(InvalidName::TooLong),
    );
    check(&"ü".repeat(2000), Err(InvalidName::TooLong));
}

#[test]
fn to_unicode() {
    let check = |text: &str, expected: Result<&str, InvalidName>| {
        let shown = text.parse::<DnsName>().unwrap().to_unicode();
        assert_eq!(shown.as_deref().map_err(|it| *it), expected, "{text:?}");
    };
    check("*.xn--bcher-kva.example", Ok("*.bücher.example"));
    check("a.example", Ok("a.example"));
    // RFC 8555, section 7.1.4: a server checks them.
    check("xn--a.example", Err(InvalidName::BadUnicode));
}

proptest! {
    #[test]
    fn nothing_panics_and_all_comes_back(text in "\\PC{0,40}|(\\*\\.)?[a-zé-ü例א.-]{1,20}") {
        if let Ok(name) = DnsName::from_unicode(&text) {
            prop_assert_eq!(&name.as_str().parse::<DnsName>().unwrap(), &name);
            let shown = name.to_unicode().unwrap();
            prop_assert_eq!(DnsName::from_unicode(&shown), Ok(name));
        }
    }

    #[test]
    fn ascii_names_are_what_they_are_without_it(text in "(\\*\\.)?[a-wyzA-WYZ0-9._-]{0,20}") {
        let own = text.parse::<DnsName>();
        let unicode = DnsName::from_unicode(&text);
        prop_assert_eq!(unicode.is_ok(), own.is_ok());
        if let (Ok(own), Ok(unicode)) = (own, unicode) {
            prop_assert_eq!(own, unicode);
        }
    }
}
