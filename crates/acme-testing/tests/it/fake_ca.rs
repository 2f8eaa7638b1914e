//! The CA without a network: what it issues, and what goes wrong when told.

use std::{sync::Arc, time::Duration};

use acme_testing::{
    CertificateValidity, FakeCa, FakeCaBuilder, FakeOutcome, FaultyResponder, IssuanceGate,
    ManualClock, Mishap, RecordingResponder, ResponderCall, assert_valid_for_name,
    client::{
        CertificateAuthority, CertificateRequest, Error, ErrorKind, IssuedCertificate, Operation,
        RenewalAdvice,
    },
    messages::{
        CertificateId, CertificateSigningRequest, ChallengeType, Clock, RenewalInfo, ServerName,
        SuggestedWindow, Timestamp,
        csr::{CommonName, CsrOptions},
        jose::{KeyType, PrivateKey},
    },
};
use der::Decode;
use futures_util::FutureExt;
use tokio::task::JoinHandle;
use x509_cert::{
    Certificate,
    ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, SubjectKeyIdentifier},
};

const NOW: &str = "2026-11-23T00:00:00Z";

fn clock() -> ManualClock {
    ManualClock::new(NOW.parse().unwrap())
}

fn name(text: &str) -> ServerName {
    text.parse().unwrap()
}

fn request(names: &[&str]) -> CertificateRequest {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let names: Vec<_> = names.iter().map(|it| name(it)).collect();
    CertificateRequest::for_names(&names, &key).unwrap()
}

fn recorder() -> Arc<RecordingResponder> {
    Arc::new(RecordingResponder::new(ChallengeType::Http01))
}

/// A CA that asks for no proof.
fn trusting() -> FakeCa {
    FakeCa::builder(clock())
        .pre_authorized(true)
        .build()
        .unwrap()
}

fn refused() -> Error {
    Error::new(ErrorKind::Problem, Operation::NewOrder)
}

fn start(ca: &FakeCa, request: CertificateRequest) -> JoinHandle<Result<IssuedCertificate, Error>> {
    let ca = ca.clone();
    tokio::spawn(async move { ca.obtain(&request).await })
}

// X3
#[tokio::test]
async fn certificates_are_as_txacmes_were() {
    let ca = FakeCa::new(clock()).unwrap();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let mut options = CsrOptions::default();
    options.common_name = CommonName::FirstName;
    let names = [name("example.com"), name("192.0.2.1")];
    let csr = CertificateSigningRequest::with_options(&names, &key, &options).unwrap();
    let request = CertificateRequest::for_csr(csr).responder(recorder());
    let issued = ca.obtain(&request).await.unwrap();
    let chain = issued.chain;

    chain.check_links().unwrap();
    chain.check_key(key.public_jwk()).unwrap();
    chain.check_names(&names).unwrap();
    assert_eq!(chain.as_der().len(), 2);
    assert_eq!(chain.as_der()[1], *ca.root());
    let now: Timestamp = NOW.parse().unwrap();
    let hour = Duration::from_secs(3600);
    assert_eq!(chain.leaf().not_before, now - hour);
    assert_eq!(chain.leaf().not_after, now + 90 * 24 * hour);
    assert!(chain.leaf().certificate_id().is_some());
    assert_eq!(
        chain.leaf().issuer_common_name().as_deref(),
        Some("ACME Snake Oil CA")
    );

    let [leaf, root] = [0, 1].map(|at| Certificate::from_der(&chain.as_der()[at]).unwrap());
    let (leaf, root) = (leaf.tbs_certificate(), root.tbs_certificate());
    assert_eq!(leaf.subject().to_string(), "CN=example.com");
    assert_eq!(root.subject().to_string(), "CN=ACME Snake Oil CA");
    assert_eq!(root.issuer(), root.subject());
    let of_root = acme_testing::messages::CertificateInfo::from_der(ca.root()).unwrap();
    assert_eq!(of_root.not_before, now - hour);
    assert_eq!(of_root.not_after, now + 3650 * 24 * hour);
    let (critical, constraints) = root.get_extension::<BasicConstraints>().unwrap().unwrap();
    assert!(critical && constraints.ca);
    assert_eq!(constraints.path_len_constraint, Some(0));
    let key_id = |it: &x509_cert::TbsCertificate| {
        let (_, id) = it.get_extension::<SubjectKeyIdentifier>().unwrap().unwrap();
        id.0
    };
    let authority = leaf.get_extension::<AuthorityKeyIdentifier>().unwrap();
    assert_eq!(authority.unwrap().1.key_identifier, Some(key_id(root)));
    assert_ne!(key_id(leaf), key_id(root));
}

