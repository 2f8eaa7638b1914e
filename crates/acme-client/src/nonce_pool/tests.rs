//! The pool's bounds, seen from inside.

use super::*;

fn nonce(at: usize) -> Nonce {
    format!("n{at}").parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn the_newest_comes_first_and_the_oldest_makes_room() {
    let pool = NoncePool::default();
    for number in 0..=MAX_NONCES {
        pool.keep(Some(nonce(number)), at(0));
    }
    for number in (1..=MAX_NONCES).rev() {
        assert_eq!(pool.take(at(0)), Some(nonce(number)));
    }
    assert_eq!(pool.take(at(0)), None);
}

#[test]
fn what_is_too_old_is_forgotten() {
    let lifetime = i64::try_from(NONCE_LIFETIME.as_secs()).unwrap();
    let pool = NoncePool::default();
    for number in 0..3 {
        pool.keep(Some(nonce(number)), at(0));
    }
    assert_eq!(pool.take(at(lifetime)), Some(nonce(2)));
    assert_eq!(pool.take(at(lifetime + 1)), None);
    // A clock that was set back tells no age either.
    pool.keep(Some(nonce(7)), at(lifetime + 1));
    assert_eq!(pool.take(at(0)), None);
}

#[test]
fn one_that_comes_twice_is_kept_once() {
    let pool = NoncePool::default();
    pool.keep(Some(nonce(1)), at(0));
    pool.keep(Some(nonce(1)), at(0));
    assert_eq!(pool.take(at(0)), Some(nonce(1)));
    assert_eq!(pool.take(at(0)), None);
}

#[test]
fn a_lease_that_is_dropped_gives_its_nonce_back() {
    let pool = NoncePool::default();
    drop(Lease::new(&pool, nonce(1), at(0)));
    Lease::new(&pool, nonce(2), at(0)).spend();
    assert_eq!(pool.take(at(0)), Some(nonce(1)));
    assert_eq!(pool.take(at(0)), None);
}
