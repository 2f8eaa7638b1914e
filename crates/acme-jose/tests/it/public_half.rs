//! Keys whose public half another library computes.

use acme_jose::{Jwk, KeyError, KeyType, PrivateKey, Signer};
use getrandom::SysRng;

/// What computes public halves here: the crate itself, by reading the key.
fn compute(sec1: &[u8]) -> Option<Jwk> {
    Some(PrivateKey::from_der(sec1).ok()?.public_jwk().clone())
}

fn check(key_type: KeyType) {
    let mut shown = Vec::new();
    let key = PrivateKey::generate_with_public_half(key_type, &mut SysRng, |sec1| {
        shown = sec1.to_vec();
        compute(sec1)
    });
    let key = key.unwrap();

    let signature = Signer::sign(&key, b"message").unwrap();
    key.public_jwk().verify(b"message", &signature).unwrap();
    let written = key.to_pkcs8_der().unwrap();
    let again = PrivateKey::from_der(&written).unwrap();
    assert_eq!(again.public_jwk(), key.public_jwk());
    assert_eq!(again.to_pkcs8_der().unwrap(), written);
    let spki = key.public_jwk().to_spki_der().unwrap();
    let half = &spki[spki.len() - 32..];
    assert!(written.windows(32).any(|it| it == half));
    assert!(
        !shown.windows(32).any(|it| it == half),
        "it was shown the public half"
    );
    assert_eq!(compute(&shown).as_ref(), Some(key.public_jwk()));
}

#[test]
fn the_key_is_as_good_as_any() {
    check(KeyType::EcdsaP256);
    #[cfg(feature = "p384")]
    check(KeyType::EcdsaP384);
}

#[test]
fn no_public_half_is_no_key() {
    let error = |public_half: fn(&[u8]) -> Option<Jwk>| {
        PrivateKey::generate_with_public_half(KeyType::EcdsaP256, &mut SysRng, public_half)
            .unwrap_err()
    };
    assert_eq!(error(|_| None), KeyError::Mismatched);
    #[cfg(feature = "ed25519")]
    assert_eq!(
        error(|_| {
            let other = PrivateKey::generate(KeyType::Ed25519).unwrap();
            Some(other.public_jwk().clone())
        }),
        KeyError::Mismatched
    );
}

#[test]
fn keys_that_are_not_elliptic_are_not_asked_for() {
    for key_type in [KeyType::Ed25519, KeyType::Rsa2048] {
        let key = PrivateKey::generate_with_public_half(key_type, &mut SysRng, |_| {
            panic!("nothing was to be computed")
        });
        assert_eq!(key.unwrap_err(), KeyError::Unsupported);
    }
}
