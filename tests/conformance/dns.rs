//! Our DNS against others': Pebble asks our server, and our CA asks Pebble's.

use std::sync::Arc;

use acme_client::{
    AcmeAuthority, CertificateAuthority, CertificateRequest, Client, HyperTransport,
};
use acme_messages::{
    ChallengeType, ServerName,
    jose::{BoxFuture, KeyType, PrivateKey},
};
use acme_responders::{ChallengeContext, Responder, ResponderError};
use acme_testing::{DnsRecord, Resolver, TestCa, TestDns};
use acme_tests::{Dns, Error, Pebble, Programs};
use rustls::crypto::ring;
use serde_json::json;

fn request(names: &[&str], responder: impl Responder) -> CertificateRequest {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let names: Vec<ServerName> = names.iter().map(|it| it.parse().unwrap()).collect();
    CertificateRequest::for_names(&names, &key)
        .unwrap()
        .responder(Arc::new(responder))
}

#[tokio::test]
async fn pebble_finds_records_at_our_dns_server() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("Pebble asks our DNS server")? else {
        return Ok(());
    };
    let dns = TestDns::start().await.unwrap();
    let alias = DnsRecord::Cname("proofs.example.net".to_owned());
    dns.add("_acme-challenge.example.com", alias).unwrap();
    let pebble = Pebble::builder(programs)
        .dns_server(dns.address())
        .start()
        .await?;
    let transport = HyperTransport::builder()
        .crypto_provider(Arc::new(ring::default_provider()))
        .only_roots_pem(pebble.https_root_pem().as_bytes())
        .unwrap()
        .build()
        .unwrap();
    let client = Client::builder(pebble.directory_url(), transport)
        .build()
        .unwrap();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let authority = AcmeAuthority::builder(client, Arc::new(key))
        .agree_to_terms_of_service(true)
        .build();
    let names = ["example.com", "*.example.com", "*.example.org"];
    let request = request(&names, dns.responder());
    let issued = authority.obtain(&request).await.unwrap();
    assert_eq!(issued.chain.leaf().names.len(), 3);
    let asked = dns.queries();
    for owner in ["_acme-challenge.example.com", "_acme-challenge.example.org"] {
        let asked = asked.iter().filter(|it| it.record_type == "TXT");
        assert!(asked.clone().any(|it| it.name == owner), "{asked:?}");
    }
    pebble.stop().await
}

/// Sets and clears records at Pebble's DNS server.
#[derive(Debug)]
struct PebbleDns(Dns);

impl Responder for PebbleDns {
    fn challenge_type(&self) -> ChallengeType {
        ChallengeType::Dns01
    }

    fn start<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(async {
            let owner = format!("_acme-challenge.{}", challenge.name());
            let value = challenge.key_authorization().dns_txt_value();
            let added = self.0.add_txt(&owner, &value).await;
            added.map_err(ResponderError::new)
        })
    }

    fn stop<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn asked<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

/// What the CA says of an order for this name, by dns-01.
async fn problem(ca: &TestCa, dns: &Dns, name: &str) -> Option<String> {
    let request = request(&[name], PebbleDns(dns.clone()));
    let outcome = ca.authority().unwrap().obtain(&request).await;
    let error = outcome.err()?;
    let problem = error.problem().expect("the CA says why");
    Some(problem.to_string())
}

#[tokio::test]
async fn our_ca_finds_records_at_pebbles_dns_server() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("our CA asks Pebble's DNS server")? else {
        return Ok(());
    };
    let pebble = Pebble::builder(programs).start().await?;
    let dns = pebble.dns();
    let server = pebble.dns_address();
    let ca = TestCa::builder()
        .crypto_provider(Arc::new(ring::default_provider()))
        .configure(|it| {
            it.validation.dns_server = Some(server);
            it.validation.resolver = Resolver::dns();
            it.validation.caa = true;
        })
        .start()
        .await
        .unwrap();

    // A name and its wildcard have two records at one name.
    let names = ["example.com", "*.example.com"];
    let both = request(&names, PebbleDns(dns.clone()));
    ca.authority().unwrap().obtain(&both).await.unwrap();

    // An alias, which that server leaves to who asks.
    dns.set_cname(
        "_acme-challenge.alias.example",
        "_acme-challenge.there.example",
    )
    .await?;
    let there = PebbleDns(dns.clone());
    let challenge = request(&["there.example"], there);
    ca.authority().unwrap().obtain(&challenge).await.unwrap();
    let said = problem(&ca, &dns, "alias.example").await.unwrap();
    assert!(said.contains("is another"), "{said}");

    dns.set_servfail("_acme-challenge.broken.example").await?;
    let said = problem(&ca, &dns, "broken.example").await.unwrap();
    assert!(said.contains("SERVFAIL"), "{said}");

    let caa = |value: &str| {
        let policy = json!({"tag": "issue", "value": value});
        json!({"host": "guarded.example.", "policies": [policy]})
    };
    dns.set("/add-caa", &caa("other.example")).await?;
    let said = problem(&ca, &dns, "guarded.example").await.unwrap();
    assert!(said.contains("CAA records of guarded.example"), "{said}");
    dns.set("/clear-caa", &json!({"host": "guarded.example."}))
        .await?;
    dns.set("/add-caa", &caa("ca.example")).await?;
    assert_eq!(problem(&ca, &dns, "guarded.example").await, None);
    pebble.stop().await
}

#[tokio::test]
async fn our_ca_finds_addresses_at_pebbles_dns_server() -> Result<(), Error> {
    let Some(programs) = Programs::or_skip("our CA looks addresses up")? else {
        return Ok(());
    };
    let pebble = Pebble::builder(programs).start().await?;
    let server = pebble.dns_address();
    let web = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = web.local_addr().unwrap().port();
    let http_01 = acme_responders::Http01Responder::new();
    tokio::spawn(http_01.service().serve(web));
    let ca = TestCa::builder()
        .crypto_provider(Arc::new(ring::default_provider()))
        .http_01_port(port)
        .configure(|it| {
            it.validation.dns_server = Some(server);
            it.validation.resolver = Resolver::dns();
        })
        .start()
        .await
        .unwrap();
    // IPv6 first, where no one is, and then IPv4, which is 127.0.0.1 for every name there.
    let dns = pebble.dns();
    dns.set_aaaa("www.example.com", &["::1".parse().unwrap()])
        .await?;
    let request = request(&["www.example.com"], http_01);
    ca.authority().unwrap().obtain(&request).await.unwrap();
    pebble.stop().await
}
