//! What the CA was asked, and what it answered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use acme_messages::ProblemType;

use super::route::Operation;

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestRecord {
    /// What it was about.
    pub operation: Operation,
    /// The HTTP method.
    pub method: String,
    /// The path and the query.
    pub path: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The kind of problem that the answer told, if it did.
    pub problem: Option<ProblemType>,
    /// The number of the connection it came on, from 1 up.
    pub connection: u64,
}

#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Vec<RequestRecord>>);

impl Log {
    pub(super) fn add(&self, record: RequestRecord) {
        tracing::debug!(
            operation = record.operation.as_str(),
            method = record.method,
            path = record.path,
            status = record.status,
            problem = record.problem.as_ref().map(ProblemType::short_name),
            connection = record.connection,
            "answered",
        );
        self.lock().push(record);
    }

    pub(super) fn records(&self) -> Vec<RequestRecord> {
        self.lock().clone()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<RequestRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
