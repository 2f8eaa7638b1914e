//! Why a name got no certificate.

use std::sync::Arc;

use acme_messages::{CsrError, jose::KeyError};
use acme_store::StoreError;

/// Why an attempt to get a certificate failed; all who waited for it get a copy.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The CA issued nothing, or nothing usable.
    #[error("the CA issued no certificate")]
    Authority(#[source] Arc<acme_client::Error>),
    /// The certificate's key could not be made.
    #[error("the certificate's key could not be made")]
    Key(#[source] KeyError),
    /// The attempt was ended by a panic in a store, a responder or a transport.
    #[error("the attempt ended in a panic")]
    Panicked,
    /// The name was removed from the store meanwhile, and stays removed.
    #[error("the name was removed from the store")]
    Removed,
    /// The signing request could not be made.
    #[error("the signing request could not be made")]
    Request(#[source] Arc<CsrError>),
    /// The service was stopped before the attempt was done.
    #[error("the service was stopped")]
    Stopped,
    /// The store does not take the certificate; one that was issued is kept and put again.
    #[error("the store did not take the certificate")]
    Store(#[source] Arc<StoreError>),
    /// The attempt took longer than it may.
    #[error("the attempt took too long")]
    TimedOut,
}

impl IssueError {
    /// What the CA or the way there said, if that is where it failed.
    #[must_use]
    pub fn authority(&self) -> Option<&acme_client::Error> {
        match self {
            Self::Authority(error) => Some(error),
            _ => None,
        }
    }

    pub(crate) fn store(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// The service has been shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service was stopped")]
pub struct ServiceStopped;
