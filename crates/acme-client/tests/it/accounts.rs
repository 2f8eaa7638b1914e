//! Accounts: made, found, forgotten, and never without consent.

use acme_client::{
    CertificateAuthority, ErrorKind, ExternalAccount, Fault as Blame, Operation,
    messages::{AccountUpdate, NewAccount, Problem, ProblemType, jose::MacKey},
};
use acme_testing::{Failure, Operation as Asked};
use futures_util::future::join_all;

use crate::{
    transport::{Meddle, payload},
    world::{World, agreed, builder, new_key, within},
};

#[tokio::test]
async fn terms_are_never_agreed_to_silently() {
    let world = World::new().await;
    let key = world.account_key.clone();
    let error = world
        .client
        .new_account(key, &NewAccount::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TermsNotAgreed);
    assert!(
        error.to_string().contains("https://ca.example/terms"),
        "{error}"
    );
    let silent = world
        .authority_builder()
        .agree_to_terms_of_service(false)
        .build();
    assert_eq!(
        silent.prepare().await.unwrap_err().kind(),
        ErrorKind::TermsNotAgreed
    );
    // The directory names the terms; nothing else was asked.
    assert_eq!(world.asked(), [Asked::Directory]);
}

// C5, C6: 201 the first time, 200 from then on, the same URL.
#[tokio::test]
async fn an_account_is_found_again() {
    let world = World::new().await;
    let mut new = NewAccount::default();
    new.terms_of_service_agreed = true;
    let made = world
        .client
        .new_account(world.account_key.clone(), &new)
        .await
        .unwrap();
    assert!(made.created);
    let found = world
        .client
        .new_account(world.account_key.clone(), &new)
        .await
        .unwrap();
    assert!(!found.created);
    assert_eq!(found.account.url(), made.account.url());
}

#[tokio::test]
async fn the_account_is_made_once() {
    let world = World::new().await;
    let authority = world.authority();
    let (first, second) = tokio::join!(authority.prepare(), authority.prepare());
    first.and(second).unwrap();
    within(authority.obtain(&world.request(&["a.example"])))
        .await
        .unwrap();
    assert_eq!(world.asked_for(Asked::NewAccount), 1);
}

// What a CA refuses counts against its limits: those who wait do not ask once more each.
#[tokio::test]
async fn an_account_that_is_refused_is_asked_for_once() {
    let world = World::new().await;
    let authority = world.authority();
    let refused = Problem::new(ProblemType::RateLimited, "too many accounts");
    for _ in 0..3 {
        let failure = Failure::problem(429, refused.clone());
        world.ca.fail_next(Asked::NewAccount, failure);
    }
    let all = join_all((0..3).map(|_| authority.prepare())).await;
    for prepared in all {
        let error = prepared.unwrap_err();
        assert_eq!(error.problem().unwrap().kind, refused.kind);
    }
    assert_eq!(world.asked_for(Asked::NewAccount), 1);
    // Who comes later asks anew.
    for _ in 0..2 {
        authority.prepare().await.unwrap_err();
    }
    authority.prepare().await.unwrap();
}

fn forgotten() -> Failure {
    Failure::problem(400, Problem::new(ProblemType::AccountDoesNotExist, "who?"))
}

#[tokio::test]
async fn a_forgotten_account_is_made_again_once() {
    let world = World::new().await;
    let authority = world.authority();
    authority.prepare().await.unwrap();
    world.ca.fail_next(Asked::NewOrder, forgotten());
    within(authority.obtain(&world.request(&["a.example"])))
        .await
        .unwrap();
    assert_eq!(world.asked_for(Asked::NewAccount), 2);

    for _ in 0..2 {
        world.ca.fail_next(Asked::NewOrder, forgotten());
    }
    let error = within(authority.obtain(&world.request(&["a.example"])))
        .await
        .unwrap_err();
    assert_eq!(
        error.problem().unwrap().kind,
        ProblemType::AccountDoesNotExist
    );
    assert_eq!(world.asked_for(Asked::NewAccount), 3);
}

