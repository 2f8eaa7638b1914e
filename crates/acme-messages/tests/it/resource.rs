//! The objects of RFC 8555, as the RFC writes them and as CAs really send them
//! (rows M3 to M8, M14; `unknown_things_parse`).

use acme_messages::{
    Account, AccountStatus, AccountUpdate, Authorization, AuthorizationStatus, AuthorizationUpdate,
    Challenge, ChallengeStatus, ChallengeType, Directory, FinalizeRequest, NewAccount,
    NewAuthorization, NewOrder, Order, OrderStatus, OrdersList, ServerName,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn read<T: DeserializeOwned>(value: &Value) -> T {
    // From bytes, as it arrives: a `Value` reads numbers and text otherwise.
    serde_json::from_slice(value.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// What the RFC demands and CAs leave out all the same.
const LEFT_OUT: [(&str, &str); 6] = [
    ("acme_messages::account::Account", "status"),
    ("acme_messages::authorization::Authorization", "challenges"),
    ("acme_messages::challenge::Challenge", "status"),
    ("acme_messages::order::Order", "authorizations"),
    ("acme_messages::order::Order", "finalize"),
    ("acme_messages::order::Order", "identifiers"),
];

/// Each optional member may be absent or null, and a member more changes nothing.
fn optional<T>(full: &Value, optional: &[&str])
where
    T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug,
{
    assert_eq!(&serde_json::to_value(read::<T>(full)).unwrap(), full);
    let mut more = full.clone();
    more["someMember"] = json!({"of": ["a", "later", "version"]});
    // A challenge keeps it, and is otherwise the same.
    let mut written = serde_json::to_value(read::<T>(&more)).unwrap();
    written.as_object_mut().unwrap().remove("someMember");
    assert_eq!(&written, full);
    for name in full.as_object().unwrap().keys() {
        let mut absent = full.clone();
        absent.as_object_mut().unwrap().remove(name);
        let mut null = full.clone();
        null[name] = Value::Null;
        if optional.contains(&name.as_str()) {
            assert_eq!(read::<T>(&null), read::<T>(&absent), "{name}");
            let written = serde_json::to_value(read::<T>(&absent)).unwrap();
            assert_eq!(written, absent, "an absent member stays absent");
        } else if !LEFT_OUT.contains(&(std::any::type_name::<T>(), name)) {
            let error = serde_json::from_value::<T>(absent).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}

#[test]
fn directory() {
    // Row M3: a missing member is named; the rest may be missing.
    optional::<Directory>(
        &json!({
            "newNonce": "https://ca.example/nonce",
            "newAccount": "https://ca.example/account",
            "newOrder": "https://ca.example/order",
            "newAuthz": "https://ca.example/authz",
            "revokeCert": "https://ca.example/revoke",
            "keyChange": "https://ca.example/key",
            "renewalInfo": "https://ca.example/ari",
            "meta": {
                "termsOfService": "data:text/plain,Do%20what%20thou%20wilt",
                "website": "https://ca.example",
                "caaIdentities": ["ca.example"],
                "externalAccountRequired": true,
                "profiles": {"classic": "The classic one"},
            },
        }),
        &["newAuthz", "revokeCert", "keyChange", "renewalInfo", "meta"],
    );
    let bare = json!({"newNonce": "n", "newAccount": "a", "newOrder": "o"});
    let check = |meta: Value| {
        let mut value = bare.clone();
        value["meta"] = meta;
        let read_one: Directory = read(&value);
        assert_eq!(read_one, read(&bare), "{value}");
    };
    check(json!({}));
    check(json!({"termsOfService": null, "caaIdentities": null, "profiles": null}));
    check(json!({"externalAccountRequired": null, "website": null, "unknown": 1}));
    check(json!({"termsOfService": "", "website": ""}));

    // A profile without a description is on offer all the same.
    let mut value = bare.clone();
    value["meta"] = json!({"profiles": {"short": null, "long": "words", "odd": {"a": 1}}});
    let profiles = read::<Directory>(&value).meta.profiles;
    assert_eq!(
        profiles.keys().collect::<Vec<_>>(),
        ["long", "odd", "short"]
    );
    assert_eq!(profiles["short"], "");

    // Boulder adds a member of random name; an URL stays the text received.
    let mut value = bare.clone();
    value["Xk2nPAN5aYY"] = json!("https://community.example/t/adding-random-entries/33417");
    value["newOrder"] = json!("HTTPS://CA.example:443/a/../%7eorder");
    assert_eq!(
        read::<Directory>(&value).new_order,
        "HTTPS://CA.example:443/a/../%7eorder"
    );
}

#[test]
fn account() {
    optional::<Account>(
        &json!({
            "status": "valid",
            "contact": ["mailto:a@example.com"],
            "orders": "https://ca.example/orders",
            "termsOfServiceAgreed": true,
            "externalAccountBinding": {"protected": "", "payload": "", "signature": ""},
        }),
        &[
            "contact",
            "orders",
            "termsOfServiceAgreed",
            "externalAccountBinding",
        ],
    );
    // Row M8.
    let status = |text: &str| read::<Account>(&json!({"status": text})).status;
    assert_eq!(status("valid"), AccountStatus::Valid);
    assert_eq!(status("deactivated"), AccountStatus::Deactivated);
    assert_eq!(status("revoked"), AccountStatus::Revoked);
    assert_eq!(status("asleep"), AccountStatus::Other("asleep".into()));
}

#[test]
fn new_account() {
    // Row M4: absent members are absent.
    assert_eq!(serde_json::to_string(&NewAccount::default()).unwrap(), "{}");
    optional::<NewAccount>(
        &json!({
            "contact": ["mailto:example@example.com"],
            "termsOfServiceAgreed": true,
            "onlyReturnExisting": true,
            "externalAccountBinding": {"protected": ""},
        }),
        &[
            "contact",
            "termsOfServiceAgreed",
            "onlyReturnExisting",
            "externalAccountBinding",
        ],
    );
}

#[test]
fn changes() {
    // RFC 8555, sections 7.3.2, 7.3.6, 7.4.1 and 7.5.2.
    fn check<T>(value: &T, expected: &Value)
    where
        T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug,
    {
        assert_eq!(&serde_json::to_value(value).unwrap(), expected);
        assert_eq!(&read::<T>(expected), value);
    }
    check(&AccountUpdate::default(), &json!({}));
    check(&AccountUpdate::contact([""; 0]), &json!({"contact": []}));
    check(
        &AccountUpdate::contact(["mailto:a@b.example"]),
        &json!({"contact": ["mailto:a@b.example"]}),
    );
    check(
        &AccountUpdate::deactivate(),
        &json!({"status": "deactivated"}),
    );
    check(
        &AuthorizationUpdate::deactivate(),
        &json!({"status": "deactivated"}),
    );
    let name: ServerName = "a.example".parse().unwrap();
    check(
        &NewAuthorization::new(name),
        &json!({"identifier": {"type": "dns", "value": "a.example"}}),
    );
    optional::<AccountUpdate>(
        &json!({"contact": ["mailto:a@b.example"], "status": "deactivated"}),
        &["contact", "status"],
    );
}

#[test]
fn orders_list() {
    // RFC 8555, section 7.1.2.1.
    let list = json!({"orders": ["https://ca.example/order/1", "HTTPS://CA.example/order/../2"]});
    let read_one: OrdersList = read(&list);
    assert_eq!(read_one.orders[1], "HTTPS://CA.example/order/../2");
    assert_eq!(serde_json::to_value(&read_one).unwrap(), list);
    for odd in [json!({"orders": []}), json!({"orders": null, "more": 1})] {
        assert_eq!(read::<OrdersList>(&odd), OrdersList::default());
    }
    let bare = json!(["https://ca.example/order/1"]);
    assert_eq!(
        read::<OrdersList>(&bare).orders,
        ["https://ca.example/order/1"]
    );
    assert_eq!(read::<OrdersList>(&json!([])), OrdersList::default());
    for none in [json!({}), json!([1]), json!({ "orders": "x" }), json!("x")] {
        serde_json::from_value::<OrdersList>(none).unwrap_err();
    }
}

fn order_members() -> Value {
    json!({
        "status": "valid",
        "expires": "2026-01-20T14:09:07.99Z",
        "identifiers": [{"type": "dns", "value": "www.example.org"}],
        "notBefore": "2026-01-01T00:00:00Z",
        "notAfter": "2026-01-08T00:00:00Z",
        "profile": "classic",
        "replaces": "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE",
        "error": {"type": "urn:ietf:params:acme:error:caa", "detail": "no"},
        "authorizations": ["https://ca.example/authz/1"],
        "finalize": "https://ca.example/order/1/finalize",
        "certificate": "https://ca.example/cert/1",
    })
}

#[test]
fn order() {
    optional::<Order>(
        &order_members(),
        &[
            "expires",
            "notBefore",
            "notAfter",
            "profile",
            "replaces",
            "error",
            "certificate",
        ],
    );
    let check = |name: &str, value: Value, expected: Value| {
        let mut order = order_members();
        order[name] = value;
        let read_one: Order = read(&order);
        order[name] = expected;
        if order[name].is_null() {
            order.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(read_one, read(&order));
    };
    check("error", json!({}), json!(null));
    check(
        "error",
        json!({"type": null, "subproblems": []}),
        json!(null),
    );
    check(
        "error",
        json!({"type": "x", "status": "400", "identifier": {}}),
        json!({"type": "x"}),
    );
    check("certificate", json!(""), json!(null));
    check("replaces", json!(""), json!(null));
    check("authorizations", json!(null), json!([]));
    check(
        "expires",
        json!("2026-01-20T15:09:07.990+01:00"),
        json!("2026-01-20T14:09:07.99Z"),
    );
    // Row M8.
    for (text, expected) in [
        ("pending", OrderStatus::Pending),
        ("ready", OrderStatus::Ready),
        ("processing", OrderStatus::Processing),
        ("valid", OrderStatus::Valid),
        ("invalid", OrderStatus::Invalid),
        ("canceled", OrderStatus::Other("canceled".into())),
    ] {
        let mut order = order_members();
        order["status"] = json!(text);
        assert_eq!(read::<Order>(&order).status, expected);
    }
}

#[test]
fn new_order() {
    let names: Vec<ServerName> = vec![
        "*.example.org".parse().unwrap(),
        "2001:DB8::1".parse().unwrap(),
    ];
    assert_eq!(
        serde_json::to_string(&NewOrder::new(names)).unwrap(),
        r#"{"identifiers":[{"type":"dns","value":"*.example.org"},{"type":"ip","value":"2001:db8::1"}]}"#
    );
    optional::<NewOrder>(
        &json!({
            "identifiers": [{"type": "dns", "value": "example.org"}],
            "notBefore": "2026-01-01T00:00:00Z",
            "notAfter": "2026-01-08T00:00:00Z",
            "profile": "shortlived",
            "replaces": "a.b",
        }),
        &["notBefore", "notAfter", "profile", "replaces"],
    );
}

#[test]
fn finalize() {
    // Row M14: `csr` and nothing else.
    let request = FinalizeRequest { csr: "AA".into() };
    assert_eq!(serde_json::to_string(&request).unwrap(), r#"{"csr":"AA"}"#);
}

#[test]
fn authorization() {
    // Row M6: the sample of RFC 8555, section 7.1.4.
    optional::<Authorization>(
        &json!({
            "status": "valid",
            "expires": "2026-01-20T14:09:00Z",
            "identifier": {"type": "dns", "value": "www.example.org"},
            "challenges": [{
                "url": "https://ca.example/chall/prV_B7yEyA4",
                "type": "http-01",
                "status": "valid",
                "token": "DGyRejmCefe7v4NfDGDKfA",
                "validated": "2026-12-01T12:05:58.16Z",
            }],
            "wildcard": true,
        }),
        &["expires", "wildcard"],
    );
    let bare = json!({
        "status": "pending",
        "identifier": {"type": "dns", "value": "example.org"},
        "challenges": [],
    });
    for (name, value) in [
        ("wildcard", json!(false)),
        ("wildcard", json!(null)),
        ("challenges", json!(null)),
        ("expires", json!(null)),
    ] {
        let mut odd = bare.clone();
        odd[name] = value;
        assert_eq!(read::<Authorization>(&odd), read(&bare));
    }
    // Row M8.
    for (text, expected) in [
        ("pending", AuthorizationStatus::Pending),
        ("valid", AuthorizationStatus::Valid),
        ("invalid", AuthorizationStatus::Invalid),
        ("deactivated", AuthorizationStatus::Deactivated),
        ("expired", AuthorizationStatus::Expired),
        ("revoked", AuthorizationStatus::Revoked),
        ("unknown", AuthorizationStatus::Other("unknown".into())),
    ] {
        let mut odd = bare.clone();
        odd["status"] = json!(text);
        assert_eq!(read::<Authorization>(&odd).status, expected);
    }
}

#[test]
fn challenge() {
    // Row M7.
    optional::<Challenge>(
        &json!({
            "type": "tls-alpn-01",
            "url": "https://ca.example/chall/1",
            "status": "invalid",
            "token": "DGyRejmCefe7v4NfDGDKfA",
            "validated": "2026-12-01T12:05:58Z",
            "error": {"type": "urn:ietf:params:acme:error:tls", "detail": "no"},
        }),
        &["token", "validated", "error"],
    );
    for (text, expected) in [
        ("pending", ChallengeStatus::Pending),
        ("processing", ChallengeStatus::Processing),
        ("valid", ChallengeStatus::Valid),
        ("invalid", ChallengeStatus::Invalid),
        ("waiting", ChallengeStatus::Other("waiting".into())),
    ] {
        let value = json!({"type": "dns-01", "url": "u", "status": text});
        assert_eq!(read::<Challenge>(&value).status, expected);
    }
}

#[test]
fn unknown_things_parse() {
    let text = json!({
        "status": "somewhere-between",
        "identifier": {"type": "permanent-identifier", "value": "1234", "assigner": "1.2.3"},
        "challenges": [
            {"type": "dns-persist-01", "url": "https://ca.example/1", "status": "pending",
             "issuer-domain-names": ["ca.example"], "accounturi": "https://ca.example/acct/1"},
            {"type": "device-attest-01", "url": "https://ca.example/2", "status": "pending",
             "token": null, "error": {}},
            {"type": "http-01", "url": "https://ca.example/3", "status": "pending", "token": "abc",
             "error": null, "validated": null, "validationRecord": [{"url": "http://x"}]},
        ],
        "subdomainAuthAllowed": true,
    });
    let authorization: Authorization = read(&text);
    let kinds: Vec<_> = authorization.challenges.iter().map(|it| &it.kind).collect();
    assert_eq!(
        kinds,
        [
            &ChallengeType::DnsPersist01,
            &ChallengeType::DeviceAttest01,
            &ChallengeType::Http01,
        ]
    );
    assert!(authorization.challenges.iter().all(|it| it.error.is_none()));
    assert_eq!(kinds[0].to_string(), "dns-persist-01");
    assert_eq!(authorization.challenges[1].token, None);
    assert!(
        authorization.challenges[2]
            .extra
            .contains_key("validationRecord")
    );
}

// Row M2: the URLs of today's protocol, to be used verbatim.
#[test]
fn lets_encrypt_is_where_it_is() {
    use acme_messages::directory_urls::{LETS_ENCRYPT, LETS_ENCRYPT_STAGING};
    let host = "api.letsencrypt.org/directory";
    assert_eq!(LETS_ENCRYPT, format!("https://acme-v02.{host}"));
    assert_eq!(
        LETS_ENCRYPT_STAGING,
        format!("https://acme-staging-v02.{host}")
    );
}

// Row M5: an account is known by the URL in a header; its object need not repeat it, and
// holds no trace of an agreement.
#[test]
fn an_account_is_no_more_than_the_rfc_says() {
    let account: Account = serde_json::from_str(r#"{"status":"valid"}"#).unwrap();
    assert_eq!(account.status, AccountStatus::Valid);
    assert!(account.contact.is_empty());
    assert_eq!(account.orders, None);
    assert_eq!(
        serde_json::to_string(&account).unwrap(),
        r#"{"status":"valid"}"#
    );
}

// What a CA says of itself informs: a slip there hides none of its resources.
#[test]
fn slips_in_a_directorys_meta_hide_nothing() {
    let text = r#"{
        "newNonce": "https://ca.example/nonce",
        "newAccount": "https://ca.example/account",
        "newOrder": "https://ca.example/order",
        "meta": {
            "termsOfService": false,
            "website": {},
            "caaIdentities": "ca.example",
            "externalAccountRequired": "true",
            "profiles": ["classic", 7]
        }
    }"#;
    let directory: Directory = serde_json::from_str(text).unwrap();
    assert_eq!(directory.new_order, "https://ca.example/order");
    assert_eq!(directory.meta, acme_messages::DirectoryMeta::default());
    let text = r#"{"suggestedWindow":{"start":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z"},
        "explanationURL":7}"#;
    let info: acme_messages::RenewalInfo = serde_json::from_str(text).unwrap();
    assert_eq!(info.explanation_url, None);
}

// Members that a client can do without: a slip in one hides none of the rest.
#[test]
fn a_slip_in_an_optional_member_hides_nothing() {
    fn check<T>(object: &Value, optional: &[&str])
    where
        T: DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let absent: T = read(object);
        for name in optional {
            for slip in [json!(5), json!(""), json!({}), json!([7]), json!(null)] {
                let mut slipped = object.clone();
                slipped[*name] = slip;
                assert_eq!(read::<T>(&slipped), absent, "{slipped}");
            }
        }
    }
    let url = "https://ca.example/1";
    check::<Directory>(
        &json!({"newNonce": url, "newAccount": url, "newOrder": url}),
        &["newAuthz", "revokeCert", "keyChange", "renewalInfo"],
    );
    check::<Account>(
        &json!({"status": "valid"}),
        &["contact", "orders", "termsOfServiceAgreed"],
    );
    let identifier = json!({"type": "dns", "value": "example.com"});
    check::<Order>(
        &json!({"status": "pending", "identifiers": [identifier], "authorizations": [url],
            "finalize": url}),
        &["profile", "replaces", "expires", "notBefore", "notAfter"],
    );
    check::<Authorization>(
        &json!({"status": "pending", "identifier": identifier, "challenges": []}),
        &["wildcard", "expires"],
    );
    // Another's token may be anything.
    let tokens = [json!(5), json!({}), json!([7]), json!(null)];
    for token in tokens {
        let challenge = json!({"type": "other-01", "url": url, "token": token, "status": null});
        let challenge: Challenge = read(&challenge);
        assert_eq!(challenge.token, None);
        assert_eq!(challenge.status, ChallengeStatus::Pending);
    }
    let account: Account = read(&json!({"status": null}));
    assert_eq!(account.status, AccountStatus::Valid);
    let directory = json!({"newNonce": url, "newAccount": url, "newOrder": url, "meta": "none"});
    assert_eq!(
        read::<Directory>(&directory).meta,
        acme_messages::DirectoryMeta::default()
    );
}
