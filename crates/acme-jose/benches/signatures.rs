//! Signing and verifying, by each algorithm that the build knows.
//!
//! `cargo bench -p acme-jose --all-features`

#![allow(missing_docs, reason = "criterion's macros make a function without")]

use acme_jose::{KeyType, PrivateKey, Signer};
use criterion::{Criterion, criterion_group, criterion_main};

fn signatures(criterion: &mut Criterion) {
    let message = [7; 400];
    for key_type in KeyType::ALL {
        let Ok(key) = PrivateKey::generate(*key_type) else {
            continue;
        };
        let Ok(signature) = key.sign(&message) else {
            continue;
        };
        criterion.bench_function(&format!("sign {key_type}"), |bencher| {
            bencher.iter(|| key.sign(&message));
        });
        criterion.bench_function(&format!("verify {key_type}"), |bencher| {
            bencher.iter(|| key.public_jwk().verify(&message, &signature));
        });
    }
}

criterion_group!(benches, signatures);
criterion_main!(benches);
