//! A CA that asks a DNS server, and a client with an account at it.

use acme_testing::{
    DnsRecord, TestCa, TestCaConfig, TestDns,
    messages::{
        Authorization, AuthorizationStatus, Challenge, ChallengeStatus, ChallengeType,
        KeyAuthorization, Order, OrderStatus, Problem, ProblemType,
    },
};
use serde_json::json;

use crate::{client::Client, world::builder};

#[derive(Debug)]
pub(crate) struct DnsWorld {
    pub(crate) dns: TestDns,
    pub(crate) ca: TestCa,
    pub(crate) client: Client,
}

impl DnsWorld {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut TestCaConfig)) -> Self {
        let dns = TestDns::start().await.unwrap();
        let address = dns.address();
        let ca = builder()
            .challenges([
                ChallengeType::Dns01,
                ChallengeType::DnsAccount01,
                ChallengeType::DnsPersist01,
                ChallengeType::Http01,
                ChallengeType::TlsAlpn01,
            ])
            .configure(|config| {
                config.validation.dns_server = Some(address);
                change(config);
            })
            .start()
            .await
            .unwrap();
        let client = Client::register(&ca).await;
        Self { dns, ca, client }
    }

    /// Orders, and returns the authorization's URL, the challenge, and its answer.
    pub(crate) async fn begin(
        &mut self,
        name: &str,
        kind: ChallengeType,
    ) -> (String, Challenge, KeyAuthorization) {
        let (_, order) = self.client.order(&[name]).await;
        let authorization = order.authorizations[0].clone();
        let (challenge, answer) = self.client.challenge(&authorization, kind).await;
        (authorization, challenge, answer)
    }

    /// Responds to a challenge, and returns the problem if there is one.
    pub(crate) async fn respond(
        &mut self,
        authorization: &str,
        challenge: &Challenge,
    ) -> Option<Problem> {
        let answer = self.client.post(&challenge.url, json!({})).await;
        answer.expect(200);
        let seen: Authorization = self.client.fetch(authorization).await.json();
        let challenge: Challenge = self.client.fetch(&challenge.url).await.json();
        let (expected, status) = match &challenge.error {
            None => (AuthorizationStatus::Valid, ChallengeStatus::Valid),
            Some(_) => (AuthorizationStatus::Invalid, ChallengeStatus::Invalid),
        };
        assert_eq!((seen.status, challenge.status), (expected, status));
        if let Some(problem) = &challenge.error {
            let detail = problem.detail.as_deref().unwrap();
            assert!(detail.starts_with(&seen.identifier.value), "{detail}");
        }
        challenge.error
    }

    /// Proves by dns-01 with whatever is set: the right value at the right name, and the DNS.
    pub(crate) async fn dns_01(
        &mut self,
        name: &str,
        set: impl FnOnce(&TestDns, &str, &str),
    ) -> Option<Problem> {
        let (authorization, challenge, answer) = self.begin(name, ChallengeType::Dns01).await;
        let owner = format!("_acme-challenge.{}", name.trim_start_matches("*."));
        set(&self.dns, &owner, &answer.dns_txt_value());
        let problem = self.respond(&authorization, &challenge).await;
        self.dns.clear(&owner);
        problem
    }
}

pub(crate) fn alias(dns: &TestDns, from: &str, to: &str) {
    dns.add(from, DnsRecord::Cname(to.to_owned())).unwrap();
}

/// Demands a problem of this kind whose detail has these words.
#[track_caller]
pub(crate) fn expect(problem: Option<Problem>, kind: ProblemType, words: &str) {
    let problem = problem.expect("there is a problem");
    let detail = problem.detail.as_deref().unwrap();
    assert_eq!(problem.kind, kind, "{detail}");
    assert!(detail.contains(words), "{detail}");
}

/// The status of an order that has just been looked at.
pub(crate) async fn order_status(client: &mut Client, url: &str) -> OrderStatus {
    client.fetch(url).await.json::<Order>().status
}
