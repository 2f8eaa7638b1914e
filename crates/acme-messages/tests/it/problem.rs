//! Problem documents (rows M9, M10).

use acme_messages::{Identifier, Problem, ProblemType};
use serde_json::{Value, json};

fn read(value: Value) -> Problem {
    serde_json::from_value(value).unwrap()
}

#[test]
fn kinds() {
    // Row M10: both namespaces; the bare suffix is another's name and stays so.
    let check = |text: &str, expected: ProblemType, short: &str| {
        let problem = read(json!({"type": text}));
        assert_eq!(problem.kind, expected);
        assert_eq!(problem.kind.short_name(), short);
    };
    let other = |text: &str| ProblemType::Other(text.to_owned());
    check(
        "urn:ietf:params:acme:error:badNonce",
        ProblemType::BadNonce,
        "badNonce",
    );
    check("urn:acme:error:badNonce", ProblemType::BadNonce, "badNonce");
    check("badNonce", other("badNonce"), "badNonce");
    check(
        "urn:ietf:params:acme:error:conflict",
        other("urn:ietf:params:acme:error:conflict"),
        "conflict",
    );
    check(
        "urn:acme:error:unknownHost",
        other("urn:acme:error:unknownHost"),
        "unknownHost",
    );
    check(
        "https://ca.example/errors/7",
        other("https://ca.example/errors/7"),
        "https://ca.example/errors/7",
    );
    assert_eq!(read(json!({})).kind, other("about:blank"));
}

#[test]
fn the_whole_registry_is_typed() {
    // The IANA registry "ACME Error Types".
    let registry = "accountDoesNotExist alreadyReplaced alreadyRevoked autoRenewalCanceled \
        autoRenewalCancellationInvalid autoRenewalExpired autoRenewalRevocationNotSupported \
        badAttestationStatement badCSR badNonce badPublicKey badRevocationReason \
        badSignatureAlgorithm caa compound connection dns externalAccountRequired \
        incorrectResponse invalidContact invalidProfile malformed onionCAARequired orderNotReady \
        rateLimited rejectedIdentifier serverInternal tls unauthorized unknownDelegation \
        unsupportedContact unsupportedIdentifier userActionRequired";
    for name in registry.split_whitespace() {
        let text = format!("urn:ietf:params:acme:error:{name}");
        let kind = ProblemType::from(text.as_str());
        assert!(!matches!(kind, ProblemType::Other(_)), "{name}");
        assert_eq!(kind.as_str(), text);
        assert_eq!(kind.short_name(), name);
    }
}

#[test]
fn members() {
    // Row M9: each member present, absent, null, or of a type it should not have
    // (RFC 9457, section 3.1: then it is ignored).
    let full = json!({
        "type": "urn:ietf:params:acme:error:compound",
        "title": "t",
        "status": 403,
        "detail": "d",
        "instance": "https://ca.example/terms",
        "identifier": {"type": "dns", "value": "example.com"},
        "algorithms": ["ES256"],
        "subproblems": [{"type": "urn:ietf:params:acme:error:caa"}],
    });
    let problem = read(full.clone());
    assert_eq!(problem.status, Some(403));
    assert_eq!(
        problem.instance.as_deref(),
        Some("https://ca.example/terms")
    );
    assert_eq!(problem.algorithms, ["ES256"]);
    assert_eq!(problem.subproblems[0].kind, ProblemType::Caa);
    assert_eq!(serde_json::to_value(&problem).unwrap(), full);

    for name in full.as_object().unwrap().keys() {
        for odd in [json!(null), json!({}), json!(-1), json!([[]]), json!(true)] {
            let mut value = full.clone();
            value[name] = odd.clone();
            let odd_one = read(value.clone());
            value.as_object_mut().unwrap().remove(name);
            if name != "subproblems" && name != "algorithms" || !odd.is_array() {
                assert_eq!(odd_one, read(value), "{name}: {odd}");
            }
        }
    }
    assert_eq!(read(json!({"unknown": {}})), Problem::default());
    serde_json::from_value::<Problem>(json!("text")).unwrap_err();
}

#[test]
fn shown() {
    let check = |value: Value, expected: &str| assert_eq!(read(value).to_string(), expected);
    check(json!({}), "about:blank");
    check(json!({"title": "only"}), "about:blank: only");
    check(
        json!({"type": "urn:ietf:params:acme:error:dns", "detail": "d", "title": "t"}),
        "dns: d",
    );
    check(
        json!({"type": "urn:ietf:params:acme:error:compound", "subproblems": [
            {"type": "urn:ietf:params:acme:error:caa",
             "identifier": {"type": "dns", "value": "a.example"}, "detail": "no"},
            {"type": "urn:ietf:params:acme:error:dns"}]}),
        "compound [a.example: caa: no] [dns]",
    );
    // What a stranger wrote neither breaks a log's lines nor moves a terminal's cursor.
    check(
        json!({"type": "x\u{1b}[2J", "detail": "one\r\ntwo\u{7}"}),
        "x [2J: one  two ",
    );
}

#[test]
fn it_is_small_enough_for_a_result() {
    assert!(size_of::<Result<u8, Problem>>() <= 16);
}

#[test]
fn identifiers_are_set_and_read() {
    let mut problem = Problem::new(ProblemType::Caa, "no");
    let name: acme_messages::ServerName = "example.com".parse().unwrap();
    problem.identifier = Some(Identifier::from(name));
    assert_eq!(problem.identifier.as_ref().unwrap().value, "example.com");
    let error: &dyn std::error::Error = &problem;
    assert!(error.source().is_none());
    assert_eq!(Problem::from(problem.clone().into_details()), problem);
}
