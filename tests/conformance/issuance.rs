//! Certificates from Pebble: each kind of name, each way to prove it, each thing in the way.

use std::{sync::Arc, time::Duration};

use acme_client::{ErrorKind, messages::ProblemType};
use acme_endpoint::{CertificateResolver, TlsListener};
use acme_responders::TlsAlpn01Responder;
use acme_tests::{Case, Error, PebbleBuilder};
use rustls::{ServerConfig, crypto::ring};
use tokio::net::TcpListener;

use crate::world::{
    DnsResponder, THREE, account, account_of, builder, http_01, obtain, request, within,
};

/// Obtains certificates for these names by http-01 from a Pebble with these settings.
async fn by_http_01(
    case: &Case,
    texts: &[&str],
    settings: impl FnOnce(PebbleBuilder) -> PebbleBuilder,
) -> Result<(), Error> {
    let (responder, port) = http_01().await;
    let pebble = settings(case.pebble().http_port(port)).start().await?;
    // As many tries as half of the nonces need that are refused.
    let client = builder(&pebble).bad_nonce_retries(30).build().unwrap();
    let account = account_of(&client).await;
    for _ in 0..2 {
        obtain(&pebble, &account, texts, responder.clone()).await?;
    }
    pebble.stop().await
}

#[tokio::test]
async fn one_name() -> Result<(), Error> {
    let Some(case) = Case::begin("http-01: one name, twice")? else {
        return Ok(());
    };
    by_http_01(&case, &THREE[..1], |it| it).await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn three_names() -> Result<(), Error> {
    let Some(case) = Case::begin("http-01: three names, twice")? else {
        return Ok(());
    };
    by_http_01(&case, &THREE, |it| it).await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn ten_names() -> Result<(), Error> {
    let Some(case) = Case::begin("http-01: ten names, twice")? else {
        return Ok(());
    };
    let ten: Vec<_> = (0..10).map(|it| format!("n{it}.example.com")).collect();
    let ten: Vec<_> = ten.iter().map(String::as_str).collect();
    by_http_01(&case, &ten, |it| it).await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn addresses() -> Result<(), Error> {
    let Some(case) = Case::begin("http-01: an address, and one with a name")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let pebble = case.pebble().http_port(port).start().await?;
    let account = account(&pebble).await;
    for texts in [&["127.0.0.1"][..], &["127.0.0.1", "one.example.com"]] {
        obtain(&pebble, &account, texts, responder.clone()).await?;
    }
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn half_of_the_nonces_refused() -> Result<(), Error> {
    let Some(case) = Case::begin("nonces: half of the good ones refused")? else {
        return Ok(());
    };
    by_http_01(&case, &THREE, |it| it.nonce_reject(50)).await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn no_authorization_reused() -> Result<(), Error> {
    let Some(case) = Case::begin("authorizations: none reused")? else {
        return Ok(());
    };
    by_http_01(&case, &THREE, |it| it.authz_reuse(0)).await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn every_authorization_reused() -> Result<(), Error> {
    let Some(case) = Case::begin("authorizations: every one reused")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let pebble = case.pebble().http_port(port).authz_reuse(100);
    let pebble = pebble.nonce_reject(0).start().await?;
    let account = account(&pebble).await;
    obtain(&pebble, &account, &THREE, responder.clone()).await?;
    let told = pebble.log().count("POST /chalZ/");
    obtain(&pebble, &account, &THREE, responder).await?;
    assert_eq!(
        pebble.log().count("POST /chalZ/"),
        told,
        "none is proved again"
    );
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn slow_validation() -> Result<(), Error> {
    let Some(case) = Case::begin("validation: slow, up to three seconds")? else {
        return Ok(());
    };
    by_http_01(&case, &THREE, |it| {
        it.variable("PEBBLE_VA_NOSLEEP", "0")
            .variable("PEBBLE_VA_SLEEPTIME", "3")
            .authz_reuse(0)
    })
    .await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn a_blocked_domain() -> Result<(), Error> {
    let Some(case) = Case::begin("order: a blocked domain is refused")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let pebble = case
        .pebble()
        .http_port(port)
        .blocked_domain("blocked-domain.example");
    let pebble = pebble.start().await?;
    let account = account(&pebble).await;
    let texts = ["one.example.com", "www.blocked-domain.example"];
    let request = request(&texts, responder.clone());
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert!(
        error.has_problem(&ProblemType::RejectedIdentifier),
        "{error}"
    );
    assert!(
        error.to_string().contains("blocked-domain.example"),
        "{error}"
    );
    obtain(&pebble, &account, &texts[..1], responder).await?;
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn nobody_answers() -> Result<(), Error> {
    let Some(case) = Case::begin("validation: nobody answers")? else {
        return Ok(());
    };
    let pebble = case.pebble().start().await?;
    let account = account(&pebble).await;
    let (responder, _) = http_01().await; // On another port than Pebble knocks at.
    let request = request(&THREE[..2], responder);
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthorizationFailed, "{error}");
    assert!(error.problem().is_some(), "{error}");
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn a_wildcard_beside_its_name() -> Result<(), Error> {
    let Some(case) = Case::begin("dns-01: a wildcard, and one beside its name")? else {
        return Ok(());
    };
    let pebble = case.pebble().authz_reuse(0).start().await?;
    let account = account(&pebble).await;
    let responder = Arc::new(DnsResponder::new(&pebble));
    for texts in [&["*.example.com"][..], &["*.example.com", "example.com"]] {
        obtain(&pebble, &account, texts, responder.clone()).await?;
    }
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn a_wildcard_has_no_other_way() -> Result<(), Error> {
    let Some(case) = Case::begin("http-01: not for a wildcard")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let pebble = case.pebble().http_port(port).start().await?;
    let account = account(&pebble).await;
    let request = request(&["*.example.com"], responder);
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSupportedChallenge, "{error}");
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn by_tls_alpn_01() -> Result<(), Error> {
    let Some(case) = Case::begin("tls-alpn-01: one and three names, twice")? else {
        return Ok(());
    };
    let provider = Arc::new(ring::default_provider());
    let responder = TlsAlpn01Responder::new(provider.clone()).unwrap();
    let resolver = CertificateResolver::new();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver.clone()));
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listener = TlsListener::new(tcp, Arc::new(config), resolver, responder.clone()).unwrap();
    let port = listener.local_addr().port();
    let pebble = case.pebble().tls_port(port).start().await?;
    let account = account(&pebble).await;
    for texts in [&THREE[..1], &THREE] {
        for _ in 0..2 {
            obtain(&pebble, &account, texts, Arc::new(responder.clone())).await?;
        }
    }
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn both_profiles() -> Result<(), Error> {
    let Some(case) = Case::begin("profiles: both, and one that is not on offer")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let days = |count: u64| Duration::from_secs(count * 24 * 60 * 60);
    let pebble = case.pebble().http_port(port);
    let pebble = pebble.profile("long", days(90)).profile("short", days(6));
    let pebble = pebble.start().await?;
    if !pebble.offers_profiles().await? {
        pebble.stop().await?;
        case.skipped("this old Pebble has no profiles");
        return Ok(());
    }
    let account = account(&pebble).await;
    for (profile, expected) in [("long", 90), ("short", 6)] {
        let request = request(&THREE[..1], responder.clone()).profile(profile);
        let issued = within(account.obtain(&request)).await.unwrap();
        let leaf = issued.chain.leaf();
        let hours = leaf.not_after.duration_since(leaf.not_before).as_hours();
        assert_eq!((hours + 12) / 24, expected, "{profile}");
    }
    let request = request(&THREE[..1], responder).profile("medium");
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownProfile);
    assert!(error.to_string().contains("long, short"), "{error}");
    pebble.stop().await?;
    case.passed();
    Ok(())
}
