//! Accounts at Pebble: all that can be done with one.

use std::sync::Arc;

use acme_client::{
    ErrorKind, ExternalAccount,
    messages::{AccountUpdate, NewAccount, ProblemType},
};
use acme_tests::{Case, Error};

use crate::world::{THREE, account, account_of, agreed, builder, client, http_01, new_key, obtain};

#[tokio::test]
async fn made_found_updated_and_closed() -> Result<(), Error> {
    let Some(case) = Case::begin("account: made, found, updated, closed")? else {
        return Ok(());
    };
    let pebble = case.pebble().start().await?;
    let client = client(&pebble);
    let key = new_key();
    assert!(client.find_account(key.clone()).await.unwrap().is_none());
    let silent = client
        .new_account(key.clone(), &NewAccount::default())
        .await;
    assert_eq!(silent.unwrap_err().kind(), ErrorKind::TermsNotAgreed);
    let made = client.new_account(key.clone(), &agreed()).await.unwrap();
    assert!(made.created);
    let found = client.find_account(key.clone()).await.unwrap().unwrap();
    assert!(!found.created);
    assert_eq!(found.account.url(), made.account.url());

    let contact = "mailto:other@example.com";
    let updated = made
        .account
        .update(&AccountUpdate::contact([contact]))
        .await;
    assert_eq!(updated.unwrap().contact, [contact]);
    let mut new = agreed();
    new.contact = vec!["mailto:third@example.com".to_owned()];
    let registered = client.new_account(key, &new).await.unwrap();
    assert_eq!(registered.resource.contact, new.contact);
    assert_eq!(made.account.fetch().await.unwrap().contact, new.contact);

    made.account.deactivate().await.unwrap();
    let error = made.account.fetch().await.unwrap_err();
    assert!(error.has_problem(&ProblemType::Unauthorized), "{error}");
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn its_key_is_changed() -> Result<(), Error> {
    let Some(case) = Case::begin("account: another key, used at once")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let pebble = case.pebble().http_port(port).start().await?;
    let old = account(&pebble).await;
    let new = old.change_key(new_key()).await.unwrap();
    assert_eq!(new.url(), old.url());
    obtain(&pebble, &new, &THREE[..1], responder).await?;
    old.fetch().await.unwrap_err();

    let other_key = new_key();
    let other = client(&pebble);
    let other = other.new_account(other_key.clone(), &agreed()).await;
    let other = other.unwrap().account;
    // The RFC's answer is 409 with a Location; Pebble says 200 and changes nothing, and
    // older ones, which have no profiles, call it their own failure.
    let is_old = !pebble.offers_profiles().await?;
    let error = new.change_key(other_key).await.unwrap_err();
    match error.status() {
        Some(409) => assert_eq!(error.location(), Some(other.url())),
        Some(500) if is_old => assert!(error.has_problem(&ProblemType::ServerInternal), "{error}"),
        _ => assert_eq!(error.kind(), ErrorKind::BadResponse, "{error}"),
    }
    new.fetch().await.unwrap();
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn orders_are_listed() -> Result<(), Error> {
    let Some(case) = Case::begin("account: its orders, page by page")? else {
        return Ok(());
    };
    let pebble = case.pebble().start().await?;
    let account = account(&pebble).await;
    let mut placed = Vec::new();
    for at in 0..7 {
        let name = format!("n{at}.example.com");
        let new = acme_client::messages::NewOrder::new(crate::world::names(&[&name]));
        placed.push(account.new_order(&new).await.unwrap().url().to_owned());
    }
    let mut listed = account.orders().await.unwrap();
    placed.sort();
    listed.sort();
    assert_eq!(listed, placed);
    pebble.stop().await?;
    case.passed();
    Ok(())
}

const KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

#[tokio::test]
async fn bound_to_an_account_elsewhere() -> Result<(), Error> {
    let Some(case) = Case::begin("account: bound to one elsewhere, required")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let pebble = case.pebble().http_port(port).external_account("kid-1", KEY);
    let pebble = pebble.start().await?;
    let client = builder(&pebble).build().unwrap();
    let error = client.new_account(new_key(), &agreed()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    let plain = KEY.replace('-', "+").replace('_', "/");
    for key in [KEY, &plain] {
        let external = ExternalAccount::new("kid-1", key).unwrap();
        let made = client
            .new_bound_account(new_key(), &agreed(), &external)
            .await
            .unwrap();
        assert!(made.created);
        obtain(&pebble, &made.account, &THREE[..1], responder.clone()).await?;
    }
    for (id, key) in [("kid-2", KEY), ("kid-1", "c2VjcmV0LW9mLXRoZS1jdXN0b21lcg")] {
        let external = ExternalAccount::new(id, key).unwrap();
        let error = client
            .new_bound_account(new_key(), &agreed(), &external)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Problem);
    }
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn used_by_many_at_once() -> Result<(), Error> {
    let Some(case) = Case::begin("account: four users of one client")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let pebble = Arc::new(case.pebble().http_port(port).start().await?);
    let account = account_of(&client(&pebble)).await;
    let users = (0..4).map(|at| {
        let (pebble, account, responder) = (pebble.clone(), account.clone(), responder.clone());
        tokio::spawn(async move {
            let name = format!("user{at}.example.com");
            obtain(&pebble, &account, &[&name], responder)
                .await
                .map(drop)
        })
    });
    for user in users.collect::<Vec<_>>() {
        user.await.unwrap()?;
    }
    drop(pebble);
    case.passed();
    Ok(())
}