// Two that learn of it together make one account, not one each.
#[tokio::test]
async fn an_account_made_meanwhile_is_not_forgotten() {
    let world = World::new().await;
    let authority = world.authority();
    authority.prepare().await.unwrap();
    let old = authority.account().await.unwrap();
    for _ in 0..2 {
        world.ca.fail_next(Asked::NewOrder, forgotten());
    }
    let (one, two) = (world.request(&["a.example"]), world.request(&["b.example"]));
    let both = async { tokio::join!(authority.obtain(&one), authority.obtain(&two)) };
    let (first, second) = within(both).await;
    assert!(first.is_ok() || second.is_ok());
    assert!(world.asked_for(Asked::NewAccount) <= 3);
    assert_eq!(authority.account().await.unwrap().url(), old.url());
}

// C7: none given keeps, the same changes nothing, others are set.
#[tokio::test]
async fn contacts_of_a_found_account_are_set_when_they_differ() {
    let world = World::new().await;
    let key = new_key();
    let with = |contact: &[&str]| {
        let mut new = agreed();
        new.contact = contact.iter().map(|it| (*it).to_owned()).collect();
        new
    };
    let (a, b) = ("mailto:a@example.com", "mailto:b@example.com");
    let register = async |contact: &[&str]| {
        let made = world.client.new_account(key.clone(), &with(contact)).await;
        made.unwrap().resource.contact
    };
    assert_eq!(register(&[a]).await, [a]);
    assert_eq!(register(&[]).await, [a]);
    assert_eq!(register(&[a]).await, [a]);
    assert_eq!(world.asked_for(Asked::Account), 0);
    assert_eq!(register(&[b, a]).await, [b, a]);
    assert_eq!(register(&[a, b]).await, [b, a], "in any sequence");
    assert_eq!(world.asked_for(Asked::Account), 1);
}

// C12.
#[tokio::test]
async fn an_account_is_updated_and_closed() {
    let world = World::new().await;
    let account = world.account().await;
    let contact = "mailto:admin@example.com";
    let updated = account.update(&AccountUpdate::contact([contact])).await;
    assert_eq!(updated.unwrap().contact, [contact]);
    assert_eq!(account.fetch().await.unwrap().contact, [contact]);
    let nothing = account.update(&AccountUpdate::default()).await;
    assert_eq!(nothing.unwrap_err().kind(), ErrorKind::Request);
    assert_eq!(world.asked_for(Asked::Account), 2);

    account.deactivate().await.unwrap();
    // instant-acme: Ok on a 403.
    let error = account.deactivate().await.unwrap_err();
    assert!(error.has_problem(&ProblemType::Unauthorized), "{error}");
    let error = account.new_order(&Default::default()).await.unwrap_err();
    assert!(error.has_problem(&ProblemType::Unauthorized), "{error}");
}

#[tokio::test]
async fn closing_outlasts_a_lost_answer() {
    let world = World::new().await;
    let account = world.account().await;
    world.transport.once("account", Meddle::LoseAnswer);
    account.deactivate().await.unwrap();
    assert_eq!(world.asked_for(Asked::Account), 2);
}

// C10: an answer that shows others' contacts, or another's key.
#[tokio::test]
async fn an_unexpected_account_is_refused() {
    let world = World::new().await;
    let account = world.account().await;
    let change = |from: &'static str, to: &'static str| {
        Meddle::Change(Box::new(move |answer| {
            let text = String::from_utf8(answer.body().to_vec()).unwrap();
            assert!(text.contains(from), "{text}");
            *answer.body_mut() = text.replace(from, to).into();
        }))
    };
    world.transport.once("account", change("a@", "b@"));
    let update = AccountUpdate::contact(["mailto:a@example.com"]);
    let error = account.update(&update).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadResponse);
    assert!(
        error.to_string().contains("mailto:b@example.com"),
        "{error}"
    );

    // A CA that keeps no contacts is no reason to complain.
    let none = change(r#""contact":["mailto:a@example.com"],"#, "");
    world.transport.once("account", none);
    account.update(&update).await.unwrap();

    let key = r#"{"key":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},"#;
    world.transport.once("account", change("{", key));
    let error = account.fetch().await.unwrap_err();
    assert!(error.to_string().contains("another key"), "{error}");

    world
        .transport
        .once("new-account", change("valid", "revoked"));
    let again = agreed();
    let found = world.client.new_account(world.account_key.clone(), &again);
    let error = found.await.unwrap_err();
    assert!(error.to_string().contains("revoked"), "{error}");
}

