//! What may be wrong with a certificate that is downloaded.

use acme_testing::{
    ChainFault, Fault,
    messages::{CertificateChain, Timestamp},
};

use crate::world::World;

#[tokio::test]
async fn each_chain_is_as_its_name_says() {
    let mut world = World::new().await;
    let (good, key, url) = world.issue(&["example.com"]).await;
    let now = Timestamp::now();
    for kind in ChainFault::all() {
        world.ca.clear_faults();
        world.ca.inject(Fault::Chain(kind));
        let answer = world.client.fetch(&url).await;
        let text = String::from_utf8(answer.expect(200).body.to_vec()).unwrap();
        let parsed = CertificateChain::from_pem(text.as_bytes());
        let of = |parsed: &Result<CertificateChain, _>| -> CertificateChain {
            match parsed {
                Ok(chain) => chain.clone(),
                Err(error) => panic!("{kind:?}: {error}"),
            }
        };
        match kind {
            ChainFault::BlankLines => {
                assert!(text.contains("\n\n"));
                assert_eq!(of(&parsed), good);
            }
            ChainFault::Crlf => {
                assert!(text.contains("\r\n"));
                assert_eq!(of(&parsed), good);
            }
            ChainFault::NoFinalNewline => {
                assert!(text.ends_with("-----"));
                assert_eq!(of(&parsed), good);
            }
            ChainFault::TrailingText => {
                assert!(text.ends_with("That is all.\n"));
                assert_eq!(of(&parsed), good);
            }
            ChainFault::WithRoot => {
                let chain = of(&parsed);
                assert_eq!(chain.as_der().len(), good.as_der().len() + 1);
                assert_eq!(chain.as_der().last(), Some(world.ca.pki().root()));
                chain.check_links().unwrap();
            }
            ChainFault::Empty => assert!(text.is_empty()),
            ChainFault::Expired => {
                let chain = of(&parsed);
                chain.check_key(key.public_jwk()).unwrap();
                assert!(chain.leaf().not_after < now);
            }
            ChainFault::NotYetValid => {
                let chain = of(&parsed);
                chain.check_key(key.public_jwk()).unwrap();
                assert!(chain.leaf().not_before > now);
            }
            ChainFault::ForeignBlock => {
                assert!(text.contains("BEGIN X509 CRL"));
                assert!(parsed.is_err());
            }
            ChainFault::ForeignKey => {
                let chain = of(&parsed);
                chain.check_links().unwrap();
                chain.check_names(&good.leaf().names).unwrap();
                assert!(chain.check_key(key.public_jwk()).is_err());
            }
            ChainFault::WrongNames => {
                let chain = of(&parsed);
                chain.check_key(key.public_jwk()).unwrap();
                assert!(chain.check_names(&good.leaf().names).is_err());
            }
            ChainFault::OtherIssuer => {
                let chain = of(&parsed);
                assert_eq!(chain.as_der()[0], good.as_der()[0]);
                assert!(chain.check_links().is_err());
            }
            ChainFault::TooLong => {
                assert!(text.matches("BEGIN CERTIFICATE").count() > 100);
                assert!(parsed.is_err());
            }
            ChainFault::WrongOrder => {
                let chain = of(&parsed);
                assert_eq!(chain.as_der().last(), good.as_der().first());
                assert!(chain.check_links().is_err());
            }
            other => panic!("{other:?} has no check"),
        }
    }
}
