//! Validation by dns-persist-01 (draft-ietf-acme-dns-persist), in both versions.

use std::{sync::Arc, time::Duration};

use acme_testing::{
    DnsRecord, ManualClock, TestDns,
    messages::{
        Challenge, ChallengeType, Directory, Problem, ProblemType, Timestamp,
        dns_persist::{self, Account, Offer, Record, Version},
    },
};

use crate::{
    client::Client,
    dns_world::{DnsWorld, alias, expect},
    world::builder,
};

const OWNER: &str = "_validation-persist.example.com";

/// Proves `example.com`, or the wildcard below it, with records that are made for the account.
async fn validate(
    world: &mut DnsWorld,
    name: &str,
    set: impl FnOnce(&TestDns, &str),
) -> Option<Problem> {
    let (authorization, challenge, _) = world.begin(name, ChallengeType::DnsPersist01).await;
    set(&world.dns, &world.client.kid);
    let problem = world.respond(&authorization, &challenge).await;
    world.dns.clear(OWNER);
    problem
}

/// One record, `ACCOUNT` standing for the account's URL.
async fn validate_text(world: &mut DnsWorld, name: &str, text: &str) -> Option<Problem> {
    let text = text.replace("ACCOUNT", &world.client.kid);
    validate(world, name, |dns, _| dns.add_txt(OWNER, &text).unwrap()).await
}

fn directory_meta(client: &Client) -> &acme_testing::messages::DirectoryMeta {
    &client.directory.meta
}

#[tokio::test]
async fn the_challenge_has_issuers_and_the_account_and_no_token() {
    let mut world = DnsWorld::new().await;
    let (_, challenge, _) = world
        .begin("example.com", ChallengeType::DnsPersist01)
        .await;
    assert_eq!(challenge.token, None);
    let offer = Offer::from_challenge(&challenge, directory_meta(&world.client)).unwrap();
    assert_eq!(offer.version, Version::Draft01);
    assert_eq!(offer.issuer_domain_names, ["ca.example"]);
    assert_eq!(
        offer.account_uri.as_deref(),
        Some(world.client.kid.as_str())
    );
    // The challenge's own page says the same, and others say nothing of it.
    let own: Challenge = world.client.fetch(&challenge.url).await.json();
    assert_eq!(own.extra, challenge.extra);
    assert_eq!(own.token, None);
    let (_, challenge, _) = world.begin("example.com", ChallengeType::Dns01).await;
    assert!(challenge.token.is_some());
    assert!(challenge.extra.is_empty(), "{:?}", challenge.extra);
    let meta = directory_meta(&world.client);
    assert!(meta.issuer_domain_names.is_empty());
    assert_eq!(meta.account_hash_prefix, None);
}

#[tokio::test]
async fn a_record_made_by_the_messages_crate_proves_a_name() {
    let mut world = DnsWorld::new().await;
    for (name, wildcard) in [
        ("example.com", false),
        ("example.com", true),
        ("*.example.com", true),
    ] {
        let problem = validate(&mut world, name, |dns, url| {
            let record = Record::new("ca.example", Account::Draft01 { url }).wildcard(wildcard);
            let text = record.until(Timestamp::MAX).to_text().unwrap();
            let strings = dns_persist::strings(&text).map(<[u8]>::to_vec).collect();
            dns.add(OWNER, DnsRecord::Txt(strings)).unwrap();
        });
        assert_eq!(problem.await, None, "{name}");
    }
    let asked = world.dns.queries();
    assert!(
        asked
            .iter()
            .all(|it| it.name == OWNER && it.record_type == "TXT")
    );
}

/// The record outlives the challenge: it is there before, and proves again.
#[tokio::test]
async fn a_record_stays_good() {
    let mut world = DnsWorld::new().await;
    let text = format!("ca.example; accounturi={}", world.client.kid);
    world.dns.add_txt(OWNER, &text).unwrap();
    for _ in 0..2 {
        let found = world
            .begin("example.com", ChallengeType::DnsPersist01)
            .await;
        assert_eq!(world.respond(&found.0, &found.1).await, None);
    }
}

#[tokio::test]
async fn a_wildcard_needs_the_policy() {
    let mut world = DnsWorld::new().await;
    for policy in ["", "; policy=", "; policy=other", "; policy=wild"] {
        let text = format!("ca.example; accounturi=ACCOUNT{policy}");
        let problem = validate_text(&mut world, "*.example.com", &text).await;
        expect(problem, ProblemType::Unauthorized, "policy=wildcard");
        // Any other policy counts as none.
        assert_eq!(validate_text(&mut world, "example.com", &text).await, None);
    }
    let text = "ca.example; accounturi=ACCOUNT; Policy=WildCard";
    assert_eq!(validate_text(&mut world, "*.example.com", text).await, None);
}

