//! Renewal information and the name of a certificate in it (RFC 9773).

use acme_messages::{CertificateChain, CertificateId, RenewalInfo, SuggestedWindow};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn the_rfcs_certificate_has_the_rfcs_name() {
    // RFC 9773, appendix A; its dates lie in the year 1, its serial begins with a zero byte.
    let chain = CertificateChain::from_pem(include_bytes!("pki/rfc9773.pem")).unwrap();
    assert_eq!(
        chain.leaf().certificate_id().unwrap().as_str(),
        "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"
    );
    assert_eq!(chain.leaf().serial_hex(), "0087654321");
    assert_eq!(chain.leaf().not_after.to_string(), "0001-01-01T00:00:00Z");
    assert_eq!(CertificateId::new(b"", b"").to_string(), ".");
}

#[test]
fn renewal_info() {
    let check = |value: serde_json::Value, url: Option<&str>| {
        let info: RenewalInfo = serde_json::from_value(value).unwrap();
        assert_eq!(
            info.suggested_window.start.to_string(),
            "2026-01-02T04:00:00Z"
        );
        assert_eq!(info.explanation_url.as_deref(), url);
    };
    let window = json!({"start": "2026-01-02T04:00:00Z", "end": "2026-01-03T04:00:00Z"});
    check(json!({"suggestedWindow": window}), None);
    check(
        json!({"suggestedWindow": window, "explanationURL": null, "more": 1}),
        None,
    );
    let offset = json!({"start": "2026-01-02T05:00:00.0+01:00", "end": "2026-01-03T04:00:00Z"});
    check(
        json!({"suggestedWindow": offset, "explanationURL": "https://ca.example/why"}),
        Some("https://ca.example/why"),
    );
    for odd in [
        json!({}),
        json!({"suggestedWindow": {}}),
        json!(null),
        json!([]),
    ] {
        serde_json::from_value::<RenewalInfo>(odd).unwrap_err();
    }
}

#[test]
fn windows() {
    // RFC 9773, section 4.2: an end that is not after the start is as good as no answer.
    let start = "2026-01-02T04:00:00Z".parse().unwrap();
    for (end, expected) in [
        ("2026-01-02T04:00:00.000000001Z", true),
        ("2026-01-02T04:00:00Z", false),
        ("2026-01-02T03:59:59Z", false),
    ] {
        let end = end.parse().unwrap();
        assert_eq!(SuggestedWindow { start, end }.is_valid(), expected, "{end}");
    }
}

proptest! {
    #[test]
    fn round_trips(start in 0i64..200_000_000_000, end in 0i64..200_000_000_000, why: Option<String>) {
        let [start, end] =
            [start, end].map(|it| acme_messages::Timestamp::from_second(it).unwrap());
        let mut info = RenewalInfo::new(SuggestedWindow { start, end });
        info.explanation_url = why;
        let text = serde_json::to_string(&info).unwrap();
        prop_assert_eq!(serde_json::from_str::<RenewalInfo>(&text).unwrap(), info);
    }
}
