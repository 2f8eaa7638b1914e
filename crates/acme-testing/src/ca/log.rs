//! What the CA was asked, and what it answered.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use acme_messages::ProblemType;
use http::{HeaderMap, header::LOCATION, request::Parts};
use tokio::sync::Notify;

use super::{limits::MAX_RECORDS, reply::Reply, route::Operation, router::REPLAY_NONCE};

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
    /// The headers, as they came; see [`header`](Self::header).
    pub headers: Vec<(String, String)>,
    /// The account that signed, by its URL, once the signature was found good.
    pub account_url: Option<String>,
    /// The nonce that was spent.
    pub nonce: Option<String>,
    /// What was signed; empty for a POST-as-GET, and for what could not be read.
    pub payload: String,
    /// The HTTP status of the answer; 0 when the connection was closed without one,
    /// or kept in silence.
    pub status: u16,
    /// The kind of problem that the answer told, if it did.
    pub problem: Option<ProblemType>,
    /// The nonce that the answer gave.
    pub fresh_nonce: Option<String>,
    /// The URL that the answer gave in `Location`.
    pub location: Option<String>,
    /// The number of the connection it came on, from 1 up.
    pub connection: u64,
}

impl RequestRecord {
    pub(super) fn new(operation: Operation, parts: &Parts, connection: u64) -> Self {
        let path = parts.uri.path_and_query().map(ToString::to_string);
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Self {
            operation,
            method: parts.method.to_string(),
            path: path.unwrap_or_else(|| parts.uri.path().to_owned()),
            headers: headers.collect(),
            account_url: None,
            nonce: None,
            payload: String::new(),
            status: 0,
            problem: None,
            fresh_nonce: None,
            location: None,
            connection,
        }
    }

    /// The first header of this name, in letters of either case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter();
        found
            .filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .next()
    }

    pub(super) fn answered(&mut self, reply: &Reply) {
        let text = |headers: &HeaderMap, name| {
            let value = headers.get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        self.status = reply.status.as_u16();
        self.problem = reply.problem.clone();
        self.fresh_nonce = text(&reply.headers, REPLAY_NONCE);
        self.location = text(&reply.headers, LOCATION);
    }
}

/// The newest requests; older ones are forgotten.
#[derive(Debug, Default)]
pub(super) struct Log {
    records: Mutex<VecDeque<RequestRecord>>,
    added: Notify,
}

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
        let mut records = self.lock();
        if records.len() == MAX_RECORDS {
            records.pop_front();
        }
        records.push_back(record);
        drop(records);
        self.added.notify_waiters();
    }

    pub(super) async fn wait_for(&self, operation: Operation, count: usize) {
        loop {
            // Asked for before the look, so that none falls between the two.
            let added = self.added.notified();
            tokio::pin!(added);
            added.as_mut().enable();
            if self.count(operation) >= count {
                return;
            }
            added.await;
        }
    }

    pub(super) fn records(&self) -> Vec<RequestRecord> {
        self.lock().iter().cloned().collect()
    }

    pub(super) fn count(&self, operation: Operation) -> usize {
        let records = self.lock();
        let of_kind = records.iter().filter(|it| it.operation == operation);
        of_kind.count()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<RequestRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
