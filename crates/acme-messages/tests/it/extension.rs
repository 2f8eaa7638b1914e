//! Challenges of drafts: dns-account-01, dns-persist-01 in two versions, device-attest-01.

use acme_messages::{
    Challenge, ChallengeType, DirectoryMeta, DnsName, Timestamp,
    device_attest::AttestationResponse,
    dns_account,
    dns_persist::{
        self, Account, InvalidRecord, MAX_STRING_LENGTH, MalformedOffer, Offer, Record, Version,
    },
    jose::{Jwk, base64url},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const URL: &str = "https://ca.example/acct/123";

fn name(text: &str) -> DnsName {
    text.parse().unwrap()
}

/// The key of RFC 7638, section 3.1.
fn jwk() -> Jwk {
    let modulus = concat!(
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_",
        "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0",
        "_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWh",
        "AI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    );
    serde_json::from_value(json!({"kty": "RSA", "n": modulus, "e": "AQAB"})).unwrap()
}

#[test]
fn dns_account() {
    // The example of draft-ietf-acme-dns-account-label, and RFC 8555, section 8.4 for wildcards.
    let account = "https://example.com/acme/acct/ExampleAccount";
    assert_eq!(dns_account::label(account), "_ujmmovf2vn55tgye");
    for text in ["example.org", "*.example.org"] {
        assert_eq!(
            dns_account::record_name(account, &name(text)),
            "_ujmmovf2vn55tgye._acme-challenge.example.org"
        );
    }
}

#[test]
fn device_attest() {
    let response = AttestationResponse::new([0xff, 0xfe]);
    assert_eq!(
        serde_json::to_value(&response).unwrap(),
        json!({"attObj": "__4"})
    );
    let more = json!({"attObj": "__4", "error": "none"});
    let read: AttestationResponse = serde_json::from_value(more).unwrap();
    assert_eq!(read, response);
    assert_eq!(read.attestation().unwrap(), [0xff, 0xfe]);
    serde_json::from_value::<AttestationResponse>(json!({})).unwrap_err();
}

#[test]
fn extra_members_are_kept() {
    // Row M7.
    let text = json!({
        "type": "tkauth-01", "url": "u", "status": "pending", "tkauth-type": "atc",
        "token": null, "token-authority": "https://authority.example", "deep": [{"a": null}],
    });
    let challenge: Challenge = serde_json::from_value(text.clone()).unwrap();
    assert_eq!(challenge.kind, ChallengeType::Other("tkauth-01".into()));
    assert_eq!(challenge.extra["tkauth-type"], "atc");
    let mut expected = text;
    expected.as_object_mut().unwrap().remove("token");
    assert_eq!(serde_json::to_value(&challenge).unwrap(), expected);
}

fn offer(members: Value, meta: Value) -> Result<Offer, MalformedOffer> {
    let mut challenge = json!({"type": "dns-persist-01", "url": "u", "status": "pending"});
    challenge
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    let challenge: Challenge = serde_json::from_value(challenge).unwrap();
    assert_eq!(challenge.kind, ChallengeType::DnsPersist01);
    let meta: DirectoryMeta = serde_json::from_value(meta).unwrap();
    Offer::from_challenge(&challenge, &meta)
}

#[test]
fn dns_persist_offers() {
    // Version 01: what the directory says does not matter.
    let first = json!({"accounturi": URL, "issuer-domain-names": ["ca.example", "b.example"]});
    let read = offer(first.clone(), json!({"caaIdentities": ["other.example"]})).unwrap();
    assert_eq!(read.version, Version::Draft01);
    assert_eq!(read.issuer_domain_names, ["ca.example", "b.example"]);
    assert_eq!(read.account_uri.as_deref(), Some(URL));

    // Version 02.
    let meta =
        json!({"issuerDomainNames": ["ca.example", "b.example"], "accountHashPrefix": "acme:"});
    let second = json!({"issuerDomainNames": ["b.example"], "issuer-domain-names": null});
    let read = offer(second, meta.clone()).unwrap();
    assert_eq!(read.version, Version::Draft02);
    assert_eq!(read.issuer_domain_names, ["b.example"]);
    assert_eq!(read.account_uri, None);

    let check = |names: Value, meta: &Value, expected: Result<(), MalformedOffer>| {
        let read = offer(json!({"issuerDomainNames": names}), meta.clone());
        assert_eq!(read.map(drop), expected, "{names}");
    };
    let eleven: Vec<String> = (0..11).map(|it| format!("{it}.example")).collect();
    let all = json!({"issuerDomainNames": eleven});
    check(json!(eleven[..10]), &all, Ok(()));
    check(json!(eleven), &all, Err(MalformedOffer::TooManyIssuers));
    check(json!([]), &meta, Err(MalformedOffer::NoIssuers));
    check(json!(null), &meta, Err(MalformedOffer::NoIssuers));
    for odd in [
        "CA.example",
        "ca.example.",
        "*.example",
        "",
        "a b",
        "bücher.example",
        "192.0.2.1",
    ] {
        check(
            json!(["b.example", odd]),
            &meta,
            Err(MalformedOffer::BadIssuer),
        );
    }
    check(
        json!(["b.example", 1]),
        &meta,
        Err(MalformedOffer::BadIssuer),
    );
    check(json!("b.example"), &meta, Err(MalformedOffer::BadIssuer));
    check(
        json!(["c.example"]),
        &meta,
        Err(MalformedOffer::NotInDirectory),
    );
    check(
        json!(["b.example"]),
        &json!({}),
        Err(MalformedOffer::NotInDirectory),
    );
    // A directory that says it wrong says nothing, and can still be read.
    let odd = json!({"issuerDomainNames": "b.example", "accountHashPrefix": 1});
    check(
        json!(["b.example"]),
        &odd,
        Err(MalformedOffer::NotInDirectory),
    );
    let mut known = meta;
    known["caaIdentities"] = json!(["b.example", "c.example"]);
    check(
        json!(["b.example"]),
        &known,
        Err(MalformedOffer::NotACaaIdentity),
    );
    known["caaIdentities"] = json!(["b.example", "c.example", "ca.example"]);
    check(json!(["b.example"]), &known, Ok(()));
    assert_eq!(offer(json!({}), json!({})), Err(MalformedOffer::NoIssuers));
}

#[test]
fn dns_persist_hashes() {
    let thumbprint = jwk().thumbprint();
    assert_eq!(
        thumbprint.to_string(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    let check = |domain: Option<&str>, expected: &str| {
        let domain = domain.map(name);
        let hash = dns_persist::account_hash(domain.as_ref(), &thumbprint, URL);
        assert_eq!(hash, expected);
    };
    // The examples of draft-ietf-acme-dns-persist-02.
    check(
        Some("example.com"),
        "5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw",
    );
    check(
        Some("*.Example.com."),
        "5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw",
    );
    check(None, "NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug");
}

#[test]
fn dns_persist_records() {
    let first = Account::Draft01 { url: URL };
    let check = |record: Record<'_>, expected: Result<&str, InvalidRecord>| {
        assert_eq!(record.to_text().as_deref().map_err(|it| *it), expected);
    };
    check(
        Record::new("ca.example", first),
        Ok("ca.example; accounturi=https://ca.example/acct/123"),
    );
    let account = Account::Draft01 {
        url: "https://acme-v02.api.letsencrypt.org/acme/acct/1",
    };
    let end: Timestamp = "2027-01-01T00:00:00.9Z".parse().unwrap();
    check(
        Record::new("letsencrypt.org", account)
            .wildcard(true)
            .until(end),
        Ok(
            "letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1; \
            policy=wildcard; persistUntil=1798761600",
        ),
    );
    let hash = "5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw";
    let second = Account::Draft02 {
        prefix: "https://ca.example/acct-hash/",
        hash,
    };
    assert_eq!(
        (first.version(), second.version()),
        (Version::Draft01, Version::Draft02)
    );
    check(
        Record::new("ca.example", second),
        Ok(
            "ca.example; accounturi=https://ca.example/acct-hash/sha-256/\
            5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw",
        ),
    );
    // Nothing ends a parameter early.
    for issuer in [
        "",
        "CA.example",
        "ca.example;",
        "ca.example; policy=wildcard",
        "*.ca.example",
    ] {
        check(Record::new(issuer, first), Err(InvalidRecord::Issuer));
    }
    for url in [
        "",
        "https://x/a;b",
        "https://x/a b",
        "https://x/\n",
        "https://x/ä",
    ] {
        check(
            Record::new("ca.example", Account::Draft01 { url }),
            Err(InvalidRecord::Account),
        );
    }
    let early: Timestamp = "1969-12-31T23:59:59Z".parse().unwrap();
    check(
        Record::new("ca.example", first).until(early),
        Err(InvalidRecord::Until),
    );

    for text in ["example.org", "*.example.org"] {
        assert_eq!(
            dns_persist::record_name(&name(text)),
            "_validation-persist.example.org"
        );
    }
}

#[test]
fn dns_persist_strings() {
    let check = |length: usize, expected: &[usize]| {
        let text = "a".repeat(length);
        let lengths: Vec<_> = dns_persist::strings(&text).map(<[u8]>::len).collect();
        assert_eq!(lengths, expected);
    };
    check(0, &[]);
    check(255, &[255]);
    check(256, &[255, 1]);
    check(600, &[255, 255, 90]);
}

proptest! {
    #[test]
    fn records_come_back(path in "[!-:<-~]{0,600}", wildcard: bool, until in 0i64..200_000_000_000) {
        let url = format!("https://x/{path}");
        let record = Record::new("ca.example", Account::Draft01 { url: &url })
            .wildcard(wildcard)
            .until(Timestamp::from_second(until).unwrap());
        let text = record.to_text().unwrap();
        let strings: Vec<&[u8]> = dns_persist::strings(&text).collect();
        prop_assert!(strings.iter().all(|it| !it.is_empty() && it.len() <= MAX_STRING_LENGTH));
        prop_assert_eq!(strings.concat(), text.as_bytes());
        let parts: Vec<&str> = text.split("; ").collect();
        prop_assert_eq!(parts[1], format!("accounturi={url}"));
        prop_assert_eq!(parts.contains(&"policy=wildcard"), wildcard);
        let until = format!("persistUntil={until}");
        prop_assert_eq!(parts.last(), Some(&until.as_str()));
    }

    #[test]
    fn labels(account in "\\PC*") {
        let label = dns_account::label(&account);
        prop_assert_eq!(label.len(), 17);
        let digit = |it: char| it.is_ascii_lowercase() || ('2'..='7').contains(&it);
        prop_assert!(label[1..].chars().all(digit));
    }

    #[test]
    fn nothing_panics(names in prop::collection::vec("\\PC*", 0..12), url in "\\PC*", bytes: Vec<u8>) {
        let _ = offer(json!({"issuerDomainNames": names, "accounturi": url}), json!({}));
        let _ = offer(json!({"issuer-domain-names": names, "accounturi": bytes}), json!({}));
        let _ = Record::new(&url, Account::Draft02 { prefix: &url, hash: &url }).to_text();
        let response = AttestationResponse::new(&bytes);
        prop_assert_eq!(response.attestation().unwrap(), bytes.clone());
        prop_assert_eq!(response.attestation_object, base64url::encode(bytes));
    }
}
