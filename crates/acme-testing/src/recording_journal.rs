//! A journal of orders in memory.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use acme_client::{JournalEntry, JournalError, OrderJournal, messages::jose::BoxFuture};

use crate::InjectedFault;

/// Records what is written into it, and fails on demand.
///
/// ```
/// use std::sync::Arc;
/// use acme_testing::{FakeCa, ManualClock, RecordingJournal};
/// use acme_testing::{client::{CertificateAuthority, CertificateRequest}, messages::jose::KeyType};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = ManualClock::new("2026-11-23T00:00:00Z".parse()?);
/// let ca = FakeCa::builder(clock).pre_authorized(true).build()?;
/// let journal = Arc::new(RecordingJournal::new());
/// let names = ["example.com".parse()?];
/// let request = CertificateRequest::generate(&names, KeyType::EcdsaP256)?
///     .journal(journal.clone());
/// let issued = ca.obtain(&request).await?;
/// assert_eq!(journal.entries()[0].order_url, issued.order_url);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct RecordingJournal {
    entries: Mutex<Vec<JournalEntry>>,
    fails: AtomicBool,
}

impl RecordingJournal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it cannot write from now on.
    pub fn set_failing(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    /// What was written into it, first first.
    #[must_use]
    pub fn entries(&self) -> Vec<JournalEntry> {
        let entries = self.entries.lock();
        entries.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl OrderJournal for RecordingJournal {
    fn record<'a>(&'a self, entry: &'a JournalEntry) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            if self.fails.load(Ordering::SeqCst) {
                return Err(JournalError::new(InjectedFault));
            }
            let entries = self.entries.lock();
            let mut entries = entries.unwrap_or_else(PoisonError::into_inner);
            entries.push(entry.clone());
            Ok(())
        })
    }
}
