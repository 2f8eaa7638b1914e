//! Wildcards from order to certificate, by DNS (RFC 8555, sections 7.1.3 and 8.4), as a user's
//! test has them: with a client, a responder and a DNS server that are whole.

use std::sync::Arc;

use acme_testing::{
    DnsRecord, DnsTrouble, TestDns, assert_valid_for_name,
    client::{CertificateAuthority, CertificateRequest},
    messages::{
        ChallengeType, ServerName,
        jose::{KeyType, PrivateKey},
    },
    responders::Responder,
};

use crate::world::builder;

fn request(names: &[&str], responder: impl Responder) -> CertificateRequest {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let names: Vec<ServerName> = names.iter().map(|it| it.parse().unwrap()).collect();
    CertificateRequest::for_names(&names, &key)
        .unwrap()
        .responder(Arc::new(responder))
}

#[tokio::test]
async fn a_name_and_its_wildcard_are_issued_in_one_order() {
    let dns = TestDns::start().await.unwrap();
    let server = dns.address();
    let ca = builder()
        .configure(|it| {
            it.validation.dns_server = Some(server);
            it.validation.caa = true;
            it.validation.perspectives = 3;
        })
        .start()
        .await
        .unwrap();
    let alias = DnsRecord::Cname("proofs.example.net".to_owned());
    dns.add("_acme-challenge.example.com", alias).unwrap();
    dns.add("example.com", DnsRecord::caa("issue", "ca.example"))
        .unwrap();
    let names = ["example.com", "*.example.com", "*.a.example.com"];
    let request = request(&names, dns.responder());
    let issued = ca.authority().unwrap().obtain(&request).await.unwrap();
    for name in names {
        assert_valid_for_name(&issued.chain.as_der()[0], name);
    }
    for owner in ["proofs.example.net", "_acme-challenge.a.example.com"] {
        assert!(dns.txt(owner).is_empty(), "{owner}");
    }
}

#[tokio::test]
async fn the_records_are_gone_after_a_failure_too() {
    let dns = TestDns::start().await.unwrap();
    let server = dns.address();
    let ca = builder()
        .configure(|it| it.validation.dns_server = Some(server))
        .start()
        .await
        .unwrap();
    let owner = "_acme-challenge.example.com";
    dns.set_trouble(owner, DnsTrouble::ServFail).unwrap();
    let request = request(&["*.example.com"], dns.responder());
    let error = ca.authority().unwrap().obtain(&request).await.unwrap_err();
    let problem = error.problem().expect("the CA says why");
    assert!(problem.to_string().contains("SERVFAIL"), "{problem}");
    assert!(dns.txt(owner).is_empty());
}

#[tokio::test]
async fn an_accounts_own_label_will_do() {
    let dns = TestDns::start().await.unwrap();
    let server = dns.address();
    let ca = builder()
        .challenges([ChallengeType::DnsAccount01])
        .configure(|it| it.validation.dns_server = Some(server))
        .start()
        .await
        .unwrap();
    let authority = ca.authority().unwrap();
    let account = authority.account().await.unwrap();
    let responder = dns.responder().for_account(account.url());
    let request = request(&["*.example.com"], responder);
    let issued = authority.obtain(&request).await.unwrap();
    assert_valid_for_name(&issued.chain.as_der()[0], "*.example.com");
}
