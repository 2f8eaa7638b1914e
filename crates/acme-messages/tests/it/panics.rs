//! Nothing that arrives from outside can panic: garbage, and real things with a few bytes changed.

use acme_messages::{
    Account, AccountUpdate, Authorization, AuthorizationUpdate, CertificateChain, CertificateInfo,
    CertificateSigningRequest, ChainPreference, Challenge, Directory, FinalizeRequest, NewAccount,
    NewAuthorization, NewOrder, Order, OrdersList, Problem, RenewalInfo, RevocationRequest,
    device_attest::AttestationResponse, dns_persist::Offer,
};
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

fn changed(original: &[u8], changes: &[(prop::sample::Index, u8)], keep: usize) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for (at, value) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *value;
    }
    bytes.truncate(original.len().saturating_sub(keep));
    bytes
}

fn feed(bytes: &[u8]) {
    if let Ok(chain) = CertificateChain::from_pem(bytes) {
        let _ = (chain.check_links(), chain.to_pem(), format!("{chain:?}"));
        let _ = ChainPreference::IssuerCommonName(String::new()).pick(&[chain]);
    }
    if let Ok(info) = CertificateInfo::from_der(bytes) {
        let _ = (
            info.certificate_id(),
            info.serial_hex(),
            format!("{info:?}"),
        );
        if let Ok(chain) = CertificateChain::from_der(
            vec![bytes.into(), bytes.into()]
                .into_iter()
                .map(|it: Vec<u8>| it.into())
                .collect(),
        ) {
            let _ = chain.check_links();
        }
    }
    if let Ok(csr) = CertificateSigningRequest::from_der(bytes) {
        let _ = csr.check_against(&[]);
    }
    read::<Account>(bytes);
    read::<AccountUpdate>(bytes);
    read::<AttestationResponse>(bytes);
    read::<Authorization>(bytes);
    read::<AuthorizationUpdate>(bytes);
    read::<FinalizeRequest>(bytes);
    read::<NewAccount>(bytes);
    read::<NewAuthorization>(bytes);
    read::<NewOrder>(bytes);
    read::<Order>(bytes);
    read::<OrdersList>(bytes);
    read::<RenewalInfo>(bytes);
    read::<RevocationRequest>(bytes);
    let meta = read::<Directory>(bytes)
        .map(|it| it.meta)
        .unwrap_or_default();
    if let Some(challenge) = read::<Challenge>(bytes) {
        let _ = Offer::from_challenge(&challenge, &meta);
    }
    if let Some(problem) = read::<Problem>(bytes) {
        let _ = problem.to_string();
    }
}

/// What can be read can be written, and comes back the same.
fn read<T>(bytes: &[u8]) -> Option<T>
where
    T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug,
{
    let value: T = serde_json::from_slice(bytes).ok()?;
    let written = serde_json::to_vec(&value).unwrap();
    assert_eq!(serde_json::from_slice::<T>(&written).unwrap(), value);
    Some(value)
}

proptest! {
    #[test]
    fn garbage(bytes: Vec<u8>, text in "\\PC*") {
        feed(&bytes);
        feed(text.as_bytes());
        let _ = CertificateSigningRequest::from_base64url(&text);
    }

    #[test]
    fn real_things_with_changes(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        keep in prop_oneof![Just(0usize), 0usize..100],
    ) {
        let chain = concat!(include_str!("pki/leaf.pem"), include_str!("pki/issuer.pem"));
        feed(&changed(chain.as_bytes(), &changes, keep));
        let leaf = CertificateChain::from_pem(chain.as_bytes()).unwrap();
        feed(&changed(&leaf.as_der()[0], &changes, keep));
        feed(&changed(include_bytes!("pki/names.csr"), &changes, keep));
        let order = br#"{"status":"pending","identifiers":[{"type":"dns","value":"a"}],
            "authorizations":["x"],"finalize":"y","expires":"2026-01-01T00:00:00Z",
            "error":{"type":"z","status":400,"subproblems":[{"detail":"d"}]}}"#;
        feed(&changed(order, &changes, keep));
        let challenge = br#"{"type":"dns-persist-01","url":"x","status":"pending","token":"t",
            "accounturi":"u","issuerDomainNames":["a.example"],"validated":"2026-01-01T00:00:00Z"}"#;
        feed(&changed(challenge, &changes, keep));
        feed(&changed(br#"{"certificate":"REVS","reason":1,"orders":["x"],"attObj":"AA","status":"valid"}"#,
            &changes, keep));
    }
}

#[test]
fn a_deep_problem_is_refused_or_read() {
    let deep = "{\"subproblems\":[".repeat(10_000) + &"]}".repeat(10_000);
    feed(deep.as_bytes());
    let less = "{\"subproblems\":[".repeat(60) + "{}" + &"]}".repeat(60);
    assert!(serde_json::from_str::<Problem>(&less).is_ok());
}
