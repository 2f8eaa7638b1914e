//! What CAs in use say of accounts, nonces and problems, less or otherwise than RFC 8555 wants: no
//! account is lost to it.

use std::{sync::Arc, time::Duration};

use acme_client::{
    AcmeAuthority, CertificateAuthority, Client, ErrorKind, ExternalAccount, SystemClock,
    messages::{AccountStatus, AccountUpdate, NewOrder, ProblemType},
};
use acme_testing::Operation as Asked;
use bytes::Bytes;
use http::Response;
use serde_json::json;

use crate::{
    quirks::edit,
    transport::{Meddle, answer, payload},
    world::{World, agreed, names},
};

// acme2certifier shows nothing of an account that it has.
#[tokio::test]
async fn an_account_that_is_found_may_show_nothing() {
    let world = World::new().await;
    let made = world.account().await;
    let change = |answer: &mut Response<Bytes>| *answer.body_mut() = "{}".into();
    let change = Meddle::Change(Box::new(change));
    world.transport.once("new-account", change);
    let (client, key, new) = (&world.client, world.account_key.clone(), agreed());
    let found = client.new_account(key, &new).await.unwrap();
    assert_eq!(found.account.url(), made.url());
    assert_eq!(found.resource.status, AccountStatus::Valid);
    assert!(!found.created);
}

// Some name the media type of their problems wrongly, or not at all.
#[tokio::test]
async fn a_problem_is_known_by_its_type() {
    let text = r#"{"type":"urn:ietf:params:acme:error:badNonce","detail":"stale"}"#;
    for media in [
        None,
        Some("text/plain; charset=utf-8"),
        Some("application/octet-stream"),
    ] {
        let world = World::new().await;
        let mut response = answer(400, media.unwrap_or_default(), text);
        if media.is_none() {
            response.headers_mut().remove("content-type");
        }
        world.transport.once("new-order", Meddle::Answer(response));
        let issued = world.obtain(&["a.example"]).await;
        issued.unwrap_or_else(|error| panic!("{media:?}: {error}"));
    }
}

// A CA that looks at the binding first has not said that there is no account: whoever took it for
// that would make another, or throw away the key that counts.
#[tokio::test]
async fn an_account_that_would_have_to_be_bound_may_be_there() {
    let world = World::new().await;
    let response = answer(
        403,
        "application/problem+json",
        r#"{"type":"urn:ietf:params:acme:error:externalAccountRequired","detail":"bind it"}"#,
    );
    world
        .transport
        .once("new-account", Meddle::Answer(response));
    let found = world.client.find_account(world.account_key.clone()).await;
    assert_eq!(found.unwrap_err().kind(), ErrorKind::Problem);
}

// A CA may spell contacts its own way, or keep the first alone: the account is there all the same.
#[tokio::test]
async fn contacts_may_be_kept_otherwise() {
    for kept in [
        json!(["mailto:admin@example.com"]),
        json!(["mailto:other@example.com"]),
    ] {
        let world = World::new().await;
        let made = world.account().await;
        world.transport.rule(move |_| {
            let kept = kept.clone();
            Meddle::Change(Box::new(move |answer| {
                edit(answer, |object| {
                    if object.contains_key("orders") && object.contains_key("status") {
                        object.insert("contact".to_owned(), kept);
                    }
                });
            }))
        });
        let mut new = agreed();
        new.contact = vec!["mailto:Admin@Example.com".to_owned()];
        let found = world.client.new_account(world.account_key.clone(), &new);
        assert_eq!(found.await.unwrap().account.url(), made.url());
    }
}

// serles shows addresses without their scheme, others in lower case: these are the ones sent.
#[tokio::test]
async fn contacts_are_compared_by_their_address() {
    let world = World::new().await;
    let account = world.account().await;
    let update = AccountUpdate::contact(["mailto:Admin@Example.com"]);
    let check = async |shown: &'static str, same: bool| {
        world.transport.rule(move |_| {
            Meddle::Change(Box::new(move |answer| {
                edit(answer, |object| {
                    object.insert("contact".to_owned(), json!([shown]));
                });
            }))
        });
        let updated = account.update(&update).await;
        assert_eq!(updated.is_ok(), same, "{shown} {updated:?}");
    };
    check("Admin@Example.com", true).await;
    check("mailto:admin@example.com", true).await;
    check("mailto:other@example.com", false).await;
}

