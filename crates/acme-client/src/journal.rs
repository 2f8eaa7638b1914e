//! What is written down before an order can cost anything, so that a crash loses nothing.

use std::{fmt, sync::Arc};

use acme_messages::{
    CertificateSigningRequest,
    jose::{BoxFuture, PrivateKey},
};

use crate::CertificateRequest;

/// Keeps what it takes to finish an order after a crash.
///
/// [`record`](Self::record) is called once for each order that was placed, before any of its names
/// is proved and long before it is finalized. Whoever finds the entry again makes the same request
/// with the same key and hands it over with [`CertificateRequest::resuming`](crate::CertificateRequest::resuming).
///
/// ```
/// use std::sync::Mutex;
/// use acme_client::{JournalEntry, JournalError, OrderJournal, messages::jose::BoxFuture};
///
/// #[derive(Debug, Default)]
/// struct InMemory(Mutex<Vec<String>>);
///
/// impl OrderJournal for InMemory {
///     fn record<'a>(&'a self, entry: &'a JournalEntry) -> BoxFuture<'a, Result<(), JournalError>> {
///         // A real one writes the key too, and is done when it is on the disk.
///         self.0.lock().expect("nobody panics with it").push(entry.order_url.clone());
///         Box::pin(std::future::ready(Ok(())))
///     }
/// }
/// ```
pub trait OrderJournal: fmt::Debug + Send + Sync + 'static {
    /// Writes an entry down; done when no crash can lose it. Writing one twice changes nothing.
    fn record<'a>(&'a self, entry: &'a JournalEntry) -> BoxFuture<'a, Result<(), JournalError>>;
}

macro_rules! forward_journal {
    ($($pointer:ty),*) => {$(
        impl<T: OrderJournal + ?Sized> OrderJournal for $pointer {
            fn record<'a>(
                &'a self,
                entry: &'a JournalEntry,
            ) -> BoxFuture<'a, Result<(), JournalError>> {
                (**self).record(entry)
            }
        }
    )*};
}

forward_journal!(Arc<T>, Box<T>);

/// An order that was placed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JournalEntry {
    /// The directory's URL of the CA.
    pub directory_url: String,
    /// The account that placed the order.
    pub account_url: String,
    /// The order.
    pub order_url: String,
    /// What it will be finalized with.
    pub csr: CertificateSigningRequest,
    /// The certificate's key, where the request has it: see
    /// [`CertificateRequest::generate`](crate::CertificateRequest::generate).
    pub key: Option<Arc<PrivateKey>>,
}

impl JournalEntry {
    /// What is to be written down of an order that was placed for a request.
    pub fn new(
        request: &CertificateRequest,
        directory_url: impl Into<String>,
        account_url: impl Into<String>,
        order_url: impl Into<String>,
    ) -> Self {
        Self {
            directory_url: directory_url.into(),
            account_url: account_url.into(),
            order_url: order_url.into(),
            csr: request.csr().clone(),
            key: request.key().cloned(),
        }
    }
}

/// A journal could not write.
#[derive(Debug, thiserror::Error)]
#[error("the journal could not write")]
pub struct JournalError {
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl JournalError {
    /// Wraps the cause.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: cause.into(),
        }
    }
}
