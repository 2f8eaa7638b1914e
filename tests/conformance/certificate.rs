//! What becomes of certificates: their chains, their renewal, their end.

use acme_client::{
    CertificateRequest, Revocation,
    messages::{ChainPreference, ProblemType, RevocationReason},
};
use acme_tests::{Case, Error};

use crate::world::{
    THREE, account, client, http_01, names, new_key, obtain, request, verify, within,
};

#[tokio::test]
async fn alternate_chains() -> Result<(), Error> {
    let Some(case) = Case::begin("chains: alternates, all and the preferred one")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let pebble = case.pebble().http_port(port).alternate_roots(2);
    let pebble = pebble.start().await?;
    let account = account(&pebble).await;
    let wanted = names(&THREE[..1]);

    let request = request(&THREE[..1], responder);
    let all = request.clone().all_chains(true);
    let issued = within(account.obtain(&all)).await.unwrap();
    assert_eq!(issued.alternates.len(), 2);
    verify(&issued.chain, &pebble.issuing_root_pem().await?, &wanted);
    // Pebble names alternates in no order: each leads to one of the other roots.
    let name = |chain: &acme_messages::CertificateChain| {
        chain.issuer_common_names().last().flatten().unwrap()
    };
    let preferred = name(&issued.alternates[1]);
    let preference = ChainPreference::IssuerCommonName(preferred.clone());
    let preferring = request.clone().prefer_chain(preference);
    let issued = within(account.obtain(&preferring)).await.unwrap();
    assert_eq!(name(&issued.chain), preferred);
    assert!(issued.alternates.is_empty());
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn a_long_chain() -> Result<(), Error> {
    let Some(case) = Case::begin("chains: three intermediates")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let pebble = case.pebble().http_port(port).chain_length(3);
    let pebble = pebble.start().await?;
    let account = account(&pebble).await;
    let issued = obtain(&pebble, &account, &THREE[..1], responder).await?;
    assert_eq!(issued.chain.as_der().len(), 4);
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn renewal_information() -> Result<(), Error> {
    let Some(case) = Case::begin("renewal: its window, and what is replaced")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let pebble = case.pebble().http_port(port).start().await?;
    if !pebble.offers_renewal_info().await? {
        pebble.stop().await?;
        case.skipped("this old Pebble has no renewal information");
        return Ok(());
    }
    let account = account(&pebble).await;
    let issued = obtain(&pebble, &account, &THREE[..1], responder.clone()).await?;
    let leaf = issued.chain.leaf();
    let id = leaf.certificate_id().unwrap();
    let advice = account.client().renewal_info(&id).await.unwrap().unwrap();
    let window = advice.info.suggested_window;
    assert!(leaf.not_before < window.start && window.end < leaf.not_after);
    assert!(advice.retry_after.is_some());

    let renewal = request(&THREE[..1], responder).replaces(id);
    let first = within(account.obtain(&renewal)).await.unwrap();
    let order = account.order(first.order_url).await.unwrap();
    assert!(order.state().replaces.is_some());
    // It is replaced by now: the order is placed without.
    let second = within(account.obtain(&renewal)).await.unwrap();
    let order = account.order(second.order_url).await.unwrap();
    assert!(order.state().replaces.is_none());
    pebble.stop().await?;
    case.passed();
    Ok(())
}

#[tokio::test]
async fn revoked_by_its_account_and_by_its_key() -> Result<(), Error> {
    let Some(case) = Case::begin("revocation: by the account and by the key")? else {
        return Ok(());
    };
    let (responder, port) = http_01().await;
    let pebble = case.pebble().http_port(port).start().await?;
    let account = account(&pebble).await;
    let status = async |issued: &acme_client::IssuedCertificate| {
        let serial = issued.chain.leaf().serial_hex();
        let status = pebble.certificate_status(&serial).await;
        status.map(|it| it["Status"].as_str().unwrap_or_default().to_owned())
    };

    let issued = obtain(&pebble, &account, &THREE[..1], responder.clone()).await?;
    assert_eq!(status(&issued).await?, "Valid");
    let leaf = issued.chain.as_der()[0].clone();
    let reason = Some(RevocationReason::Superseded);
    let done = account.revoke(&leaf, reason).await.unwrap();
    assert_eq!(done, Revocation::Now);
    assert_eq!(status(&issued).await?, "Revoked");
    let again = account.revoke(&leaf, reason).await.unwrap();
    assert_eq!(again, Revocation::Already);

    let key = new_key();
    let request = CertificateRequest::with_key(&names(&THREE[..1]), key.clone()).unwrap();
    let request = request.responder(responder);
    let issued = within(account.obtain(&request)).await.unwrap();
    let leaf = issued.chain.as_der()[0].clone();
    let stranger = client(&pebble);
    let reason = Some(RevocationReason::KeyCompromise);
    let error = stranger.revoke_with_key(new_key(), &leaf, reason).await;
    assert!(!error.unwrap_err().has_problem(&ProblemType::AlreadyRevoked));
    let done = stranger.revoke_with_key(key, &leaf, reason).await.unwrap();
    assert_eq!(done, Revocation::Now);
    assert_eq!(status(&issued).await?, "Revoked");
    pebble.stop().await?;
    case.passed();
    Ok(())
}
