//! The whole way to a certificate, and the CA's own life.

use acme_testing::messages::{ServerName, jose::Signer};

use crate::world::World;

#[tokio::test]
async fn a_certificate_is_issued_by_http_01() {
    let mut world = World::new().await;
    let (chain, key, url) = world.issue(&["www.example.com", "example.com"]).await;

    chain.check_links().unwrap();
    chain.check_key(key.public_jwk()).unwrap();
    let names: Vec<ServerName> = vec![
        "www.example.com".parse().unwrap(),
        "example.com".parse().unwrap(),
    ];
    chain.check_names(&names).unwrap();
    assert_eq!(chain.as_der().len(), 2);
    let leaf = chain.leaf();
    let seconds = leaf.not_after.as_second() - leaf.not_before.as_second() + 1;
    assert_eq!(seconds, 90 * 24 * 60 * 60);

    let issued = world.ca.issued();
    assert_eq!(issued.len(), 1);
    assert_eq!(issued[0].chain, chain);
    assert_eq!(issued[0].url, url);
    assert_eq!(issued[0].account_url, world.client.kid);
    assert_eq!(issued[0].revocation, None);
}
