//! Renewal information (RFC 9773).

use std::time::Duration;

use acme_client::{
    Error, ErrorKind, MAX_RENEWAL_INFO_INTERVAL, MIN_RENEWAL_INFO_INTERVAL, Operation,
    RENEWAL_INFO_INTERVAL, RenewalAdvice,
};
use acme_testing::{Fault, Operation as Asked};

use crate::world::World;

#[tokio::test]
async fn the_window_and_the_next_question() {
    let world = World::new().await;
    let issued = world.obtain(&["a.example"]).await.unwrap();
    let leaf = issued.chain.leaf();
    let id = leaf.certificate_id().unwrap();
    world.ca.configure(|it| {
        it.renewal.explanation_url = Some("https://ca.example/why".to_owned());
    });
    let advice = world.client.renewal_info(&id).await.unwrap().unwrap();
    let window = advice.info.suggested_window;
    assert!(leaf.not_before < window.start && window.end < leaf.not_after);
    assert_eq!(advice.ask_again_after(), Duration::from_secs(6 * 60 * 60));
    let page = advice.info.explanation_url.as_deref();
    assert_eq!(page, Some("https://ca.example/why"));
    // It is a plain GET.
    let requests = world.ca.requests();
    let asked = requests
        .iter()
        .find(|it| it.operation == Asked::RenewalInfo);
    assert_eq!(asked.unwrap().method, "GET");
}

#[tokio::test]
async fn what_makes_no_sense_is_no_advice() {
    let world = World::new().await;
    let issued = world.obtain(&["a.example"]).await.unwrap();
    let id = issued.chain.leaf().certificate_id().unwrap();
    for fault in [Fault::WrongWindow, Fault::HtmlBody, Fault::EmptyBody] {
        world.ca.inject(fault.on(Asked::RenewalInfo).times(1));
        let error = world.client.renewal_info(&id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadResponse);
        // It will not be better in a minute.
        assert_eq!(RenewalAdvice::after_error(&error, 1), RENEWAL_INFO_INTERVAL);
    }
    world.ca.inject(Fault::Html(503).on(Asked::RenewalInfo));
    let error = world.client.renewal_info(&id).await.unwrap_err();
    assert_eq!(
        RenewalAdvice::after_error(&error, 1),
        MIN_RENEWAL_INFO_INTERVAL
    );

    let stranger = acme_client::messages::CertificateId::new(&[1], &[2]);
    world.ca.clear_faults();
    let error = world.client.renewal_info(&stranger).await.unwrap_err();
    assert!(!error.is_transient());
}

#[tokio::test]
async fn a_ca_without_it_has_no_opinion() {
    let world = World::with(crate::world::builder().configure(|it| it.renewal.offered = false));
    let world = world.await;
    let id = acme_client::messages::CertificateId::new(&[1], &[2]);
    assert_eq!(world.client.renewal_info(&id).await.unwrap(), None);
    assert_eq!(world.asked(), [Asked::Directory]);
}

#[test]
fn questions_are_neither_rare_nor_frequent() {
    let window =
        r#"{"suggestedWindow":{"start":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z"}}"#;
    let again = |retry_after: Option<u64>| {
        let info = serde_json::from_str(window).unwrap();
        RenewalAdvice::new(info, retry_after.map(Duration::from_secs)).ask_again_after()
    };
    assert_eq!(again(None), RENEWAL_INFO_INTERVAL);
    assert_eq!(again(Some(0)), MIN_RENEWAL_INFO_INTERVAL);
    assert_eq!(again(Some(3_600)), Duration::from_secs(3_600));
    assert_eq!(again(Some(u64::MAX)), MAX_RENEWAL_INFO_INTERVAL);

    let after = |error: &Error| -> Vec<u64> {
        let failures = [0, 1, 2, 3, 6, 7, u32::MAX];
        let pause = |it| RenewalAdvice::after_error(error, it).as_secs();
        failures.into_iter().map(pause).collect()
    };
    let slow = Error::new(ErrorKind::Timeout, Operation::RenewalInfo);
    assert_eq!(after(&slow), [60, 60, 120, 240, 1_920, 21_600, 21_600]);
    let gone = Error::new(ErrorKind::BadResponse, Operation::RenewalInfo).with_status(404);
    assert_eq!(after(&gone), [21_600; 7]);
    let asked = slow.with_retry_after(Some(Duration::from_secs(600)));
    assert_eq!(after(&asked), [600, 600, 600, 600, 1_920, 21_600, 21_600]);
}
