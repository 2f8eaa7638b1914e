//! Nonces: unguessable, good for once, bounded in number ([RFC 8555, section 6.5]).
//!
//! [RFC 8555, section 6.5]: https://www.rfc-editor.org/rfc/rfc8555#section-6.5

use std::collections::{HashSet, VecDeque};

use super::{limits::MAX_NONCES, state::random_id};

/// How many nonces went out and came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NonceCounts {
    /// Given to clients.
    pub given: u64,
    /// Sent by clients, and good.
    pub spent: u64,
    /// Sent by clients, and not good: unknown, too old, or spent before.
    pub refused: u64,
    /// Given, and good for one request still.
    pub unspent: usize,
}

#[derive(Debug, Default)]
pub(super) struct NoncePool {
    given: u64,
    spent: u64,
    refused: u64,
    unspent: HashSet<String>,
    /// In order of age; spent ones stay until they are the oldest.
    by_age: VecDeque<String>,
}

impl NoncePool {
    pub(super) fn fresh(&mut self) -> String {
        let nonce = random_id();
        self.given += 1;
        while self.by_age.len() >= MAX_NONCES {
            if let Some(oldest) = self.by_age.pop_front() {
                self.unspent.remove(&oldest);
            }
        }
        self.by_age.push_back(nonce.clone());
        self.unspent.insert(nonce.clone());
        nonce
    }

    /// Whether the nonce was good; it is not from now on.
    pub(super) fn spend(&mut self, nonce: &str) -> bool {
        let good = self.unspent.remove(nonce);
        let count = if good {
            &mut self.spent
        } else {
            &mut self.refused
        };
        *count += 1;
        good
    }

    /// Takes a nonce from circulation that no client has sent.
    pub(super) fn withdraw(&mut self, nonce: &str) {
        self.unspent.remove(nonce);
    }

    pub(super) fn forget_all(&mut self) {
        self.unspent.clear();
        self.by_age.clear();
    }

    pub(super) fn counts(&self) -> NonceCounts {
        NonceCounts {
            given: self.given,
            spent: self.spent,
            refused: self.refused,
            unspent: self.unspent.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_once() {
        let mut pool = NoncePool::default();
        let nonce = pool.fresh();
        assert!(pool.spend(&nonce));
        assert!(!pool.spend(&nonce));
        assert!(!pool.spend("never-given"));
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut pool = NoncePool::default();
        let oldest = pool.fresh();
        let second = pool.fresh();
        for _ in 0..MAX_NONCES - 1 {
            pool.fresh();
        }
        assert!(!pool.spend(&oldest));
        assert!(pool.spend(&second));
    }
}
