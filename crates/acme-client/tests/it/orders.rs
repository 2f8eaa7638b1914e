//! Orders, authorizations and challenges by their handles.

use std::{sync::Arc, time::Duration};

use acme_client::{
    CertificateRequest, ErrorKind, Operation,
    messages::{
        AuthorizationStatus, CertificateSigningRequest, ChallengeStatus, ChallengeType, NewOrder,
        OrderStatus,
        jose::{KeyType, PrivateKey},
    },
    responders::Responder,
};
use acme_testing::{Operation as Asked, Profile, RecordingResponder};

use crate::{
    transport::{Meddle, payload},
    world::{World, builder, http_01, names, new_key, within},
};

// C13, C17, C20, C24, C25: each step by hand.
#[tokio::test]
async fn an_order_is_driven_step_by_step() {
    let world = World::new().await;
    let account = world.account().await;
    let key = new_key();
    let wanted = names(&["a.example", "b.example"]);
    let csr = CertificateSigningRequest::for_names(&wanted, &*key).unwrap();
    let mut order = account.new_order(&NewOrder::new(&wanted)).await.unwrap();
    assert_eq!(order.state().status, OrderStatus::Pending);

    // Nothing is sent that the state does not allow.
    let error = order.finalize(&csr).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::WrongState, Operation::Finalize)
    );
    let error = order.certificate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert_eq!(world.asked(), [Asked::NewOrder]);

    let mut authorizations = order.authorizations().await.unwrap();
    assert_eq!(authorizations.len(), 2);
    for authorization in &mut authorizations {
        let mut challenge = authorization.challenge(&http_01()).unwrap();
        let context = challenge.context().unwrap();
        world.responder.start(&context).await.unwrap();
        let before = challenge.authorization_url().to_owned();
        challenge.respond().await.unwrap();
        // C18: the CA's link back says the same.
        assert_eq!(challenge.authorization_url(), before);
        within(authorization.becomes_valid()).await.unwrap();
        challenge.refresh().await.unwrap();
        assert_eq!(challenge.state().status, ChallengeStatus::Valid);
        // What is not pending is not told again.
        world.ca.clear_requests();
        challenge.respond().await.unwrap();
        assert_eq!(world.asked(), []);
        world.responder.stop(&context).await.unwrap();
    }
    order.leaves(&OrderStatus::Pending).await.unwrap();
    order.finalize(&csr).await.unwrap();
    order.leaves(&OrderStatus::Processing).await.unwrap();
    let chain = order.certificate().await.unwrap();
    chain.check_names(&wanted).unwrap();
    // C29: nearest issuer first, each signs the one before.
    chain.check_links().unwrap();
    assert_eq!(chain.as_der().len(), 2);
    let error = order.prove(&[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
}

// C18: a CA that sends no link back.
#[tokio::test]
async fn a_challenge_needs_no_link_to_its_authorization() {
    let world = World::new().await;
    world.ca.inject(acme_testing::Fault::NoLinks);
    world.obtain(&["a.example"]).await.unwrap();
}

// C16, C19: answers that are about something else.
#[tokio::test]
async fn answers_about_something_else_are_refused() {
    let check = async |part: &'static str, from: &'static str, to: &'static str, words: &str| {
        let world = World::new().await;
        let meddle = Meddle::Change(Box::new(move |answer| {
            let text = String::from_utf8(answer.body().to_vec()).unwrap();
            assert!(text.contains(from), "{text}");
            *answer.body_mut() = text.replace(from, to).into();
        }));
        world.transport.once(part, meddle);
        let error = world.obtain(&["a.example"]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadResponse, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(world.responder.under_way(), 0);
    };
    check(
        "authorization",
        "a.example",
        "evil.example",
        "which was not ordered",
    )
    .await;
    check("challenge", "/challenge/", "/other/", "the challenge's URL").await;
    check("/order/", "a.example", "b.example", "others than before").await;
}

// RFC 9444: the name that is proved may lie above the one that was ordered.
#[tokio::test]
async fn a_parent_may_be_authorized_in_a_names_place() {
    let world = World::new().await;
    let account = world.account().await;
    let order = account
        .new_order(&NewOrder::new(names(&["a.b.example"])))
        .await
        .unwrap();
    let url = order.state().authorizations[0].clone();
    let look = async |name: &'static str| {
        world.transport.once(
            "authorization",
            Meddle::Change(Box::new(move |answer| {
                let text = String::from_utf8(answer.body().to_vec()).unwrap();
                *answer.body_mut() = text.replace("a.b.example", name).into();
            })),
        );
        order.authorization(&url).await.map(drop)
    };
    look("a.b.example").await.unwrap();
    look("A.B.example").await.unwrap();
    look("b.example").await.unwrap();
    look("xa.b.example").await.unwrap_err();
    look("c.a.b.example").await.unwrap_err();
}