#[tokio::test]
async fn the_account_is_compared_letter_by_letter() {
    let mut world = DnsWorld::new().await;
    let upper = world.client.kid.replace("https", "HTTPS");
    for account in [
        "https://ca.example/acct/1",
        "ACCOUNT/",
        "ACCOUNTx",
        upper.as_str(),
    ] {
        let text = format!("ca.example; accounturi={account}");
        let problem = validate_text(&mut world, "example.com", &text).await;
        expect(problem, ProblemType::Unauthorized, "not this account's");
    }
}

/// The end is the last second that counts, by the CA's own clock.
#[tokio::test]
async fn a_record_ends_by_the_clock_of_the_ca() {
    let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let clock = Arc::new(ManualClock::new(now));
    let dns = TestDns::start().await.unwrap();
    let address = dns.address();
    let ca = builder()
        .clock(clock.clone())
        .challenges([ChallengeType::DnsPersist01])
        .configure(|it| it.validation.dns_server = Some(address))
        .start()
        .await
        .unwrap();
    let client = Client::register(&ca).await;
    let mut world = DnsWorld { dns, ca, client };
    let end = now.as_second();
    let text = format!("ca.example; accounturi=ACCOUNT; persistUntil={end}");
    assert_eq!(validate_text(&mut world, "example.com", &text).await, None);
    clock.advance(Duration::from_secs(1));
    let problem = validate_text(&mut world, "example.com", &text).await;
    expect(problem, ProblemType::Unauthorized, "no longer");
    for (end, met) in [("-1", false), ("0", false), ("9223372036854775807", true)] {
        let text = format!("ca.example; accounturi=ACCOUNT; persistUntil={end}");
        let problem = validate_text(&mut world, "example.com", &text).await;
        assert_eq!(problem.is_none(), met, "{end}");
    }
}

#[tokio::test]
async fn spelling_may_vary_and_what_is_not_known_is_passed_over() {
    let mut world = DnsWorld::new().await;
    for text in [
        "ca.example;accounturi=ACCOUNT",
        " \tca.example\t ;\taccounturi = ACCOUNT ",
        "CA.example.; AccountURI=ACCOUNT; persistuntil=9999999999",
        "ca.example; new=thing; accounturi=ACCOUNT; other=; new=again",
        "ca.example; x=a=b; accounturi=ACCOUNT",
    ] {
        let problem = validate_text(&mut world, "example.com", text).await;
        assert_eq!(problem, None, "{text}");
    }
}

#[tokio::test]
async fn a_malformed_record_is_told_to_be() {
    let mut world = DnsWorld::new().await;
    for (text, words) in [
        ("ca.example", "no accounturi"),
        ("ca.example; policy=wildcard", "no accounturi"),
        ("ca.example; accounturi=", "no accounturi"),
        ("ca.example; accounturi=ACCOUNT;", "empty parameter"),
        ("ca.example;; accounturi=ACCOUNT", "empty parameter"),
        ("ca.example; accounturi=ACCOUNT; policy", "not tag=value"),
        ("ca.example; accounturi=ACCOUNT; =wildcard", "not tag=value"),
        ("ca.example; accounturi=ACCOUNT x", "no value can be"),
        (
            "ca.example; accounturi=ACCOUNT; x=\u{e9}",
            "no value can be",
        ),
        (
            "ca.example; accounturi=ACCOUNT; x=\u{7f}",
            "no value can be",
        ),
        (
            "ca.example; accounturi=ACCOUNT; AccountURI=ACCOUNT",
            "twice",
        ),
        (
            "ca.example; accounturi=ACCOUNT; policy=a; policy=b",
            "twice",
        ),
        (
            "ca.example; accounturi=ACCOUNT; persistUntil=1; persistUntil=2",
            "twice",
        ),
        ("ca.example; accounturi=ACCOUNT; persistUntil=", "no time"),
        (
            "ca.example; accounturi=ACCOUNT; persistUntil=soon",
            "no time",
        ),
        (
            "ca.example; accounturi=ACCOUNT; persistUntil=1.5",
            "no time",
        ),
        (
            "ca.example; accounturi=ACCOUNT; persistUntil=9223372036854775808",
            "no time",
        ),
    ] {
        let problem = validate_text(&mut world, "example.com", text).await;
        expect(problem, ProblemType::Malformed, words);
    }
}

