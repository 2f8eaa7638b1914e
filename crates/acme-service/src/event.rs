//! What the service reports while it works.

use std::sync::Arc;

use acme_messages::{ServerName, Timestamp};
use acme_store::{CertificateBundle, StoreError};

use crate::IssueError;

/// Something happened; see [`ServiceHandle::subscribe`](crate::ServiceHandle::subscribe).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ServiceEvent {
    /// The store was looked through.
    Checked {
        /// How many names there are.
        names: usize,
        /// How many of them have nothing to serve, or little time left.
        overdue: usize,
        /// How many others are due.
        expiring: usize,
    },
    /// An attempt failed; the old certificate, if there is one, serves on.
    Failed {
        /// The name.
        name: ServerName,
        /// Why.
        error: IssueError,
        /// How many attempts in a row have failed.
        failures: u32,
        /// When the next one is.
        next_attempt: Timestamp,
        /// Whether there is nothing to serve, or little time left.
        alarming: bool,
    },
    /// A certificate was issued and is in the store.
    Issued {
        /// The name.
        name: ServerName,
        /// What was stored.
        bundle: CertificateBundle,
    },
    /// A certificate is being requested.
    Requesting {
        /// The name.
        name: ServerName,
    },
    /// The store could not be looked through; this is tried again.
    StoreFailed {
        /// Why.
        error: Arc<StoreError>,
    },
}

/// What the first look through the store led to.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct InitialCheck {
    /// The names that had nothing to serve, and what came of the attempt to change that.
    pub attempted: Vec<(ServerName, Result<(), IssueError>)>,
    /// Why the store could not be looked through.
    pub store_error: Option<Arc<StoreError>>,
}

impl InitialCheck {
    /// Whether every name had a certificate, or got one.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.store_error.is_none() && self.attempted.iter().all(|(_, result)| result.is_ok())
    }
}
