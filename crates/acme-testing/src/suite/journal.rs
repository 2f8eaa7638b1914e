//! What an authority writes down of its orders, and takes up again.

use std::sync::Arc;

use acme_client::{CertificateRequest, ErrorKind};
use acme_responders::Responder;

use super::{Subject, new_key, within};
use crate::{FaultyResponder, Mishap, RecordingJournal, RecordingResponder};

/// An order is written into the request's journal before any of its names is proved, with all
/// that it takes to finish it.
///
/// # Panics
/// - When it is not so.
pub async fn orders_are_journaled_before_they_are_proved(subject: &Subject) {
    let journal = Arc::new(RecordingJournal::new());
    let recorder = Arc::new(RecordingResponder::over(subject.responder.clone()));
    journal.set_failing(true);
    let request = request(subject, &journal, recorder.clone());
    let refused = subject.obtain(&request).await.map(drop);
    let error = refused.expect_err("what cannot be written down is not gone on with");
    assert_eq!(error.kind(), ErrorKind::Journal, "{error}");
    assert!(recorder.calls().is_empty(), "nothing is proved yet");

    journal.set_failing(false);
    let issued = subject.obtain(&request).await;
    let issued = issued.expect("names that are proved are issued");
    let entries = journal.entries();
    assert_eq!(entries.len(), 1, "an order is written down once");
    let entry = &entries[0];
    assert_eq!(entry.directory_url, subject.authority.identity());
    assert_eq!(entry.order_url, issued.order_url);
    assert_eq!(entry.csr, *request.csr());
    let thumbprints = [&entry.key, &issued.key].map(|key| {
        let key = key.as_ref().expect("the request has its key");
        key.thumbprint().to_string()
    });
    assert_eq!(thumbprints[0], new_key_of(&request));
    assert_eq!(thumbprints[1], thumbprints[0], "the key comes back");
}

/// An order that was given up is finished by a request that takes it up again.
///
/// # Panics
/// - When it is not so.
pub async fn orders_are_taken_up_again(subject: &Subject) {
    let journal = Arc::new(RecordingJournal::new());
    let hanging = FaultyResponder::over(subject.responder.clone()).in_start(Mishap::Hang);
    let recorder = Arc::new(RecordingResponder::over(hanging));
    let first = request(subject, &journal, recorder.clone());
    tokio::select! {
        biased;
        () = within(recorder.wait_for_calls(1)) => {}
        _ = subject.obtain(&first) => panic!("the responder hangs, so nothing is proved"),
    }
    within(recorder.wait_until_idle()).await;

    let entry = journal.entries().swap_remove(0);
    let again = CertificateRequest::for_csr(entry.csr)
        .responder(subject.responder.clone())
        .resuming(&entry.order_url);
    let issued = subject.obtain(&again).await;
    let issued = issued.expect("an order that is taken up is issued");
    assert_eq!(issued.order_url, entry.order_url, "it is the same order");
    let key = entry.key.expect("the request has its key");
    subject.verify(&issued, again.names(), &key);
}

fn request(
    subject: &Subject,
    journal: &Arc<RecordingJournal>,
    responder: Arc<dyn Responder>,
) -> CertificateRequest {
    let names = subject.fresh_names(1);
    CertificateRequest::with_key(&names, Arc::new(new_key()))
        .expect("these names can be asked for")
        .responder(responder)
        .journal(journal.clone())
}

fn new_key_of(request: &CertificateRequest) -> String {
    let key = request.key().expect("the request was made with one");
    key.thumbprint().to_string()
}
