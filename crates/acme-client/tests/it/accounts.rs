//! Accounts: made, found, forgotten, and never without consent.

use acme_client::{
    CertificateAuthority, ErrorKind,
    messages::{NewAccount, Problem, ProblemType},
};
use acme_testing::{Failure, Operation as Asked};

use crate::world::{World, within};

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
