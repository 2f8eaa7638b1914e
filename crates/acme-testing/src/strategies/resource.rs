//! What a CA shows: its directory, orders, authorizations and challenges.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{
    document::{array, moment, object, optional, required},
    problem_json, server_name, token,
    url::short_url,
};

/// A directory ([RFC 8555, section 7.1.1](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.1)),
/// with members that nobody knows.
pub fn directory_json() -> impl Strategy<Value = Value> {
    let profiles = proptest::collection::btree_map("[a-z]{1,12}", short_url(), 0..=3);
    let meta = object(vec![
        optional("termsOfService", short_url()),
        optional("website", short_url()),
        optional("caaIdentities", array("[a-z]{1,12}\\.example", 0..=3)),
        optional("externalAccountRequired", any::<bool>()),
        optional("profiles", profiles.prop_map(|it| json!(it))),
    ]);
    object(vec![
        required("newNonce", short_url()),
        required("newAccount", short_url()),
        required("newOrder", short_url()),
        optional("newAuthz", short_url()),
        optional("revokeCert", short_url()),
        optional("keyChange", short_url()),
        optional("renewalInfo", short_url()),
        optional("meta", meta),
    ])
}

/// An order ([RFC 8555, section 7.1.3](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.3)) in
/// any state, with members that nobody knows. Its members need not agree with each other.
pub fn order_json() -> impl Strategy<Value = Value> {
    let states = ["pending", "ready", "processing", "valid", "invalid"];
    object(vec![
        required("status", status(&states)),
        required("identifiers", array(identifier_json(), 1..=4)),
        required("authorizations", array(short_url(), 0..=4)),
        required("finalize", short_url()),
        optional("expires", moment()),
        optional("notBefore", moment()),
        optional("notAfter", moment()),
        optional("profile", "[a-z]{1,12}"),
        optional("replaces", "[A-Za-z0-9_-]{27}\\.[A-Za-z0-9_-]{22}"),
        optional("error", problem_json()),
        optional("certificate", short_url()),
    ])
}

/// An authorization ([RFC 8555, section 7.1.4](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.4))
/// in any state, with members that nobody knows.
pub fn authorization_json() -> impl Strategy<Value = Value> {
    let states = [
        "pending",
        "valid",
        "invalid",
        "deactivated",
        "expired",
        "revoked",
    ];
    object(vec![
        required("identifier", identifier_json()),
        required("status", status(&states)),
        required("challenges", array(challenge_json(), 0..=4)),
        optional("expires", moment()),
        optional("wildcard", any::<bool>()),
    ])
}

/// A challenge ([RFC 8555, section 7.1.5](https://www.rfc-editor.org/rfc/rfc8555#section-7.1.5)) of
/// a known or an unknown type, in any state, with members that nobody knows.
pub fn challenge_json() -> impl Strategy<Value = Value> {
    let known = select(vec![
        "http-01",
        "dns-01",
        "tls-alpn-01",
        "dns-account-01",
        "dns-persist-01",
        "device-attest-01",
    ]);
    let kind = prop_oneof![
        4 => known.prop_map(str::to_owned),
        1 => "[a-z]{2,10}-[0-9]{2}",
    ];
    object(vec![
        required("type", kind),
        required("url", short_url()),
        required(
            "status",
            status(&["pending", "processing", "valid", "invalid"]),
        ),
        optional("token", token().prop_map(|it| it.as_str().to_owned())),
        optional("validated", moment()),
        optional("error", problem_json()),
    ])
}

/// An identifier of a known or an unknown type, and perhaps members that nobody knows.
pub(super) fn identifier_json() -> BoxedStrategy<Value> {
    let kind = prop_oneof![
        4 => server_name().prop_map(|name| {
            let identifier = acme_messages::Identifier::from(&name);
            (identifier.kind.as_str().to_owned(), identifier.value)
        }),
        1 => ("[a-z]{4,10}", ".{0,32}"),
    ];
    (kind, object(Vec::new()))
        .prop_map(|((kind, value), mut object)| {
            object["type"] = kind.into();
            object["value"] = value.into();
            object
        })
        .boxed()
}

/// Mostly a state that is known.
fn status(known: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    prop_oneof![
        8 => select(known.to_vec()).prop_map(str::to_owned),
        1 => "[a-z]{4,10}",
    ]
}
