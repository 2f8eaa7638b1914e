//! Names: DNS names and addresses as text, on the wire, and in a handshake (row M1, RFC 8738).

use acme_messages::{DnsName, Identifier, IdentifierType, InvalidName, ServerName};
use proptest::prelude::*;

#[test]
fn dns_names() {
    let check = |text: &str, expected: Result<&str, InvalidName>| {
        let name = text.parse::<DnsName>();
        assert_eq!(
            name.as_ref().map(DnsName::as_str).map_err(|it| *it),
            expected,
            "{text:?}"
        );
    };
    check("example.com", Ok("example.com"));
    check("WWW.Example.COM.", Ok("www.example.com"));
    check("*.example.com", Ok("*.example.com"));
    check("localhost", Ok("localhost"));
    check("xn--bcher-kva.example", Ok("xn--bcher-kva.example"));
    check("1.example", Ok("1.example"));
    check("", Err(InvalidName::EmptyLabel));
    check(".", Err(InvalidName::EmptyLabel));
    check("*", Err(InvalidName::BadCharacter));
    check("*.", Err(InvalidName::BadCharacter));
    check("a..b", Err(InvalidName::EmptyLabel));
    check(".a", Err(InvalidName::EmptyLabel));
    check("a..", Err(InvalidName::EmptyLabel));
    check("*.*.example.com", Err(InvalidName::BadCharacter));
    check("a.*.example.com", Err(InvalidName::BadCharacter));
    check("f*.example.com", Err(InvalidName::BadCharacter));
    check("-a.example", Err(InvalidName::BadCharacter));
    check("a-.example", Err(InvalidName::BadCharacter));
    check("a_b.example", Err(InvalidName::BadCharacter));
    check("../etc/passwd", Err(InvalidName::EmptyLabel));
    check("a/b", Err(InvalidName::BadCharacter));
    check("a b", Err(InvalidName::BadCharacter));
    check("a\0.example", Err(InvalidName::BadCharacter));
    check("bücher.example", Err(InvalidName::NotAscii));
    check("192.0.2.1", Err(InvalidName::NumericTop));
    check("192.0.2.001", Err(InvalidName::NumericTop));
    check("example.1", Err(InvalidName::NumericTop));

    let label = "a".repeat(63);
    check(&label, Ok(label.as_str()));
    check(&format!("{label}a"), Err(InvalidName::TooLong));
    let longest = [label.as_str(); 3].join(".") + "." + &"b".repeat(61);
    assert_eq!(longest.len(), DnsName::MAX_LENGTH);
    check(&longest, Ok(longest.as_str()));
    check(&format!("{longest}."), Ok(longest.as_str()));
    check(&format!("{longest}b"), Err(InvalidName::TooLong));
}

#[test]
fn server_names() {
    let check = |text: &str, shown: &str, sni: &str| {
        let name: ServerName = text.parse().unwrap();
        assert_eq!(name.to_string(), shown);
        assert_eq!(name.validation_sni(), sni);
        assert_eq!(Identifier::from(&name).server_name(), Ok(name));
    };
    check("*.Example.com", "*.example.com", "example.com");
    check("192.0.2.1", "192.0.2.1", "1.2.0.192.in-addr.arpa");
    // RFC 8738, section 6 and RFC 5952: lower case, no leading zeros, the longest run as `::`.
    check(
        "2001:DB8:0:0:0:0:0:1",
        "2001:db8::1",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
    );
    check(
        "2001:db8:0:1:1:1:1:1",
        "2001:db8:0:1:1:1:1:1",
        "1.0.0.0.1.0.0.0.1.0.0.0.1.0.0.0.1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
    );
    check(
        "2001:0:0:1:0:0:0:1",
        "2001:0:0:1::1",
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.0.0.0.0.0.0.1.0.0.2.ip6.arpa",
    );
    check(
        "::ffff:192.0.2.1",
        "::ffff:192.0.2.1",
        "1.0.2.0.0.0.0.c.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
    );
    for text in ["[::1]", "fe80::1%eth0", "192.0.2.0/24", "1.2.3", "::g", ""] {
        text.parse::<ServerName>().unwrap_err();
    }
}

#[test]
fn covers() {
    // RFC 9525, section 6.3: one label, the first, and that whole.
    let check = |own: &str, other: &str, expected: bool| {
        let [own, other]: [ServerName; 2] = [own, other].map(|it| it.parse().unwrap());
        assert_eq!(own.covers(&other), expected, "{own} {other}");
    };
    check("a.example", "A.Example.", true);
    check("*.a.example", "*.a.example", true);
    check("*.a.example", "b.a.example", true);
    check("*.a.example", "a.example", false);
    check("*.a.example", "c.b.a.example", false);
    check("*.a.example", "*.b.a.example", false);
    check("*.a.example", "ba.example", false);
    check("a.example", "*.a.example", false);
    check("*.example", "a", false);
    check("192.0.2.1", "192.0.2.1", true);
    check("192.0.2.1", "::ffff:192.0.2.1", false);
    check("*.example", "192.0.2.1", false);
}

#[test]
fn identifiers() {
    // Row M1.
    let check = |kind: &str, value: &str, expected: Result<&str, InvalidName>| {
        let json = serde_json::json!({"type": kind, "value": value, "more": 1});
        let identifier: Identifier = serde_json::from_value(json).unwrap();
        assert_eq!(identifier.value, value, "kept as received");
        let name = identifier.server_name().map(|it| it.to_string());
        assert_eq!(name.as_deref().map_err(|it| *it), expected);
    };
    check("dns", "Example.com", Ok("example.com"));
    check("ip", "2001:DB8::1", Ok("2001:db8::1"));
    check("ip", "example.com", Err(InvalidName::BadCharacter));
    check("dns", "192.0.2.1", Err(InvalidName::NumericTop));
    check("email", "a@example.com", Err(InvalidName::BadCharacter));

    let name: ServerName = "example.com".parse().unwrap();
    assert_eq!(
        serde_json::to_string(&Identifier::from(name)).unwrap(),
        r#"{"type":"dns","value":"example.com"}"#
    );
    assert_eq!(
        IdentifierType::from("TNAuthList"),
        IdentifierType::Other("TNAuthList".into())
    );
}

proptest! {
    #[test]
    fn what_parses_round_trips(text in "\\PC{0,20}|[a-zA-Z0-9.*:-]{0,40}") {
        if let Ok(name) = text.parse::<ServerName>() {
            let shown = name.to_string();
            prop_assert_eq!(shown.parse::<ServerName>().unwrap(), name.clone());
            prop_assert_eq!(Identifier::from(&name).server_name().unwrap(), name);
        }
        if let Ok(name) = text.parse::<DnsName>() {
            let json = serde_json::to_string(&name).unwrap();
            prop_assert_eq!(serde_json::from_str::<DnsName>(&json).unwrap(), name);
        }
    }

    #[test]
    fn addresses_round_trip(bits: u128, v4: u32) {
        for address in [std::net::IpAddr::V6(bits.into()), std::net::IpAddr::V4(v4.into())] {
            let name = ServerName::Ip(address);
            prop_assert_eq!(name.to_string().parse::<ServerName>().unwrap(), name);
        }
    }
}
