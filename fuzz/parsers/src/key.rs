//! Keys and signatures.

use acme_jose::{FlattenedJws, Jwk, PrivateKey};

/// Reads a public key as JSON and as the DER of a certificate.
pub fn jwk(data: &[u8]) {
    if let Ok(key) = serde_json::from_slice::<Jwk>(data) {
        let written = serde_json::to_vec(&key).expect("a key can be written");
        let again: Jwk = serde_json::from_slice(&written).expect("a written key can be read");
        same_key(&again, &key);
        let der = key
            .to_spki_der()
            .expect("a key that was read has a DER form");
        same_key(&Jwk::from_spki_der(&der).expect("which can be read"), &key);
        assert!(key.verify(b"message", data).is_err(), "it signed nothing");
        let _ = key.check_strength();
    }
    if let Ok(key) = Jwk::from_spki_der(data) {
        let written = serde_json::to_vec(&key).expect("a key can be written");
        same_key(
            &serde_json::from_slice(&written).expect("a written key can be read"),
            &key,
        );
    }
}

fn same_key(one: &Jwk, other: &Jwk) {
    assert_eq!(one, other);
    assert_eq!(one.thumbprint(), other.thumbprint());
}

/// Reads a signed request, and checks it with the key that it brings.
pub fn jws(data: &[u8]) {
    let Ok(jws) = FlattenedJws::from_json(data) else {
        return;
    };
    let written = jws.to_json();
    let again = FlattenedJws::from_json(&written).expect("a written request can be read");
    assert_eq!(again.header(), jws.header());
    assert_eq!(again.payload(), jws.payload());
    assert_eq!(again.to_json(), written);
    if let Some(key) = &jws.header().jwk {
        assert_eq!(jws.verify(key).is_ok(), again.verify(key).is_ok());
    }
}

/// Reads a private key, PEM or DER; what is written of it is the same key.
pub fn pem_key(data: &[u8]) {
    for key in [PrivateKey::from_pem(data), PrivateKey::from_der(data)]
        .into_iter()
        .flatten()
    {
        let pem = key.to_pkcs8_pem().expect("a key can be written");
        let again = PrivateKey::from_pem(pem.as_bytes()).expect("a written key can be read");
        same_key(again.public_jwk(), key.public_jwk());
        assert!(!format!("{key:?}").contains("BEGIN"), "no secret is shown");
    }
}
