//! dns-persist-01 (a draft): the record stands, and an order puts nothing up.

use std::sync::Arc;

use acme_client::{
    Account, CertificateRequest, ErrorKind,
    messages::{
        ChallengeType, ProblemType,
        dns_persist::{self, Account as Holder, Record, Version},
    },
    responders::DnsPersist01Responder,
};
use acme_testing::{DnsRecord, Operation as Asked, ResponderCall, TestDns};

use crate::{
    transport::Meddle,
    world::{World, builder, names, request, within},
};

/// A CA that offers dns-persist-01 in this version, and http-01.
async fn world(version: Version) -> (World, TestDns) {
    let dns = TestDns::start().await.unwrap();
    let address = dns.address();
    let builder = builder()
        .challenges([ChallengeType::DnsPersist01, ChallengeType::Http01])
        .configure(|it| {
            it.validation.dns_server = Some(address);
            it.validation.dns_persist_version = version;
        });
    (World::with(builder).await, dns)
}

/// Leaves the account's record at a name, wildcards below included.
async fn stand(dns: &TestDns, version: Version, account: &Account, name: &str) {
    let directory = account.client().directory().await.unwrap();
    let thumbprint = account.signer().public_jwk().thumbprint();
    let domain = name.parse().unwrap();
    let hash = dns_persist::account_hash(Some(&domain), &thumbprint, account.url());
    let holder = match version {
        Version::Draft01 => Holder::Draft01 { url: account.url() },
        _ => Holder::Draft02 {
            prefix: directory.meta.account_hash_prefix.as_deref().unwrap(),
            hash: &hash,
        },
    };
    let record = Record::new("ca.example", holder).wildcard(true);
    let text = record.to_text().unwrap();
    let strings = dns_persist::strings(&text).map(<[u8]>::to_vec).collect();
    let owner = dns_persist::record_name(&domain);
    dns.add(&owner, DnsRecord::Txt(strings)).unwrap();
}

fn persistent(names: &[&str]) -> CertificateRequest {
    request(names).responder(Arc::new(DnsPersist01Responder))
}

#[tokio::test]
async fn a_record_that_stands_proves_names_and_wildcards_again_and_again() {
    for version in [Version::Draft01, Version::Draft02] {
        let (world, dns) = world(version).await;
        let account = world.account().await;
        stand(&dns, version, &account, "a.example").await;
        let both = ["a.example", "*.a.example"];
        for _ in 0..2 {
            let issued = within(account.obtain(&persistent(&both))).await.unwrap();
            issued.chain.check_names(&names(&both)).unwrap();
        }
        // One name takes no more requests than with any other type.
        world.ca.clear_requests();
        let one = persistent(&["a.example"]);
        within(account.obtain(&one)).await.unwrap();
        assert_eq!(world.asked().len(), 6, "{:?}", world.asked());
    }
}

#[tokio::test]
async fn without_a_record_the_cas_reason_is_told() {
    let (world, dns) = world(Version::Draft01).await;
    let account = world.account().await;
    let request = persistent(&["a.example"]).responder(world.responder.clone());
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthorizationFailed);
    let problem = error.problem().unwrap();
    assert_eq!(problem.kind, ProblemType::Dns);
    assert_eq!(problem.identifier.as_ref().unwrap().value, "a.example");
    // A responder behind it is for names that it is not offered for.
    assert_eq!(world.responder.calls().len(), 0);

    // Another account's record is none.
    let other = world
        .client
        .account(world.account_key.clone(), "https://ca.example/1");
    stand(&dns, Version::Draft01, &other, "a.example").await;
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthorizationFailed);
    assert!(error.has_problem(&ProblemType::Unauthorized), "{error}");
}

#[tokio::test]
async fn names_that_it_is_not_offered_for_are_proved_otherwise() {
    let (world, dns) = world(Version::Draft01).await;
    let account = world.account().await;
    stand(&dns, Version::Draft01, &account, "a.example").await;
    let request = persistent(&["a.example", "192.0.2.1"]).responder(world.responder.clone());
    within(account.obtain(&request)).await.unwrap();
    let calls = world.responder.calls();
    let names: Vec<_> = calls
        .iter()
        .map(|it| match it {
            ResponderCall::Start(it) | ResponderCall::Stop(it) => it.name().to_string(),
            _ => panic!("{it:?}"),
        })
        .collect();
    assert_eq!(names, ["192.0.2.1", "192.0.2.1"]);
}

// The draft: a client must not answer what is malformed.
#[tokio::test]
async fn a_malformed_offer_is_not_answered() {
    let (world, dns) = world(Version::Draft02).await;
    let account = world.account().await;
    stand(&dns, Version::Draft02, &account, "a.example").await;
    for (from, to, reason) in [
        ("ca.example", "other.example", "the directory does not"),
        ("ca.example", "CA.example", "no lower-case DNS name"),
        ("issuerDomainNames", "somethingElse", "names no issuer"),
    ] {
        world.transport.once(
            "authorization",
            Meddle::Change(Box::new(move |answer| {
                let text = String::from_utf8(answer.body().to_vec()).unwrap();
                assert!(text.contains(from), "{text}");
                *answer.body_mut() = text.replace(from, to).into();
            })),
        );
        world.ca.clear_requests();
        let error = within(account.obtain(&persistent(&["a.example"]))).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadResponse, "{error}");
        let cause = std::error::Error::source(&error).unwrap();
        assert!(cause.to_string().contains(reason), "{cause}");
        assert_eq!(world.asked_for(Asked::Challenge), 0);
    }
    within(account.obtain(&persistent(&["a.example"])))
        .await
        .unwrap();
}