// C33: the caller's order counts, among what the CA offers; C34 is `no_supported_challenge_…`.
#[tokio::test]
async fn responders_are_tried_in_the_callers_order() {
    let world = World::new().await;
    let account = world.account().await;
    let kinds = [
        ChallengeType::TlsAlpn01,
        ChallengeType::Dns01,
        ChallengeType::Http01,
    ];
    for first in 0..3 {
        let responders: Vec<_> = (0..3)
            .map(|at| Arc::new(RecordingResponder::new(kinds[(first + at) % 3].clone())))
            .collect();
        let request = responders
            .iter()
            .fold(crate::world::request(&["a.example"]), |it, responder| {
                it.responder(responder.clone())
            });
        within(account.obtain(&request)).await.unwrap_err();
        assert_eq!(responders[0].calls().len(), 2, "{first}");
        assert_eq!(responders[1].calls().len() + responders[2].calls().len(), 0);
    }
}

// CAs with the old habit of a common name refuse addresses and long names there.
#[tokio::test]
async fn subject_is_empty_by_default() {
    let world = World::new().await;
    let long = format!("{}.{}.example", "a".repeat(63), "b".repeat(60));
    for name in ["192.0.2.1", long.as_str(), "2001:db8::1"] {
        let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
        let request = CertificateRequest::for_names(&names(&[name]), &key).unwrap();
        assert!(request.csr().common_names().is_empty());
        let account = world.account().await;
        let request = request.responder(world.responder.clone());
        let issued = within(account.obtain(&request)).await.unwrap();
        assert_eq!(issued.chain.leaf().names, names(&[name]));
    }
}

#[tokio::test]
async fn an_unknown_profile_costs_no_order() {
    let world = World::with(builder().configure(|it| {
        let day = Duration::from_secs(86_400);
        let profiles = &mut it.issuance.profiles;
        profiles.insert("short".to_owned(), Profile::new("six days", 6 * day));
        profiles.insert("long".to_owned(), Profile::new("ninety days", 90 * day));
    }))
    .await;
    let account = world.account().await;
    let request = world.request(&["a.example"]);
    let error = within(account.obtain(&request.clone().profile("huge"))).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownProfile);
    for part in ["huge", "short", "long"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    // One that is kept may be old: it is asked for once more, and nothing else.
    assert_eq!(world.asked(), [Asked::Directory]);

    let issued = within(account.obtain(&request.profile("short")))
        .await
        .unwrap();
    let leaf = issued.chain.leaf();
    let days = leaf.not_after.duration_since(leaf.not_before).as_hours() / 24;
    assert!((5..=7).contains(&days), "{days}");
    assert_eq!(world.asked_for(Asked::Directory), 1);
}

#[tokio::test]
async fn dates_are_asked_for() {
    use acme_client::messages::Timestamp;
    let world = World::with(builder().configure(|it| it.issuance.dates = true)).await;
    let account = world.account().await;
    let soon = Timestamp::from_second(Timestamp::now().as_second() + 86_400 * 3).unwrap();
    let later = Timestamp::from_second(soon.as_second() + 86_400).unwrap();
    let request = world.request(&["a.example"]);
    let request = request.not_before(soon).not_after(later);
    let issued = within(account.obtain(&request)).await.unwrap();
    let leaf = issued.chain.leaf();
    assert_eq!((leaf.not_before, leaf.not_after), (soon, later));
}