#[tokio::test]
async fn records_of_others_prove_nothing_and_harm_nothing() {
    let mut world = DnsWorld::new().await;
    let others = [
        "other.example; accounturi=ACCOUNT",
        "sub.ca.example; accounturi=ACCOUNT",
        "*.ca.example; accounturi=ACCOUNT",
        "ca.example/; accounturi=ACCOUNT",
        "; accounturi=ACCOUNT",
        "",
        "other.example; malformed",
    ];
    for text in others {
        let problem = validate_text(&mut world, "example.com", text).await;
        expect(problem, ProblemType::Unauthorized, "names this CA");
    }
    // One that fits is enough, whatever stands beside it.
    let problem = validate(&mut world, "example.com", |dns, url| {
        for text in others {
            dns.add_txt(OWNER, text).unwrap();
        }
        dns.add(OWNER, DnsRecord::Txt(vec![vec![0xff, 0xfe]]))
            .unwrap();
        dns.add_txt(OWNER, "ca.example; malformed").unwrap();
        dns.add_txt(OWNER, "ca.example; accounturi=another")
            .unwrap();
        dns.add_txt(OWNER, &format!("ca.example; accounturi={url}"))
            .unwrap();
    });
    assert_eq!(problem.await, None);
    // Of several that do not, the malformed one is told.
    let problem = validate(&mut world, "example.com", |dns, _| {
        dns.add_txt(OWNER, "ca.example; accounturi=another")
            .unwrap();
        dns.add_txt(OWNER, "ca.example; malformed").unwrap();
    });
    expect(problem.await, ProblemType::Malformed, "tag=value");
}

#[tokio::test]
async fn it_is_looked_up_as_any_record_is() {
    let mut world = DnsWorld::new().await;
    let problem = validate(&mut world, "example.com", |_, _| {}).await;
    expect(problem, ProblemType::Dns, "NXDOMAIN");
    let problem = validate(&mut world, "example.com", |dns, _| {
        let address = DnsRecord::Address([127, 0, 0, 1].into());
        dns.add(OWNER, address).unwrap();
    });
    expect(problem.await, ProblemType::Unauthorized, "no TXT record");
    let problem = validate(&mut world, "example.com", |dns, url| {
        alias(dns, OWNER, "there.example");
        let text = format!("ca.example; accounturi={url}; x={}", "y".repeat(600));
        dns.add_txt("there.example", &text).unwrap();
    });
    assert_eq!(problem.await, None);
}

#[tokio::test]
async fn the_issuers_are_the_caa_identities() {
    let mut world = DnsWorld::with(|it| {
        it.answers.caa_identities = vec!["one.example".to_owned(), "two.example".to_owned()];
    })
    .await;
    for (issuer, met) in [
        ("one.example", true),
        ("two.example", true),
        ("ca.example", false),
    ] {
        let text = format!("{issuer}; accounturi=ACCOUNT");
        let problem = validate_text(&mut world, "example.com", &text).await;
        assert_eq!(problem.is_none(), met, "{issuer}");
    }
}

/// Version 02 names a hash, and the directory what comes before it.
#[tokio::test]
async fn the_second_version_names_a_hash() {
    let mut world = DnsWorld::with(|it| {
        it.validation.dns_persist_version = Version::Draft02;
    })
    .await;
    let (_, challenge, _) = world
        .begin("example.com", ChallengeType::DnsPersist01)
        .await;
    let directory: Directory = world.client.directory.clone();
    let offer = Offer::from_challenge(&challenge, &directory.meta).unwrap();
    assert_eq!(offer.version, Version::Draft02);
    assert_eq!((challenge.token, offer.account_uri), (None, None));
    let prefix = directory.meta.account_hash_prefix.unwrap();

    let thumbprint = world.client.key.thumbprint();
    let url = world.client.kid.clone();
    let domain = "example.com".parse().unwrap();
    let other = "www.example.com".parse().unwrap();
    let hash = |domain| dns_persist::account_hash(domain, &thumbprint, &url);
    let (own, any, others) = (hash(Some(&domain)), hash(None), hash(Some(&other)));
    for (name, hash, met) in [
        ("example.com", &own, true),
        ("example.com", &any, true),
        ("example.com", &others, false),
        ("*.example.com", &own, true),
    ] {
        let account = Account::Draft02 {
            prefix: &prefix,
            hash,
        };
        let record = Record::new("ca.example", account).wildcard(true);
        let text = record.to_text().unwrap();
        let problem = validate_text(&mut world, name, &text).await;
        assert_eq!(problem.is_none(), met, "{name} {problem:?}");
    }
    // The first version's way is none of the second's.
    let text = "ca.example; accounturi=ACCOUNT; policy=wildcard";
    let problem = validate_text(&mut world, "example.com", text).await;
    expect(problem, ProblemType::Unauthorized, "not this account's");
}
