//! A new key for an account, whatever is lost on the way.

use std::sync::Arc;

use acme_client::{
    ErrorKind, Operation,
    messages::{
        ProblemType,
        jose::{AsyncSigner, Jwk},
    },
};
use acme_testing::{Fault, Operation as Asked};

use crate::{
    transport::Meddle,
    world::{World, agreed, new_key, within},
};

fn jwk(signer: &dyn AsyncSigner) -> &Jwk {
    signer.public_jwk()
}

#[tokio::test]
async fn the_account_goes_on_with_the_new_key() {
    let world = World::new().await;
    let old = world.account().await;
    let key = new_key();
    let new = old.change_key(key.clone()).await.unwrap();
    assert_eq!(new.url(), old.url());
    assert_eq!(jwk(new.signer()), jwk(&key));
    within(new.obtain(&world.request(&["a.example"])))
        .await
        .unwrap();
    // The old key is of no use.
    old.fetch().await.unwrap_err();
    // Nor is a key change to the key that there is.
    let error = new.change_key(key).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
}

// The CA did it, and nobody heard: both keys are tried, the new one first.
#[tokio::test]
async fn a_lost_answer_is_asked_about() {
    for fault in [Fault::DropAnswer, Fault::EmptyBody] {
        let world = World::new().await;
        let old = world.account().await;
        world.ca.inject(fault.on(Asked::KeyChange).times(1));
        let new = within(old.change_key(new_key())).await.unwrap();
        assert_eq!(new.url(), old.url());
        new.fetch().await.unwrap();
        assert_eq!(world.asked_for(Asked::KeyChange), 1);
    }
}

#[tokio::test]
async fn a_lost_request_changes_nothing() {
    let world = World::new().await;
    let old = world.account().await;
    world.transport.once("key-change", Meddle::LoseRequest);
    let key = new_key();
    let error = old.change_key(key.clone()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::Transport, Operation::KeyChange)
    );
    assert!(error.is_transient());
    old.fetch().await.unwrap();
    // It may be tried again.
    old.change_key(key).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_found_out_is_undecided() {
    let world = World::new().await;
    let old = world.account().await;
    world.transport.rule(
        |request| match request.uri().path().contains("key-change") {
            true => Meddle::LoseAnswer,
            false => Meddle::LoseRequest,
        },
    );
    let (old_key, key) = (world.account_key.clone(), new_key());
    let error = within(old.change_key(key.clone())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undecided);

    // Later, with both keys kept, the account is found.
    world.transport.rule(|_| Meddle::Pass);
    let keys: [Arc<dyn AsyncSigner>; 2] = [key.clone(), old_key];
    let found = world.client.find_account_by_keys(keys).await.unwrap();
    let found = found.unwrap().account;
    assert_eq!(found.url(), old.url());
    assert_eq!(jwk(found.signer()), jwk(&key));
}

// A crash before the request: the old key still counts.
#[tokio::test]
async fn the_key_that_counts_is_found() {
    let world = World::new().await;
    let account = world.account().await;
    let keys: [Arc<dyn AsyncSigner>; 2] = [new_key(), world.account_key.clone()];
    let found = world.client.find_account_by_keys(keys).await.unwrap();
    let found = found.unwrap().account;
    assert_eq!(found.url(), account.url());
    assert_eq!(jwk(found.signer()), jwk(&world.account_key));
    let strangers: [Arc<dyn AsyncSigner>; 1] = [new_key()];
    let found = world.client.find_account_by_keys(strangers).await.unwrap();
    assert!(found.is_none());
}

#[tokio::test]
async fn a_key_that_another_account_has_is_refused() {
    let world = World::new().await;
    let account = world.account().await;
    let taken = new_key();
    let other = world.client.new_account(taken.clone(), &agreed()).await;
    let other = other.unwrap().account;
    let error = account.change_key(taken).await.unwrap_err();
    assert_eq!(error.status(), Some(409));
    assert_eq!(error.location(), Some(other.url()));
    assert!(!error.is_transient());
    account.fetch().await.unwrap();
}

#[tokio::test]
async fn a_ca_that_changes_no_keys_is_not_asked() {
    let world = World::new().await;
    world.ca.configure(|it| it.accounts.key_change = false);
    let account = world.account().await;
    let error = account.change_key(new_key()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotOffered);
    assert!(!error.has_problem(&ProblemType::Unauthorized));
    assert_eq!(world.asked(), []);
}

// Pebble says 200 when another account has the key, and changes nothing.
#[tokio::test]
async fn a_yes_that_means_no_is_seen_through() {
    let world = World::new().await;
    let old = world.account().await;
    let yes = crate::transport::answer(200, "application/json", "");
    world.transport.once("key-change", Meddle::Answer(yes));
    let error = old.change_key(new_key()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadResponse);
    assert!(error.to_string().contains("does not know it"), "{error}");
    old.fetch().await.unwrap();
}