// X3
#[tokio::test]
async fn openssl_verifies_a_chain() {
    let clock = ManualClock::new(Timestamp::now());
    let ca = FakeCa::builder(clock).pre_authorized(true).build().unwrap();
    let issued = ca.obtain(&request(&["www.example.com"])).await.unwrap();
    if crate::pki::openssl_verify(&ca.root_pem(), &issued.chain, "www.example.com").is_none() {
        println!("skipped: there is no openssl on the path");
    }
}

#[tokio::test]
async fn responders_answer_for_each_name_with_tokens_nobody_can_guess() {
    let ca = FakeCa::new(clock()).unwrap();
    let responder = recorder();
    let request = request(&["example.com", "*.example.com"]).responder(responder.clone());
    ca.obtain(&request).await.unwrap();
    let calls = responder.calls();
    let mut tokens = std::collections::HashSet::new();
    let started = calls.iter().filter_map(|call| match call {
        ResponderCall::Start(it) => Some(it),
        _ => None,
    });
    let mut wildcards = Vec::new();
    for it in started {
        assert_eq!(*it.name(), name("example.com"));
        assert_eq!(it.token().as_str().len(), 43);
        assert!(
            it.key_authorization()
                .as_str()
                .starts_with(it.token().as_str())
        );
        tokens.insert(it.token().clone());
        wildcards.push(it.is_wildcard());
    }
    assert_eq!((tokens.len(), wildcards), (2, vec![false, true]));
    assert_eq!((calls.len(), responder.under_way()), (4, 0));
    let order = &ca.orders()[0];
    assert_eq!(order.responders, [ChallengeType::Http01]);
    assert_eq!(order.at, NOW.parse().unwrap());
}

#[tokio::test]
async fn challenges_are_offered_as_told() {
    let check = async |build: fn(FakeCaBuilder) -> FakeCaBuilder, names: &[&str], kinds, taken| {
        let ca = build(FakeCa::builder(clock())).build().unwrap();
        let mut order = request(names);
        let kinds: &[ChallengeType] = kinds;
        for kind in kinds {
            order = order.responder(Arc::new(RecordingResponder::new(kind.clone())));
        }
        let responders = order.responders().to_vec();
        let result = ca.obtain(&order).await;
        assert_eq!(result.is_ok(), taken, "{names:?} {kinds:?}");
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::NoSupportedChallenge);
            assert!(error.to_string().contains(names[0]), "{error}");
        }
        drop(responders);
    };
    use ChallengeType::{Dns01, Http01, TlsAlpn01};
    let all = |it| it;
    check(all, &["example.com"], &[], false).await;
    check(all, &["*.example.com"], &[Http01], true).await;
    let some = |it: FakeCaBuilder| it.offered([Http01, Dns01]);
    check(some, &["example.com"], &[TlsAlpn01], false).await;
    check(some, &["example.com"], &[TlsAlpn01, Dns01], true).await;
    check(some, &["*.example.com"], &[Http01], false).await;
    check(some, &["*.example.com"], &[Http01, Dns01], true).await;
    let trusts = |it: FakeCaBuilder| it.pre_authorized(true);
    check(trusts, &["*.example.com"], &[], true).await;
}

