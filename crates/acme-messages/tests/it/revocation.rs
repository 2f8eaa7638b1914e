//! Revocation requests and their reasons (RFC 8555, section 7.6; RFC 5280, section 5.3.1).

use acme_messages::{RevocationReason as Reason, RevocationRequest};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn requests() {
    let check = |reason: Option<Reason>, expected: &str| {
        let request = RevocationRequest::new([0xff, 0xfe], reason);
        assert_eq!(serde_json::to_string(&request).unwrap(), expected);
        assert_eq!(
            serde_json::from_str::<RevocationRequest>(expected).unwrap(),
            request
        );
        assert_eq!(request.certificate_der().unwrap(), [0xff, 0xfe]);
    };
    // An absent member is absent.
    check(None, r#"{"certificate":"__4"}"#);
    check(
        Some(Reason::KeyCompromise),
        r#"{"certificate":"__4","reason":1}"#,
    );

    let read = |text| serde_json::from_str::<RevocationRequest>(text);
    let null = read(r#"{"certificate":"__4","reason":null,"more":{}}"#).unwrap();
    assert_eq!(null, RevocationRequest::new([0xff, 0xfe], None));
    assert!(
        read(r#"{"certificate":"_/4="}"#)
            .unwrap()
            .certificate_der()
            .is_err()
    );
    for odd in [
        r#"{"reason":1}"#,
        r#"{"certificate":"","reason":"1"}"#,
        "{}",
        "[]",
    ] {
        read(odd).unwrap_err();
    }
}

#[test]
fn reasons() {
    let codes: Vec<_> = Reason::ALL.iter().map(|it| it.code()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 8, 9, 10]);
    for reason in Reason::ALL {
        assert_eq!(Reason::try_from(reason.code()), Ok(*reason));
        assert_eq!(serde_json::to_value(reason).unwrap(), json!(reason.code()));
        assert_eq!(
            serde_json::from_value::<Reason>(json!(reason.code())).unwrap(),
            *reason
        );
    }
    // Unknown numbers are refused when made, and kept when read.
    for code in [7, 11, -1, 255, i64::MAX, i64::MIN] {
        Reason::from_code(code).unwrap_err();
        let read: Reason = serde_json::from_value(json!(code)).unwrap();
        assert!(matches!(read, Reason::Other { code: kept, .. } if kept == code));
        assert_eq!(serde_json::to_value(read).unwrap(), json!(code));
        assert_eq!(read.to_string(), code.to_string());
    }
    assert_eq!(Reason::RemoveFromCrl.to_string(), "removeFromCRL");
}

proptest! {
    #[test]
    fn round_trips(der: Vec<u8>, code in prop::option::of(any::<i64>())) {
        let mut request = RevocationRequest::new(&der, None);
        request.reason = code.map(|it| serde_json::from_value(json!(it)).unwrap());
        let text = serde_json::to_string(&request).unwrap();
        let read: RevocationRequest = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read.certificate_der().unwrap(), der);
        prop_assert_eq!(read, request);
    }
}
