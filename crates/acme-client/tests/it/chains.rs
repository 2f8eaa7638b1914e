//! Chains: the default, the preferred one, all of them.

use acme_client::{
    Account, CertificateRequest, ErrorKind, IssuedCertificate, MAX_ALTERNATES,
    messages::{CertificateChain, ChainPreference},
};
use acme_testing::{Operation as Asked, TestPki};
use bytes::Bytes;
use http::Response;

use crate::{
    transport::Meddle,
    world::{World, builder, within},
};

async fn world(alternates: u8) -> World {
    World::with(builder().pki(TestPki::builder().alternate_roots(alternates))).await
}

/// The common name of the issuer of a chain's last certificate.
fn top(chain: &CertificateChain) -> String {
    chain.issuer_common_names().last().flatten().unwrap()
}

async fn obtain(account: &Account, request: CertificateRequest) -> IssuedCertificate {
    within(account.obtain(&request)).await.unwrap()
}

#[tokio::test]
async fn alternates_are_fetched_only_when_they_matter() {
    let world = world(3).await;
    let account = world.account().await;
    let request = world.request(&["a.example"]);
    let downloads = || world.asked_for(Asked::Certificate);

    let issued = within(account.obtain(&request)).await.unwrap();
    assert_eq!((downloads(), issued.alternates.len()), (1, 0));
    let default = top(&issued.chain);

    // The default is the preferred one.
    world.ca.clear_requests();
    let preferred = ChainPreference::IssuerCommonName(default.clone());
    let issued = obtain(&account, request.clone().prefer_chain(preferred)).await;
    assert_eq!(top(&issued.chain), default);
    assert_eq!(downloads(), 1);

    // All of them, once each.
    world.ca.clear_requests();
    let issued = obtain(&account, request.clone().all_chains(true)).await;
    assert_eq!((downloads(), issued.alternates.len()), (4, 3));
    assert_eq!(top(&issued.chain), default);
    let other = top(&issued.alternates[1]);
    assert!(other != default);

    // Another one, by its name.
    let preferred = ChainPreference::IssuerCommonName(other.clone());
    let issued = obtain(&account, request.clone().prefer_chain(preferred)).await;
    assert_eq!(top(&issued.chain), other);
    assert!(issued.alternates.is_empty());

    // One that nobody has: the default is better than none.
    let preferred = ChainPreference::IssuerCommonName("Nobody".to_owned());
    let issued = obtain(&account, request.clone().prefer_chain(preferred)).await;
    assert_eq!(top(&issued.chain), default);
    let preferred = ChainPreference::Fingerprint([7; 32]);
    let issued = obtain(&account, request.prefer_chain(preferred)).await;
    assert_eq!(top(&issued.chain), default);
}

#[tokio::test]
async fn a_chain_is_preferred_by_fingerprint() {
    let world = world(2).await;
    let account = world.account().await;
    let request = world.request(&["a.example"]);
    let mut issued = obtain(&account, request.clone().all_chains(true)).await;
    let other = issued.alternates.remove(1);
    let fingerprint = other.fingerprints().last().unwrap();
    let preferred = ChainPreference::Fingerprint(fingerprint);
    let issued = obtain(&account, request.prefer_chain(preferred)).await;
    let chain = issued.chain;
    assert!(chain.fingerprints().any(|it| it == fingerprint));
    assert_eq!(top(&chain), top(&other));
}

// An alternate that is damaged, foreign, or named again and again, costs nothing but itself.
#[tokio::test]
async fn bad_alternates_are_passed_over() {
    let world = world(3).await;
    let account = world.account().await;
    let pki = TestPki::new().unwrap();
    let names = crate::world::names(&["a.example"]);
    let validity = acme_testing::CertificateValidity::FOREVER;
    let foreign = pki.issue_server(&names, validity).unwrap().0.to_pem();
    let mut seen = 0;
    world.transport.rule(move |request| {
        if !request.uri().path().contains("certificate") {
            return Meddle::Pass;
        }
        seen += 1;
        let body = match seen {
            2 => "<html>".to_owned(),
            3 => foreign.clone(),
            _ => return Meddle::Pass,
        };
        Meddle::Change(Box::new(move |answer| *answer.body_mut() = body.into()))
    });
    let request = world.request(&["a.example"]).all_chains(true);
    let issued = within(account.obtain(&request)).await.unwrap();
    assert_eq!(issued.alternates.len(), 1);
    issued.alternates[0].check_names(&names).unwrap();
}

#[tokio::test]
async fn the_number_of_alternates_is_bounded() {
    let world = World::new().await;
    let account = world.account().await;
    world.transport.rule(|request| {
        let path = request.uri().path().to_owned();
        match path.contains("certificate") {
            false => Meddle::Pass,
            true => Meddle::Change(Box::new(move |answer| {
                // Each is there twice, and leads on to others.
                for at in 0..40 {
                    let link = format!("<{path}?{}>;rel=\"alternate\"", at / 2);
                    answer.headers_mut().append("link", link.parse().unwrap());
                }
            })),
        }
    });
    let request = world.request(&["a.example"]).all_chains(true);
    let issued = within(account.obtain(&request)).await.unwrap();
    // They are all the same one.
    assert!(issued.alternates.is_empty());
    assert_eq!(world.asked_for(Asked::Certificate), 1 + MAX_ALTERNATES);
    // Nor is any fetched twice.
    let seen = world.transport.seen();
    let urls = seen.iter().filter(|it| it.url.contains("certificate"));
    let urls: std::collections::BTreeSet<_> = urls.map(|it| &it.url).collect();
    assert_eq!(urls.len(), 1 + MAX_ALTERNATES, "{urls:?}");
}

// C27, C28: a leaf alone, ten issuers, eleven.
#[tokio::test]
async fn chain_length_is_bounded() {
    for (count, more) in [(1, false), (2, false), (10, false), (10, true)] {
        let pki = TestPki::builder().intermediates(count);
        let world = World::with(builder().pki(pki)).await;
        if more {
            let change = |answer: &mut Response<Bytes>| {
                let text = String::from_utf8(answer.body().to_vec()).unwrap();
                let last = text.rfind("-----BEGIN").unwrap();
                *answer.body_mut() = format!("{text}{}", &text[last..]).into();
            };
            let meddle = Meddle::Change(Box::new(change));
            world.transport.once("certificate", meddle);
        }
        match world.obtain(&["a.example"]).await {
            Ok(issued) => {
                assert!(!more);
                assert_eq!(issued.chain.as_der().len(), usize::from(count) + 1);
            }
            Err(error) => {
                assert!(more, "{count}: {error}");
                assert_eq!(error.kind(), ErrorKind::InvalidChain);
                assert!(error.to_string().contains("too long"), "{error}");
            }
        }
    }
    let world = World::new().await;
    world.transport.once(
        "certificate",
        Meddle::Change(Box::new(|answer| {
            let text = String::from_utf8(answer.body().to_vec()).unwrap();
            let end = "-----END CERTIFICATE-----\n";
            let leaf = text.split_inclusive(end).next().unwrap().to_owned();
            *answer.body_mut() = leaf.into();
        })),
    );
    let issued = world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(issued.chain.as_der().len(), 1);
}