#[tokio::test]
async fn a_responder_that_cannot_start_is_the_error_and_is_stopped() {
    let ca = FakeCa::new(clock()).unwrap();
    let faulty = FaultyResponder::new(ChallengeType::Http01).in_start(Mishap::Fail);
    let responder = Arc::new(RecordingResponder::over(faulty));
    let order = request(&["example.com"]).responder(responder.clone());
    let error = ca.obtain(&order).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Responder);
    assert!(
        error.to_string().contains("http-01 for example.com"),
        "{error}"
    );
    responder.wait_until_idle().await;
    assert!(ca.issued().is_empty());
}

#[tokio::test]
async fn a_responder_that_cannot_stop_spoils_nothing() {
    let clock = clock();
    let ca = FakeCa::new(clock.clone()).unwrap();
    let faulty = FaultyResponder::new(ChallengeType::Http01).in_stop(Mishap::Fail);
    let order = request(&["example.com"]).responder(Arc::new(faulty));
    ca.obtain(&order).await.unwrap();

    let faulty = FaultyResponder::new(ChallengeType::Http01).in_stop(Mishap::Hang);
    let order = request(&["example.com"]).responder(Arc::new(faulty));
    let issuance = start(&ca, order);
    clock.wait_for_sleepers(1).await;
    assert_eq!(clock.advance_to_next(), Some(Duration::from_secs(30)));
    issuance.await.unwrap().unwrap();
}

#[tokio::test]
async fn giving_up_stops_the_responder() {
    let ca = FakeCa::new(clock()).unwrap();
    let responder = recorder();
    ca.answer_next(FakeOutcome::HangAfterProof);
    let issuance = start(&ca, request(&["example.com"]).responder(responder.clone()));
    responder.wait_for_calls(1).await;
    assert_eq!((responder.under_way(), ca.under_way()), (1, 1));
    issuance.abort();
    responder.wait_until_idle().await;
    assert!(issuance.await.unwrap_err().is_cancelled());
    assert_eq!(ca.under_way(), 0);
}

#[tokio::test]
async fn an_answer_can_be_waited_for() {
    let builder = FakeCa::builder(clock()).wait_until_asked(true);
    let ca = builder.build().unwrap();
    let responder = recorder(); // Nobody ever asks it.
    let order = request(&["example.com"]).responder(responder.clone());
    let mut issuance = ca.obtain(&order);
    assert!((&mut issuance).now_or_never().is_none());
    assert_eq!(responder.under_way(), 1);
    drop(issuance);
    responder.wait_until_idle().await;
}

#[tokio::test]
async fn an_order_takes_its_time_on_the_clock() {
    let clock = clock();
    let delay = Duration::from_secs(1);
    let builder = FakeCa::builder(clock.clone()).pre_authorized(true);
    let ca = builder.poll_delay(delay).build().unwrap();
    let issuance = start(&ca, request(&["example.com"]));
    clock.wait_for_sleepers(1).await;
    assert_eq!(clock.advance_to_next(), Some(delay));
    let issued = issuance.await.unwrap().unwrap();
    assert_eq!(
        issued.chain.leaf().not_before,
        clock.now() - Duration::from_secs(3600)
    );
}

// X4, X5
#[tokio::test]
async fn issuances_wait_at_the_gate_with_their_answers_down() {
    let gate = IssuanceGate::new(true);
    let builder = FakeCa::builder(clock()).gate(gate.clone());
    let ca = builder.build().unwrap();
    let responder = recorder();
    let orders: Vec<_> = ["a.example", "b.example", "c.example"]
        .iter()
        .map(|it| start(&ca, request(&[it]).responder(responder.clone())))
        .collect();
    gate.wait_for_pending(3).await;
    assert_eq!((ca.gate().pending(), ca.most_at_once()), (3, 3));
    assert_eq!((responder.calls().len(), responder.under_way()), (6, 0));
    assert!(ca.issued().is_empty());
    gate.resume();
    for order in orders {
        order.await.unwrap().unwrap();
    }
    assert_eq!((ca.issued().len(), ca.under_way()), (3, 0));

    gate.pause();
    let order = start(&ca, request(&["a.example"]).responder(responder));
    gate.wait_for_pending(1).await;
    gate.resume_with(|| Err(refused()));
    assert_eq!(order.await.unwrap().unwrap_err().kind(), ErrorKind::Problem);
}