// CertMagic and cert-manager tell a CA about another's certificate.
#[tokio::test]
async fn replaces_not_sent_to_fallback() {
    let issuer = World::new().await;
    let account = issuer.account().await;
    let issued = within(account.obtain(&issuer.request(&["a.example"])))
        .await
        .unwrap();
    assert_eq!(issued.account_url.as_deref(), Some(account.url()));
    let id = issued.chain.leaf().certificate_id().unwrap();
    // In whichever order: one that is refused is placed again without.
    let said = |world: &World| {
        let seen = world.transport.seen();
        let mut orders = seen.iter().filter(|it| it.url.contains("new-order"));
        orders.any(|it| payload(&it.body)["replaces"].is_string())
    };

    let renewal = |world: &World| {
        let request = world.request(&["a.example"]);
        request.replaces_issued_to(id.clone(), account.url())
    };
    within(account.obtain(&renewal(&issuer))).await.unwrap();
    assert!(said(&issuer));

    let fallback = World::new().await;
    let other = fallback.account().await;
    within(other.obtain(&renewal(&fallback))).await.unwrap();
    assert!(!said(&fallback));
    // Nor to a CA that has no renewal information.
    fallback.ca.configure(|it| it.renewal.offered = false);
    let client =
        acme_client::Client::builder(fallback.ca.directory_url(), fallback.transport.clone());
    let other = client
        .build()
        .unwrap()
        .account(fallback.account_key.clone(), other.url());
    let request = fallback.request(&["a.example"]).replaces(id.clone());
    within(other.obtain(&request)).await.unwrap();
    assert!(!said(&fallback));
}

// RFC 8555, section 11.1: whoever has the account's key does not have the site's.
#[tokio::test]
async fn the_accounts_key_is_never_certified() {
    let world = World::new().await;
    let account = world.account().await;
    let names = names(&["a.example"]);
    let request = CertificateRequest::for_names(&names, &*world.account_key)
        .unwrap()
        .responder(world.responder.clone());
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request, "{error}");
    assert!(error.to_string().contains("account's own key"), "{error}");
    assert_eq!(world.asked(), [], "nothing was ordered");

    let mut order = account.new_order(&NewOrder::new(&names)).await.unwrap();
    let responders: [Arc<dyn Responder>; 1] = [world.responder.clone()];
    within(order.prove(&responders)).await.unwrap();
    world.ca.clear_requests();
    let error = order.finalize(request.csr()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Request, Operation::Finalize)
    );
    assert_eq!(world.asked(), []);
}

// RFC 8555, section 8.3: a token leads to a path, and is no path.
#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    for bad in ["../../etc/passwd", "a/b", "", "tökèn", "a b"] {
        let world = World::new().await;
        world.transport.once(
            "authorization",
            Meddle::Change(Box::new(move |answer| {
                let mut json: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
                for challenge in json["challenges"].as_array_mut().unwrap() {
                    challenge["token"] = bad.into();
                }
                *answer.body_mut() = serde_json::to_vec(&json).unwrap().into();
            })),
        );
        let error = world.obtain(&["a.example"]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadResponse, "{bad:?}: {error}");
        assert!(error.to_string().contains("token"), "{error}");
        assert_eq!(world.responder.calls().len(), 0);
        assert_eq!(world.asked_for(Asked::Challenge), 0);
    }
}

// A CA that does not take what is replaced gets the order without.
#[tokio::test]
async fn replaces_is_dropped_once_when_refused() {
    let world = World::new().await;
    let account = world.account().await;
    let issued = within(account.obtain(&world.request(&["a.example"])))
        .await
        .unwrap();
    let id = issued.chain.leaf().certificate_id().unwrap();
    let request = world.request(&["a.example"]).replaces(id);
    for orders in [1, 2] {
        world.ca.clear_requests();
        within(account.obtain(&request)).await.unwrap();
        // The second time it is replaced already.
        assert_eq!(world.asked_for(Asked::NewOrder), orders);
    }
    // What is refused without it is refused.
    world
        .ca
        .configure(|it| it.orders.blocked = ["a.example".to_owned()].into());
    world.ca.clear_requests();
    within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(world.asked_for(Asked::NewOrder), 2);
    // A limit has nothing to do with it.
    world
        .ca
        .inject(acme_testing::Fault::RateLimited(None).on(Asked::NewOrder));
    world.ca.clear_requests();
    within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(world.asked_for(Asked::NewOrder), 1);
}

// An authorization that failed by itself.
#[tokio::test]
async fn a_failed_authorization_is_told_by_its_handle() {
    let world = World::new().await;
    let account = world.account().await;
    let order = account
        .new_order(&NewOrder::new(names(&["a.example"])))
        .await
        .unwrap();
    let [mut authorization] = order.authorizations().await.unwrap().try_into().unwrap();
    // Nobody answers.
    let mut challenge = authorization.challenge(&http_01()).unwrap();
    challenge.respond().await.unwrap();
    let error = within(authorization.becomes_valid()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthorizationFailed);
    assert_eq!(authorization.state().status, AuthorizationStatus::Invalid);
    assert!(authorization.challenge(&http_01()).is_none());
}