// Google's keys for binding are good for once, and a CA may look at them first.
#[tokio::test]
async fn a_binding_that_is_used_up_does_not_hide_the_account() {
    let refusal = r#"{"type":"urn:ietf:params:acme:error:unauthorized","detail":"used already"}"#;
    let world = World::new().await;
    let external =
        ExternalAccount::new("kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG4").unwrap();
    world.transport.rule(move |request| {
        let bound = || {
            payload(request.body())
                .get("externalAccountBinding")
                .is_some()
        };
        match request.uri().path().contains("new-account") && bound() {
            true => Meddle::Answer(answer(403, "application/problem+json", refusal)),
            false => Meddle::Pass,
        }
    });
    let (client, key, new) = (&world.client, &world.account_key, agreed());
    let none = client.new_bound_account(key.clone(), &new, &external).await;
    let error = none.unwrap_err();
    assert!(error.has_problem(&ProblemType::Unauthorized), "{error}");

    let made = client.new_account(key.clone(), &new).await.unwrap().account;
    let found = client.new_bound_account(key.clone(), &new, &external).await;
    let found = found.unwrap();
    assert_eq!(found.account.url(), made.url());
    assert!(!found.created);
}

// All of it: making the account too.
#[tokio::test]
async fn a_deadline_counts_the_account_in() {
    let world = World::new().await;
    world.transport.once("new-account", Meddle::Hang);
    let clock = Arc::new(SystemClock);
    let client = Client::builder(world.ca.directory_url(), world.transport.clone());
    let client = client.clock(clock).build().unwrap();
    let authority = AcmeAuthority::builder(client, world.account_key.clone());
    let authority = authority.agree_to_terms_of_service(true).build();
    let request = world
        .request(&["a.example"])
        .deadline(Duration::from_millis(1));
    let error = tokio::time::timeout(Duration::from_secs(30), authority.obtain(&request));
    let error = error.await.expect("it ends").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

// RFC 8555, section 7.2: a nonce comes by GET too, where something in between knows no HEAD.
#[tokio::test]
async fn a_nonce_is_fetched_where_head_is_refused() {
    let world = World::new().await;
    world
        .transport
        .rule(|request| match request.method().as_str() {
            "HEAD" => Meddle::Answer(answer(405, "text/html", "")),
            _ => Meddle::Pass,
        });
    world.account().await;
    let gets = world.transport.seen();
    let gets = gets
        .iter()
        .filter(|it| it.method == "GET" && it.url.contains("nonce"));
    assert_eq!(gets.count(), 1);
}

// smallstep's library, in step-ca and Caddy, takes no order of an account any more whose list was
// read while nothing was pending: a lost order is not worth that.
#[tokio::test]
async fn a_list_that_is_damaged_by_looks_is_not_read() {
    let world = World::new().await;
    let account = world.account().await;
    let check = async |change: fn(&mut serde_json::Map<String, serde_json::Value>), read: bool| {
        world.transport.rule(move |request| {
            let path = request.uri().path();
            if path.ends_with("/new-order") {
                return Meddle::LoseRequest;
            }
            if !path.ends_with("/directory") {
                return Meddle::Pass;
            }
            Meddle::Change(Box::new(move |answer| edit(answer, change)))
        });
        // One that has the directory from this CA.
        let client = Client::builder(world.ca.directory_url(), world.transport.clone());
        let client = client.build().unwrap();
        let account = client.account(world.account_key.clone(), account.url());
        world.ca.clear_requests();
        let error = account
            .new_order(&NewOrder::new(names(&["a.example"])))
            .await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Undecided);
        assert_eq!(world.asked_for(Asked::Orders) > 0, read);
        let listed = account.orders().await.map_err(|it| it.kind());
        let expected = if read {
            Ok(vec![])
        } else {
            Err(ErrorKind::NotOffered)
        };
        assert_eq!(listed, expected);
    };
    check(
        |directory| {
            let revoke = directory["newOrder"].as_str().unwrap();
            let revoke = revoke.replace("/new-order", "/revoke-cert");
            directory.insert("revokeCert".to_owned(), json!(revoke));
            directory.remove("newAuthz");
            directory.remove("renewalInfo");
        },
        false,
    )
    .await;
    check(|_| {}, true).await;
}
