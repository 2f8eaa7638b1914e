//! The responder that puts its answers into the DNS server.

use std::time::Duration;

use acme_testing::{
    DnsRecord, DnsResponder, TestDns,
    messages::{
        ChallengeType, KeyAuthorization, ServerName, Token,
        jose::{KeyType, PrivateKey},
    },
    responders::{ChallengeContext, Responder},
};
use domain::base::Rtype;

use crate::test_dns::{ask, lines};

fn challenge(name: &str) -> ChallengeContext {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let token = Token::parse("abc").unwrap();
    let answer = KeyAuthorization::new(&token, &key.thumbprint());
    let name: ServerName = name.parse().unwrap();
    ChallengeContext::new(name, ChallengeType::Dns01, token, answer)
}

fn value(challenge: &ChallengeContext) -> String {
    challenge.key_authorization().dns_txt_value()
}

#[tokio::test]
async fn the_responder_keeps_several_values_and_takes_away_its_own() {
    let dns = TestDns::start().await.unwrap();
    let owner = "_acme-challenge.example.com";
    dns.add_txt(owner, "another's").unwrap();
    let responder = dns.responder();
    assert_eq!(responder.challenge_type(), ChallengeType::Dns01);
    let (plain, wildcard) = (
        challenge("example.com"),
        challenge("example.com").wildcard(true),
    );
    responder.stop(&plain).await.unwrap();
    responder.start(&plain).await.unwrap();
    responder.start(&plain).await.unwrap();
    responder.start(&wildcard).await.unwrap();
    assert_eq!(
        dns.txt(owner),
        ["another's".to_owned(), value(&plain), value(&wildcard)]
    );
    responder.stop(&plain).await.unwrap();
    responder.stop(&plain).await.unwrap();
    assert_eq!(dns.txt(owner), ["another's".to_owned(), value(&wildcard)]);
    responder.stop(&wildcard).await.unwrap();
    assert_eq!(dns.txt(owner), ["another's"]);
    assert!(responder.start(&challenge("192.0.2.1")).await.is_err());
}

#[tokio::test]
async fn the_responder_follows_aliases() {
    let dns = TestDns::start().await.unwrap();
    let alias = DnsRecord::Cname("proofs.example.net".to_owned());
    dns.add("_acme-challenge.example.com", alias).unwrap();
    let challenge = challenge("example.com");
    let responder = dns.responder();
    responder.start(&challenge).await.unwrap();
    assert_eq!(dns.txt("proofs.example.net"), [value(&challenge)]);
    let answer = ask(&dns, "_acme-challenge.example.com", Rtype::TXT).await;
    assert_eq!(lines(&answer).len(), 2);
    tokio::time::timeout(Duration::from_secs(60), responder.asked(&challenge))
        .await
        .unwrap();
    responder.stop(&challenge).await.unwrap();
    assert!(dns.txt("proofs.example.net").is_empty());
}

#[tokio::test]
async fn the_responder_knows_when_it_was_asked() {
    let dns = TestDns::start().await.unwrap();
    let responder: DnsResponder = dns.responder();
    let challenge = challenge("example.com");
    // A question before it answers does not count, nor does one for another type or name.
    ask(&dns, "_acme-challenge.example.com", Rtype::TXT).await;
    responder.start(&challenge).await.unwrap();
    ask(&dns, "_acme-challenge.example.com", Rtype::A).await;
    ask(&dns, "example.com", Rtype::TXT).await;
    let asked = responder.asked(&challenge);
    tokio::pin!(asked);
    let now = std::future::poll_fn(|context| {
        let asked = asked.as_mut().poll(context);
        std::task::Poll::Ready(asked.is_ready())
    });
    assert!(!now.await);
    ask(&dns, "_acme-challenge.example.com", Rtype::TXT).await;
    asked.await;
    // Asking again, late, is answered at once.
    responder.asked(&challenge).await;
}

#[tokio::test]
async fn the_responder_answers_at_an_accounts_own_label() {
    let dns = TestDns::start().await.unwrap();
    let account = "https://example.com/acme/acct/ExampleAccount";
    let responder = dns.responder().for_account(account);
    assert_eq!(responder.challenge_type(), ChallengeType::DnsAccount01);
    let challenge = challenge("example.org");
    responder.start(&challenge).await.unwrap();
    let owner = "_ujmmovf2vn55tgye._acme-challenge.example.org";
    assert_eq!(dns.txt(owner), [value(&challenge)]);
}
