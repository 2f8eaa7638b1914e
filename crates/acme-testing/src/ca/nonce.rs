//! Nonces: unguessable, good for once, bounded in number ([RFC 8555, section 6.5]).
//!
//! [RFC 8555, section 6.5]: https://www.rfc-editor.org/rfc/rfc8555#section-6.5

use std::collections::{HashSet, VecDeque};

use super::{limits::MAX_NONCES, state::random_id};

#[derive(Debug, Default)]
pub(super) struct NoncePool {
    unspent: HashSet<String>,
    /// In order of age; spent ones stay until they are the oldest.
    by_age: VecDeque<String>,
}

impl NoncePool {
    pub(super) fn fresh(&mut self) -> String {
        let nonce = random_id();
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
        self.unspent.remove(nonce)
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