#[tokio::test]
async fn an_account_is_found_and_never_made_by_looking() {
    let world = World::new().await;
    let key = new_key();
    // No terms are agreed to by looking.
    assert!(
        world
            .client
            .find_account(key.clone())
            .await
            .unwrap()
            .is_none()
    );
    let made = world
        .client
        .new_account(key.clone(), &agreed())
        .await
        .unwrap();
    let found = world.client.find_account(key).await.unwrap().unwrap();
    assert_eq!(found.account.url(), made.account.url());
    assert!(!found.created);
}

const SECRET: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

#[tokio::test]
async fn a_new_account_is_bound_however_the_key_is_spelt() {
    let bytes = acme_client::messages::jose::base64url::decode(SECRET).unwrap();
    let world = World::with(
        builder()
            .external_account("kid-1", MacKey::new(bytes).unwrap())
            .configure(|it| it.accounts.external_account_required = true),
    )
    .await;
    // The directory says so: nothing is sent without.
    let error = world
        .client
        .new_account(new_key(), &agreed())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.fault()),
        (ErrorKind::Request, Blame::Caller)
    );
    assert_eq!(world.asked(), [Asked::Directory]);

    let plain = SECRET.replace('-', "+").replace('_', "/");
    for key in [SECRET.to_owned(), plain, format!(" {SECRET}\n")] {
        let external = ExternalAccount::new(" kid-1 ", &key).unwrap();
        let made = world
            .client
            .new_bound_account(new_key(), &agreed(), &external)
            .await;
        let made = made.unwrap();
        assert!(made.created);
        assert!(made.resource.external_account_binding.is_some());
    }
    let authority = world
        .authority_builder()
        .external_account(ExternalAccount::new("kid-1", SECRET).unwrap())
        .build();
    authority.prepare().await.unwrap();

    let wrong = ExternalAccount::new("kid-1", "c2VjcmV0LW9mLXRoZS1jdXN0b21lcg").unwrap();
    let error = world
        .client
        .new_bound_account(new_key(), &agreed(), &wrong)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Problem);
    assert!(!format!("{error:?} {wrong:?}").contains("c2Vj"));
}

// C11: agreeing later is for people.
#[tokio::test]
async fn changed_terms_are_told_with_where_to_agree() {
    let world = World::new().await;
    let account = world.account().await;
    world.ca.configure(|it| {
        it.accounts.enforce_changed_terms = true;
        it.accounts.terms_of_service = Some("https://ca.example/new-terms".to_owned());
    });
    let error = within(account.obtain(&world.request(&["a.example"])))
        .await
        .unwrap_err();
    assert!(
        error.has_problem(&ProblemType::UserActionRequired),
        "{error}"
    );
    assert_eq!(
        error.terms_of_service(),
        Some("https://ca.example/new-terms")
    );
    assert!(error.problem().unwrap().instance.is_some());
    assert_eq!(
        (error.fault(), error.is_transient()),
        (Blame::Caller, false)
    );
}

// C8.
#[tokio::test]
async fn any_other_refusal_carries_type_and_detail() {
    let world = World::new().await;
    let limited = Problem::new(ProblemType::RateLimited, "The request exceeds a rate limit");
    world
        .ca
        .fail_next(Asked::NewAccount, Failure::problem(503, limited.clone()));
    let client = &world.client;
    let first = client.new_account(new_key(), &agreed()).await;
    assert!(first.is_ok(), "a 503 passes");
    for _ in 0..3 {
        let failure = Failure::problem(503, limited.clone());
        world.ca.fail_next(Asked::NewAccount, failure);
    }
    let error = client.new_account(new_key(), &agreed()).await.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!(problem.kind, ProblemType::RateLimited);
    assert_eq!(
        problem.detail.as_deref(),
        Some("The request exceeds a rate limit")
    );
    assert_eq!((error.status(), error.attempts()), (Some(503), 3));
    assert_eq!(error.operation(), Operation::NewAccount);
}