#[tokio::test]
async fn outcomes_are_taken_by_number_then_by_name_then_in_turn() {
    let ca = trusting();
    let fail = |detail: &str| FakeOutcome::Fail(refused().with_detail(detail));
    let a = name("a.example");
    ca.script(|_| FakeOutcome::Fail(refused().with_detail("rule")));
    ca.answer_next(fail("next"));
    ca.answer_name(a.clone(), fail("first name"));
    ca.answer_name(a, fail("second name"));
    ca.answer_call(2, fail("number"));
    for (names, expected) in [
        (&["b.example", "a.example"][..], "first name"),
        (&["a.example"], "number"),
        (&["b.example"], "next"),
        (&["a.example"], "second name"),
        (&["a.example"], "rule"),
    ] {
        let error = ca.obtain(&request(names)).await.unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}");
    }
    assert_eq!(ca.orders().len(), 5);
}

#[tokio::test]
async fn what_a_ca_says_before_any_proof_starts_no_responder() {
    let ca = FakeCa::new(clock()).unwrap();
    for (operation, calls) in [
        (Operation::Directory, 0),
        (Operation::NewNonce, 0),
        (Operation::NewAccount, 0),
        (Operation::NewOrder, 0),
        (Operation::Authorization, 2),
        (Operation::Finalize, 2),
    ] {
        let responder = recorder();
        ca.fail_next(Error::new(ErrorKind::Problem, operation));
        let order = request(&["example.com"]).responder(responder.clone());
        ca.obtain(&order).await.unwrap_err();
        assert_eq!(responder.calls().len(), calls, "{operation}");
    }
}

#[tokio::test]
async fn other_certificates_than_the_ordered_can_be_issued() {
    let ca = trusting();
    let moment = |text: &str| text.parse::<Timestamp>().unwrap();
    let (begin, end) = (
        moment("2020-01-01T00:00:00Z"),
        moment("2020-01-02T00:00:00Z"),
    );
    ca.answer_next(FakeOutcome::IssueFor(CertificateValidity::between(
        begin, end,
    )));
    let issued = ca.obtain(&request(&["example.com"])).await.unwrap();
    assert_eq!(issued.chain.leaf().not_before, begin);
    assert_eq!(issued.chain.leaf().not_after, end);

    ca.answer_next(FakeOutcome::IssueForNames(vec![name("other.example")]));
    let issued = ca.obtain(&request(&["example.com"])).await.unwrap();
    assert_valid_for_name(&issued.chain.as_der()[0], "other.example");

    ca.set_lifetime(Duration::from_secs(60));
    let issued = ca.obtain(&request(&["example.com"])).await.unwrap();
    assert_eq!(
        issued.chain.leaf().not_after,
        moment("2026-11-23T00:01:00Z")
    );

    ca.answer_next(FakeOutcome::Panic);
    let panicked = start(&ca, request(&["example.com"])).await.unwrap_err();
    assert!(panicked.is_panic());
    ca.answer_next(FakeOutcome::Hang);
    let hanging = start(&ca, request(&["example.com"]));
    ca.wait_for_orders(5).await;
    assert_eq!(ca.under_way(), 1);
    hanging.abort();

    let (chain, key) = ca
        .issue_server(&[name("served.example")], CertificateValidity::FOREVER)
        .unwrap();
    chain.check_key(key.public_jwk()).unwrap();
    ca.issue_server(&[], CertificateValidity::FOREVER)
        .unwrap_err();
}

