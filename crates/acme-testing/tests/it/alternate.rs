//! Alternate chains, longer ones, and other keys of the CA (RFC 8555, section 7.4.2).

use acme_testing::{
    TestPki,
    messages::{CertificateChain, ProblemType},
};

use crate::world::{World, builder};

#[tokio::test]
async fn the_same_leaf_comes_with_other_chains() {
    let pki = TestPki::builder().intermediates(2).alternate_roots(2);
    let mut world = World::with(builder().pki(pki)).await;
    let (chain, _, url) = world.issue(&["example.com"]).await;
    assert_eq!(chain.as_der().len(), 3);
    let answer = world.client.fetch(&url).await;
    let links: Vec<_> = answer
        .headers
        .get_all("link")
        .iter()
        .map(|it| it.to_str().unwrap())
        .collect();
    let alternates: Vec<_> = links
        .iter()
        .filter(|it| it.contains("rel=\"alternate\""))
        .map(|it| it.split(['<', '>']).nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(alternates.len(), 2, "{links:?}");
    let mut tops = vec![chain.as_der().last().unwrap().clone()];
    for url in &alternates {
        let answer = world.client.fetch(url).await;
        let other = CertificateChain::from_pem(&answer.expect(200).body).unwrap();
        other.check_links().unwrap();
        assert_eq!(other.as_der()[0], chain.as_der()[0]);
        assert_eq!(other.as_der()[1], chain.as_der()[1]);
        tops.push(other.as_der().last().unwrap().clone());
        // Each tells of the others, and never of itself.
        assert!(
            !answer
                .headers
                .get_all("link")
                .iter()
                .any(|it| { it.to_str().unwrap().contains(&format!("<{url}>")) })
        );
    }
    tops.dedup();
    assert_eq!(tops.len(), 3);
    let answer = world.client.fetch(&format!("{url}/3")).await;
    answer.expect_problem(404, ProblemType::Malformed);
}

#[test]
fn a_chain_has_the_length_asked_for() {
    for count in [0, 1, 4] {
        let pki = TestPki::builder()
            .intermediates(count)
            .alternate_roots(1)
            .build()
            .unwrap();
        let (chain, _) = pki
            .issue_server(
                &["example.com".parse().unwrap()],
                acme_testing::CertificateValidity::FOREVER,
            )
            .unwrap();
        assert_eq!(chain.as_der().len(), usize::from(count) + 1);
        chain.check_links().unwrap();
        let alternates = pki.alternates(&chain).unwrap();
        assert_eq!(alternates.len(), usize::from(count > 0));
        assert_eq!(pki.roots_pem().len(), 1 + alternates.len());
    }
}

#[cfg(all(feature = "p384", feature = "ed25519", feature = "rsa"))]
#[test]
fn any_kind_of_key_issues() {
    use acme_testing::messages::jose::KeyType;

    for kind in [KeyType::EcdsaP384, KeyType::Ed25519, KeyType::Rsa2048] {
        let pki = TestPki::builder()
            .key_type(kind)
            .name("a CA")
            .build()
            .unwrap();
        let names = ["example.com".parse().unwrap()];
        let forever = acme_testing::CertificateValidity::FOREVER;
        let (chain, _) = pki.issue_server(&names, forever).unwrap();
        chain.check_links().unwrap();
        assert_eq!(
            chain.leaf().issuer_common_name().as_deref(),
            Some("a CA intermediate")
        );
    }
}

#[cfg(not(feature = "p384"))]
#[test]
fn a_kind_of_key_that_is_not_built_in_is_said() {
    use acme_testing::messages::jose::KeyType;

    let error = TestPki::builder()
        .key_type(KeyType::EcdsaP384)
        .build()
        .unwrap_err();
    assert!(
        matches!(error, acme_testing::PkiError::KeyType(KeyType::EcdsaP384)),
        "{error}"
    );
}
