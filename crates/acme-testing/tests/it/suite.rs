//! The suite of behaviours, of each authority that is at hand, and of some that misbehave.

/// The CA without a network.
mod fake {
    use std::sync::Arc;

    use acme_testing::{
        FakeCa, ManualClock, NullResponder, authority_suite, messages::ChallengeType,
        suite::Subject,
    };

    async fn subject(_: &str) -> Option<Subject> {
        let clock = ManualClock::new("2026-11-23T00:00:00Z".parse().unwrap());
        let ca = FakeCa::new(clock.clone()).unwrap();
        let responder = NullResponder::new(ChallengeType::Http01);
        let subject = Subject::new(Arc::new(ca), Arc::new(responder));
        Some(subject.clock(Arc::new(clock)))
    }

    authority_suite!(subject);
}

/// The client before the CA in this process, over HTTPS.
#[cfg(feature = "ca")]
mod test_ca {
    use std::{sync::Arc, time::Duration};

    use acme_testing::{
        QuickClock, TestCa, authority_suite,
        client::{AcmeAuthority, Client, HyperTransport},
        messages::jose::{KeyType, PrivateKey},
        responders::Http01Responder,
        suite::Subject,
    };
    use tokio::net::TcpListener;

    use crate::client::provider;

    /// A subject, and the CA that it is a client of.
    struct Kept(
        Subject,
        #[expect(dead_code, reason = "it is to live")] TestCa,
    );

    impl AsRef<Subject> for Kept {
        fn as_ref(&self) -> &Subject {
            &self.0
        }
    }

    async fn subject(_: &str) -> Option<Kept> {
        let responder = Http01Responder::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serve = responder.clone();
        tokio::spawn(async move { serve.serve(listener).await });
        let ca = TestCa::builder().crypto_provider(provider());
        let ca = ca.http_01_port(port).start().await.unwrap();
        let transport = HyperTransport::builder()
            .crypto_provider(provider())
            .only_roots_pem(ca.https_root_pem().as_bytes())
            .unwrap()
            .build()
            .unwrap();
        let client = Client::builder(ca.directory_url(), transport)
            .clock(Arc::new(QuickClock::new(Duration::from_secs(10))))
            .build()
            .unwrap();
        let key = Arc::new(PrivateKey::generate(KeyType::EcdsaP256).unwrap());
        let authority = AcmeAuthority::builder(client, key).agree_to_terms_of_service(true);
        let subject = Subject::new(Arc::new(authority.build()), Arc::new(responder));
        Some(Kept(subject.validates(true), ca))
    }

    authority_suite!(subject);
}

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::AtomicUsize},
};

use acme_testing::{
    CertificateValidity, FailingCa, FakeCa, FakeOutcome, ManualClock, NullResponder,
    client::{CertificateAuthority, CertificateRequest, Error, IssuedCertificate, RenewalAdvice},
    messages::{
        CertificateId, ChallengeType, RenewalInfo, SuggestedWindow, Timestamp, jose::BoxFuture,
    },
    suite::{self, CHECKS, Subject},
};
use futures_util::FutureExt;

fn fake() -> (FakeCa, ManualClock) {
    let clock = ManualClock::new("2026-11-23T00:00:00Z".parse().unwrap());
    (FakeCa::new(clock.clone()).unwrap(), clock)
}

fn subject(authority: impl CertificateAuthority, clock: ManualClock) -> Subject {
    let responder = NullResponder::new(ChallengeType::Http01);
    Subject::new(Arc::new(authority), Arc::new(responder)).clock(Arc::new(clock))
}

/// The behaviours that a subject lacks.
async fn lacks(subject: Subject) -> Vec<&'static str> {
    let mut failed = Vec::new();
    for check in CHECKS {
        let asked = AssertUnwindSafe(check.run(&subject)).catch_unwind();
        if asked.await.is_err() {
            failed.push(check.name);
        }
    }
    failed
}