#[tokio::test]
async fn preparing_and_asking_about_renewals_can_fail_and_is_counted() {
    let ca = trusting();
    assert_eq!(ca.identity(), FakeCa::IDENTITY);
    ca.fail_next_prepare(refused());
    ca.prepare().await.unwrap_err();
    ca.prepare().await.unwrap();
    assert_eq!(ca.prepared(), 2);

    let id = CertificateId::new(b"a", b"b");
    assert_eq!(ca.renewal_info(&id).await.unwrap(), None);
    let window = SuggestedWindow {
        start: NOW.parse().unwrap(),
        end: Timestamp::MAX,
    };
    let advice = RenewalAdvice::new(RenewalInfo::new(window), Some(Duration::from_secs(60)));
    ca.set_renewal_info(Some(advice.clone()));
    ca.fail_next_renewal_info(refused());
    ca.renewal_info(&id).await.unwrap_err();
    assert_eq!(ca.renewal_info(&id).await.unwrap(), Some(advice));
    assert_eq!(ca.renewal_queries(), [id.clone(), id.clone(), id]);

    let ca = FakeCa::builder(clock()).identity("https://a.example/d");
    assert_eq!(ca.build().unwrap().identity(), "https://a.example/d");
}

#[tokio::test]
async fn orders_say_what_was_asked_for_and_where_they_are() {
    let ca = trusting();
    let moment: Timestamp = NOW.parse().unwrap();
    let order = request(&["example.com"])
        .profile("short")
        .replaces(CertificateId::new(b"a", b"b"))
        .not_after(moment);
    let issued = ca.obtain(&order).await.unwrap();
    let seen = &ca.orders()[0];
    assert_eq!(seen.url, issued.order_url);
    assert!(seen.url.starts_with(FakeCa::IDENTITY) && !seen.resumed);
    assert_eq!(seen.order.profile.as_deref(), Some("short"));
    assert_eq!(seen.order.replaces.as_deref(), Some("YQ.Yg"));
    assert_eq!(seen.order.not_after, Some(moment));
    let account = issued.account_url.unwrap();
    assert!(account.starts_with(FakeCa::IDENTITY));
}

#[tokio::test]
async fn an_order_is_taken_up_only_while_it_is_open_and_for_its_names() {
    let ca = trusting();
    let (one, other) = (request(&["one.example"]), request(&["other.example"]));
    ca.answer_next(FakeOutcome::HangAfterProof);
    assert!(ca.obtain(&one).now_or_never().is_none());
    let url = ca.orders()[0].url.clone();

    let not_mine = ca.obtain(&other.clone().resuming(&url)).await.unwrap();
    assert_ne!(not_mine.order_url, url);
    let taken_up = ca.obtain(&one.clone().resuming(&url)).await.unwrap();
    assert_eq!(taken_up.order_url, url);
    let late = ca.obtain(&one.resuming(&url)).await.unwrap();
    assert_ne!(late.order_url, url, "it is finished");
    let resumed: Vec<_> = ca.orders().iter().map(|it| it.resumed).collect();
    assert_eq!(resumed, [false, false, true, false]);

    ca.fail_next(Error::new(ErrorKind::OrderFailed, Operation::Finalize));
    ca.obtain(&other).await.unwrap_err();
    let url = ca.orders()[4].url.clone();
    let new = ca.obtain(&other.resuming(&url)).await.unwrap();
    assert_ne!(new.order_url, url, "it has failed");
}

#[tokio::test]
async fn a_script_may_look_at_the_ca() {
    let ca = trusting();
    let seen = ca.clone();
    ca.script(move |_| match seen.orders().len() {
        1 => FakeOutcome::Fail(refused()),
        _ => FakeOutcome::Issue,
    });
    ca.obtain(&request(&["example.com"])).await.unwrap_err();
    ca.obtain(&request(&["example.com"])).await.unwrap();
}
