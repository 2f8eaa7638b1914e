//! Nothing that arrives from outside can panic: garbage, and real things with a few bytes changed.

use acme_messages::{
    Account, Authorization, CertificateChain, CertificateInfo, CertificateSigningRequest,
    Directory, Order, Problem, RenewalInfo,
};
use proptest::prelude::*;

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
    let _ = CertificateSigningRequest::from_der(bytes);
    let _ = serde_json::from_slice::<Account>(bytes);
    let _ = serde_json::from_slice::<Authorization>(bytes);
    let _ = serde_json::from_slice::<Directory>(bytes);
    let _ = serde_json::from_slice::<Order>(bytes);
    let _ = serde_json::from_slice::<RenewalInfo>(bytes);
    if let Ok(problem) = serde_json::from_slice::<Problem>(bytes) {
        let _ = problem.to_string();
    }
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
    }
}

#[test]
fn a_deep_problem_is_refused_or_read() {
    let deep = "{\"subproblems\":[".repeat(10_000) + &"]}".repeat(10_000);
    feed(deep.as_bytes());
    let less = "{\"subproblems\":[".repeat(60) + "{}" + &"]}".repeat(60);
    assert!(serde_json::from_str::<Problem>(&less).is_ok());
}