#[tokio::test]
async fn who_issues_for_other_names_is_found_out() {
    let (ca, clock) = fake();
    ca.script(|_| FakeOutcome::IssueForNames(vec!["foreign.example".parse().unwrap()]));
    let lacks = lacks(subject(ca, clock)).await;
    assert!(lacks.contains(&"one_name_is_issued"), "{lacks:?}");
    assert!(lacks.contains(&"several_names_are_issued"), "{lacks:?}");
    assert!(!lacks.contains(&"identity_is_stable"), "{lacks:?}");
}

#[tokio::test]
async fn who_issues_what_has_ended_is_found_out() {
    let (ca, clock) = fake();
    let moment = Timestamp::UNIX_EPOCH;
    ca.script(move |_| FakeOutcome::IssueFor(CertificateValidity::between(moment, moment)));
    let lacks = lacks(subject(ca, clock)).await;
    assert!(lacks.contains(&"one_name_is_issued"), "{lacks:?}");
}

#[tokio::test]
async fn who_asks_for_no_proof_is_found_out() {
    let (_, clock) = fake();
    let ca = FakeCa::builder(clock.clone()).pre_authorized(true);
    let expected = [
        "challenges_are_for_the_names",
        "without_a_responder_nothing_is_issued",
        "a_failing_responder_is_the_error",
        "responders_are_stopped_after_success",
        "responders_are_stopped_after_a_failure",
        "giving_up_stops_responders",
        "giving_up_while_a_responder_starts_stops_it",
        "orders_are_taken_up_again",
    ];
    assert_eq!(lacks(subject(ca.build().unwrap(), clock)).await, expected);
}

#[tokio::test]
async fn who_only_says_that_it_validates_is_found_out() {
    let (ca, clock) = fake();
    let subject = subject(ca, clock).validates(true);
    assert_eq!(lacks(subject).await, ["wrong_answers_are_refused"]);
}

#[tokio::test]
async fn a_failing_authority_lacks_nearly_everything() {
    let (_, clock) = fake();
    let subject = subject(FailingCa::unreachable(), clock);
    // All but what is not asked of who does not validate.
    assert_eq!(lacks(subject.clone()).await.len(), CHECKS.len() - 1);
    let panic = AssertUnwindSafe(suite::run(&subject)).catch_unwind().await;
    let said = panic.unwrap_err();
    let said = said.downcast_ref::<String>().unwrap();
    assert!(said.contains("one_name_is_issued, several_names"), "{said}");
}

/// One that changes its name, forgets what it prepared, and has odd opinions.
#[derive(Debug)]
struct Fickle(FakeCa, AtomicUsize);

impl CertificateAuthority for Fickle {
    fn identity(&self) -> &str {
        let asked = self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        ["https://one.example", "https://other.example"][asked % 2]
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), Error>> {
        if self.0.prepared() == 1 {
            self.0.fail_next_prepare(Error::new(
                acme_testing::client::ErrorKind::Problem,
                acme_testing::client::Operation::NewAccount,
            ));
        }
        self.0.prepare()
    }

    fn obtain<'a>(
        &'a self,
        request: &'a CertificateRequest,
    ) -> BoxFuture<'a, Result<IssuedCertificate, Error>> {
        self.0.obtain(request)
    }

    fn renewal_info<'a>(
        &'a self,
        id: &'a CertificateId,
    ) -> BoxFuture<'a, Result<Option<RenewalAdvice>, Error>> {
        let window = SuggestedWindow {
            start: Timestamp::MAX,
            end: Timestamp::MAX,
        };
        let advice = RenewalAdvice::new(RenewalInfo::new(window), None);
        self.0.set_renewal_info(Some(advice));
        self.0.renewal_info(id)
    }
}

#[tokio::test]
async fn a_fickle_authority_is_found_out() {
    let (ca, clock) = fake();
    let lacks = lacks(subject(Fickle(ca, AtomicUsize::new(0)), clock)).await;
    let expected = [
        "identity_is_stable",
        "preparing_can_be_repeated",
        "orders_are_journaled_before_they_are_proved",
        "renewal_information_is_answered",
    ];
    assert_eq!(lacks, expected);
}
