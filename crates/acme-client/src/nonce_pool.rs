//! The nonces at hand: bounded, aged, the newest first ([RFC 8555, section 6.5]).
//!
//! [RFC 8555, section 6.5]: https://www.rfc-editor.org/rfc/rfc8555#section-6.5

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use acme_messages::{Timestamp, jose::Nonce};

/// How many nonces are kept: as many as requests are ever under way at once.
pub const MAX_NONCES: usize = 32;

/// How long a nonce is kept: CAs forget theirs, and one that was forgotten costs a request more
/// than none.
pub const NONCE_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Nonces that answers brought and no request has used.
#[derive(Debug, Default)]
pub(crate) struct NoncePool(Mutex<VecDeque<(Nonce, Timestamp)>>);

impl NoncePool {
    /// Takes the newest one; nobody else gets it.
    pub(crate) fn take(&self, now: Timestamp) -> Option<Nonce> {
        let mut nonces = self.lock();
        let (nonce, since) = nonces.pop_back()?;
        if now.duration_since(since).unsigned_abs() <= NONCE_LIFETIME {
            return Some(nonce);
        }
        // The newest is too old, and the others are no younger.
        nonces.clear();
        None
    }

    /// Keeps one that was not sent; the oldest makes room.
    pub(crate) fn keep(&self, nonce: Option<Nonce>, now: Timestamp) {
        let Some(nonce) = nonce else { return };
        let mut nonces = self.lock();
        if nonces.iter().any(|(it, _)| *it == nonce) {
            return; // Two answers brought it, as out of a cache between.
        }
        if nonces.len() == MAX_NONCES {
            nonces.pop_front();
        }
        nonces.push_back((nonce, now));
    }

    /// Forgets all: the server has refused one, and the others are no younger.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Nonce, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A nonce that is taken and not yet sent; letting go of it puts it back.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    pool: &'a NoncePool,
    nonce: Option<Nonce>,
    now: Timestamp,
}

impl<'a> Lease<'a> {
    pub(crate) const fn new(pool: &'a NoncePool, nonce: Nonce, now: Timestamp) -> Self {
        Self {
            pool,
            nonce: Some(nonce),
            now,
        }
    }

    /// It is sent now: nobody may have it again.
    pub(crate) fn spend(mut self) {
        self.nonce = None;
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.pool.keep(self.nonce.take(), self.now);
    }
}

#[cfg(test)]
mod tests;
