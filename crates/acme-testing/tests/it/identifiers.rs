//! What may stand in an order (RFC 8555, section 7.1.4; RFC 8738, section 3).

use acme_testing::messages::{Order, ProblemType};
use serde_json::{Value, json};

use crate::{client::Client, world::builder};

async fn wish(client: &mut Client, kind: &str, value: &str) -> crate::client::Answer {
    let identifiers = json!([{ "type": kind, "value": value }]);
    client
        .new_order(json!({ "identifiers": identifiers }))
        .await
}

/// Labels of 63 letters up to a name of this length.
fn long(length: usize) -> String {
    let mut name = "a".repeat(length);
    for at in (63..length - 1).step_by(64) {
        name.replace_range(at..=at, ".");
    }
    name
}

#[tokio::test]
async fn names_and_addresses_are_taken_as_they_are_written() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let longest = long(253);
    let wildcard = format!("*.{}", long(251));
    for (kind, value) in [
        ("dns", "example.com"),
        ("dns", "*.example.com"),
        ("dns", "xn--bcher-kva.example"),
        ("dns", "*.xn--bcher-kva.example"),
        ("dns", "localhost"),
        ("dns", "3.14.example"),
        ("dns", longest.as_str()),
        ("dns", wildcard.as_str()),
        ("ip", "192.0.2.1"),
        ("ip", "2001:db8::1"),
        ("ip", "::1"),
        ("ip", "::ffff:192.0.2.1"),
    ] {
        let answer = wish(&mut client, kind, value).await;
        let order: Order = answer.expect(201).json();
        assert_eq!(order.identifiers.len(), 1);
        assert_eq!(order.identifiers[0].kind.to_string(), kind);
        assert_eq!(order.identifiers[0].value, value);
    }
    let answer = wish(&mut client, "dns", "WWW.Example.COM").await;
    let order: Order = answer.expect(201).json();
    assert_eq!(order.identifiers[0].value, "www.example.com");
}

#[tokio::test]
async fn all_else_is_refused() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let (too_long, label) = (long(254), format!("{}.example", "a".repeat(64)));
    for (kind, value) in [
        ("dns", ""),
        ("dns", "."),
        ("dns", "example.com."),
        ("dns", ".example.com"),
        ("dns", "a..example.com"),
        ("dns", " example.com"),
        ("dns", "exa mple.com"),
        ("dns", "exa_mple.com"),
        ("dns", "-a.example.com"),
        ("dns", "a-.example.com"),
        ("dns", "bücher.example"),
        ("dns", "example.com:443"),
        ("dns", "https://example.com/"),
        ("dns", "a@example.com"),
        ("dns", "example.com\u{0}"),
        ("dns", too_long.as_str()),
        ("dns", label.as_str()),
        // Wildcards stand first, once, and for something.
        ("dns", "*"),
        ("dns", "*."),
        ("dns", "*.*.example.com"),
        ("dns", "a.*.example.com"),
        ("dns", "a*.example.com"),
        ("dns", "**.example.com"),
        // A-labels stand for something.
        ("dns", "xn--.example"),
        ("dns", "xn--a.example"),
        ("dns", "xn--abc-.example"),
        ("dns", "xn--0.example"),
        ("dns", "*.xn--a.example"),
        // Addresses are no names, and names no addresses.
        ("dns", "192.0.2.1"),
        ("dns", "2001:db8::1"),
        ("dns", "*.192.0.2.1"),
        ("ip", "example.com"),
        // There is one way to write an address.
        ("ip", "192.0.2.01"),
        ("ip", "192.0.2"),
        ("ip", "3221225985"),
        ("ip", "0x7f.1"),
        ("ip", "192.0.2.1/32"),
        ("ip", "192.0.2.1 "),
        ("ip", "2001:DB8::1"),
        ("ip", "2001:db8:0::1"),
        ("ip", "2001:db8:0:0:0:0:0:1"),
        ("ip", "2001:0db8::1"),
        ("ip", "[2001:db8::1]"),
        ("ip", "fe80::1%eth0"),
        ("ip", "2001:db8::/32"),
        ("ip", "::ffff:c000:201"),
        ("ip", "*.192.0.2.1"),
    ] {
        let answer = wish(&mut client, kind, value).await;
        let problem = answer.expect_problem(400, ProblemType::RejectedIdentifier);
        assert!(
            problem.detail.as_ref().is_some_and(|it| !it.is_empty()),
            "{value}"
        );
        assert!(problem.identifier.is_none());
    }
    for kind in ["DNS", "IP", "email", ""] {
        let answer = wish(&mut client, kind, "example.com").await;
        answer.expect_problem(400, ProblemType::UnsupportedIdentifier);
    }
}

#[tokio::test]
async fn an_identifier_has_a_type_and_a_value() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let broken: [Value; 7] = [
        json!({}),
        json!({ "identifiers": null }),
        json!({ "identifiers": {} }),
        json!({ "identifiers": ["example.com"] }),
        json!({ "identifiers": [{ "type": "dns" }] }),
        json!({ "identifiers": [{ "value": "example.com" }] }),
        json!({ "identifiers": [{ "type": "dns", "value": 7 }] }),
    ];
    for payload in broken {
        let answer = client.new_order(payload).await;
        answer.expect_problem(400, ProblemType::Malformed);
    }
}

#[tokio::test]
async fn what_is_asked_twice_is_ordered_once() {
    let ca = builder().start().await.unwrap();
    let mut client = Client::register(&ca).await;
    let names = ["a.example", "A.example", "*.a.example", "a.example"];
    let identifiers: Vec<_> = names
        .iter()
        .map(|it| json!({ "type": "dns", "value": it }))
        .collect();
    let answer = client
        .new_order(json!({ "identifiers": identifiers }))
        .await;
    let order: Order = answer.expect(201).json();
    let values: Vec<_> = order.identifiers.iter().map(|it| &it.value).collect();
    assert_eq!(values, ["a.example", "*.a.example"]);
    assert_eq!(order.authorizations.len(), 2);
}