#[tokio::test]
async fn orders_are_listed_page_by_page() {
    let world = World::with(builder().configure(|it| it.accounts.orders_per_page = 3)).await;
    let account = world.account().await;
    assert!(account.orders().await.unwrap().is_empty());
    let names: Vec<_> = (0..7).map(|it| format!("n{it}.example")).collect();
    for name in &names {
        let names = crate::world::names(&[name]);
        account
            .new_order(&acme_client::messages::NewOrder::new(names))
            .await
            .unwrap();
    }
    world.ca.clear_requests();
    assert_eq!(account.orders().await.unwrap().len(), 7);
    assert_eq!(world.asked_for(Asked::Orders), 3);

    // A list that leads back to itself ends.
    world
        .transport
        .rule(|request| match request.uri().path().contains("orders") {
            true => Meddle::Change(Box::new(|answer| {
                answer.headers_mut().remove("link");
                let next = "<https://127.0.0.1:1/orders>;rel=\"next\"".parse().unwrap();
                answer.headers_mut().insert("link", next);
            })),
            false => Meddle::Pass,
        });
    within(account.orders()).await.unwrap_err();

    world.ca.configure(|it| it.accounts.orders_list = false);
    world.transport.rule(|_| Meddle::Pass);
    let error = account.orders().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotOffered);
}

// C13: an authorization ahead of any order, where there are some.
#[tokio::test]
async fn a_name_is_authorized_ahead_of_its_order() {
    let world = World::with(builder().authorization_reuse(true)).await;
    let account = world.account().await;
    let [name] = crate::world::names(&["a.example"]).try_into().unwrap();
    let mut authorization = account.new_authorization(&name).await.unwrap();
    assert_eq!(authorization.name().unwrap(), name);
    let mut challenge = authorization.challenge(&crate::world::http_01()).unwrap();
    let context = challenge.context().unwrap();
    use acme_client::responders::Responder;
    world.responder.start(&context).await.unwrap();
    challenge.respond().await.unwrap();
    within(authorization.becomes_valid()).await.unwrap();
    world.responder.stop(&context).await.unwrap();

    world.ca.clear_requests();
    within(account.obtain(&world.request(&["a.example"])))
        .await
        .unwrap();
    assert_eq!(world.asked_for(Asked::Challenge), 0);
    let sent: Vec<_> = world.transport.seen();
    let sent = sent.iter().find(|it| it.url.contains("new-auth")).unwrap();
    assert_eq!(payload(&sent.body)["identifier"]["value"], "a.example");

    authorization.deactivate().await.unwrap();
    let status = authorization.state().status.to_string();
    assert_eq!(status, "deactivated");

    let [wildcard] = crate::world::names(&["*.a.example"]).try_into().unwrap();
    let error = account.new_authorization(&wildcard).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    world.ca.configure(|it| it.orders.pre_authorization = false);
    let client = acme_client::Client::builder(world.ca.directory_url(), world.transport.clone());
    let account = client
        .build()
        .unwrap()
        .account(world.account_key.clone(), account.url());
    let error = account.new_authorization(&name).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotOffered);
}

// An account that is kept is not asked for.
#[tokio::test]
async fn a_known_account_costs_no_request() {
    let world = World::new().await;
    let url = world.account().await.url().to_owned();
    let authority = world.authority_builder().account_url(url.as_str()).build();
    within(authority.obtain(&world.request(&["a.example"])))
        .await
        .unwrap();
    assert_eq!(world.asked_for(Asked::NewAccount), 0);
    assert_eq!(authority.account().await.unwrap().url(), url);
}
