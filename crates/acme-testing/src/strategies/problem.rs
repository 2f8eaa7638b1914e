//! Problem documents.

use acme_messages::Problem;
use proptest::prelude::*;
use serde_json::Value;

use super::{
    document::{array, object, optional},
    resource::identifier_json,
    url::short_url,
};

/// A problem document: a kind of the registry or a foreign one, any of the other members, up to
/// two subproblems, and members that nobody knows
/// ([RFC 9457, section 3](https://www.rfc-editor.org/rfc/rfc9457#section-3)).
pub fn problem_json() -> impl Strategy<Value = Value> {
    let mut members = members();
    members.push(optional(
        "subproblems",
        array(object(self::members()), 0..=2),
    ));
    object(members)
}

/// What is read from a [problem document](problem_json).
pub fn problem() -> impl Strategy<Value = Problem> {
    problem_json().prop_map(read)
}

fn read(json: Value) -> Problem {
    serde_json::from_value(json).expect("it is a problem document")
}

fn members() -> Vec<super::document::Member> {
    vec![
        optional("type", kind()),
        optional("title", ".{0,32}"),
        optional("status", 400..600_u16),
        optional("detail", ".{0,64}"),
        optional("instance", short_url()),
        optional("identifier", identifier_json()),
        optional("algorithms", array("[A-Z]{2}[0-9]{3}", 0..=3)),
    ]
}

fn kind() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(vec![
        "accountDoesNotExist",
        "alreadyRevoked",
        "badCSR",
        "badNonce",
        "badPublicKey",
        "badRevocationReason",
        "badSignatureAlgorithm",
        "caa",
        "compound",
        "connection",
        "dns",
        "externalAccountRequired",
        "incorrectResponse",
        "invalidContact",
        "malformed",
        "orderNotReady",
        "rateLimited",
        "rejectedIdentifier",
        "serverInternal",
        "tls",
        "unauthorized",
        "unsupportedContact",
        "unsupportedIdentifier",
        "userActionRequired",
    ]);
    prop_oneof![
        4 => known.prop_map(|kind| format!("urn:ietf:params:acme:error:{kind}")),
        1 => Just("about:blank".to_owned()),
        1 => short_url(),
    ]
}
