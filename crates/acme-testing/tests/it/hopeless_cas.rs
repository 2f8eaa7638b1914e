//! CAs that never answer, and CAs that always fail.

use acme_testing::{
    FailingCa, HangingCa,
    client::{CertificateAuthority, CertificateRequest, Error, ErrorKind, Operation},
    messages::{
        CertificateId,
        jose::{KeyType, PrivateKey},
    },
};
use futures_util::FutureExt;

fn request() -> CertificateRequest {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    CertificateRequest::for_names(&["example.com".parse().unwrap()], &key).unwrap()
}

#[tokio::test]
async fn every_call_of_a_hanging_ca_hangs_and_is_counted() {
    let ca = HangingCa::new();
    assert_eq!(ca.identity(), HangingCa::IDENTITY);
    let (request, id) = (request(), CertificateId::new(b"a", b"b"));
    let (mut prepare, mut obtain) = (ca.prepare(), ca.obtain(&request));
    let mut info = ca.renewal_info(&id);
    assert_eq!(ca.waiting(), 0, "none has begun");
    assert!((&mut prepare).now_or_never().is_none());
    assert!((&mut obtain).now_or_never().is_none());
    assert!((&mut info).now_or_never().is_none());
    ca.wait_for_waiting(3).await;
    drop(prepare);
    assert_eq!(ca.clone().waiting(), 2);
    drop((obtain, info));
    assert_eq!(ca.waiting(), 0);
}

#[tokio::test]
async fn every_call_of_a_failing_ca_fails_as_it_was_told() {
    let ca = FailingCa::new(|| Error::new(ErrorKind::Sign, Operation::NewAccount));
    assert_eq!(ca.identity(), FailingCa::IDENTITY);
    assert_eq!(ca.prepare().await.unwrap_err().kind(), ErrorKind::Sign);
    let error = ca.obtain(&request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Sign);
    let id = CertificateId::new(b"a", b"b");
    let error = ca.renewal_info(&id).await.unwrap_err();
    assert_eq!(error.operation(), Operation::NewAccount);
    assert_eq!(format!("{ca:?}"), "FailingCa { .. }");
}
