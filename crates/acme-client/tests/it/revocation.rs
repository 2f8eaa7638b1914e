//! Revocation, both ways.

use acme_client::{
    CertificateRequest, ErrorKind, Revocation,
    messages::{ProblemType, RevocationReason, jose::KeyType},
};
use acme_testing::{Fault, Operation as Asked};

use crate::world::{World, agreed, names, new_key, within};

#[tokio::test]
async fn by_the_account_and_by_the_certificates_key() {
    let world = World::new().await;
    let account = world.account().await;
    let request = CertificateRequest::generate(&names(&["a.example"]), KeyType::EcdsaP256)
        .unwrap()
        .responder(world.responder.clone());
    let issued = within(account.obtain(&request)).await.unwrap();
    let leaf = issued.chain.as_der()[0].clone();

    let reason = Some(RevocationReason::Superseded);
    // The answer to the first is lost: the second says that it is done.
    world
        .ca
        .inject(Fault::DropAnswer.on(Asked::RevokeCertificate).times(1));
    let done = account.revoke(&leaf, reason).await.unwrap();
    assert_eq!(done, Revocation::Already);
    assert_eq!(
        account.revoke(&leaf, reason).await.unwrap(),
        Revocation::Already
    );

    let key = new_key();
    let request = CertificateRequest::with_key(&names(&["b.example"]), key.clone())
        .unwrap()
        .responder(world.responder.clone());
    let issued = within(account.obtain(&request)).await.unwrap();
    let leaf = issued.chain.as_der()[0].clone();
    // Nobody else may.
    let stranger = world.client.new_account(new_key(), &agreed()).await;
    let stranger = stranger.unwrap().account;
    let error = stranger.revoke(&leaf, None).await.unwrap_err();
    assert!(error.has_problem(&ProblemType::Unauthorized), "{error}");
    let error = world.client.revoke_with_key(new_key(), &leaf, None).await;
    error.unwrap_err();

    let reason = Some(RevocationReason::KeyCompromise);
    let done = world.client.revoke_with_key(key, &leaf, reason).await;
    assert_eq!(done.unwrap(), Revocation::Now);
    assert!(world.ca.issued().iter().all(|it| it.revocation.is_some()));
}

#[tokio::test]
async fn what_is_no_certificate_is_refused() {
    let world = World::new().await;
    let account = world.account().await;
    let error = account.revoke(b"no certificate", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Problem);
    assert!(!error.is_transient());
}
