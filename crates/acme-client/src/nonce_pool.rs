//! The nonces at hand: bounded, the newest first ([RFC 8555, section 6.5]).
//!
//! [RFC 8555, section 6.5]: https://www.rfc-editor.org/rfc/rfc8555#section-6.5

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use acme_messages::jose::Nonce;

/// Nonces that answers brought and no request has used.
#[derive(Debug, Default)]
pub(crate) struct NoncePool(Mutex<VecDeque<Nonce>>);

impl NoncePool {
    /// How many are kept: as many as requests are ever under way at once.
    const CAPACITY: usize = 32;

    /// Takes the newest one; nobody else gets it.
    pub(crate) fn take(&self) -> Option<Nonce> {
        self.lock().pop_back()
    }

    /// Keeps the one that an answer brought; the oldest makes room.
    pub(crate) fn keep(&self, nonce: Option<Nonce>) {
        let Some(nonce) = nonce else { return };
        let mut nonces = self.lock();
        if nonces.contains(&nonce) {
            return; // Two answers brought it, as out of a cache between.
        }
        if nonces.len() == Self::CAPACITY {
            nonces.pop_front();
        }
        nonces.push_back(nonce);
    }

    /// Forgets all: the server has refused one, and the others are no younger.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Nonce>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
