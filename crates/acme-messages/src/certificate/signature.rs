//! Whether one certificate signed another.

use acme_jose::Jwk;
use rustls_pki_types::SignatureVerificationAlgorithm;

use super::parts::{Parts, PublicKey};
use crate::x509_signature::{self, Verdict};

/// Judges a signature, first by these algorithms, where one of them fits.
///
/// One that they refuse is judged again here: they may have bounds of their own for keys.
pub(super) fn verdict(
    subject: &Parts<'_>,
    issuer: &Parts<'_>,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> Verdict {
    match by_others(subject, issuer, algorithms) {
        Verdict::Valid => Verdict::Valid,
        other => match by_ourselves(subject, issuer) {
            Verdict::Unknown => other,
            own => own,
        },
    }
}

fn by_others(
    subject: &Parts<'_>,
    issuer: &Parts<'_>,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> Verdict {
    let Ok(key) = PublicKey::from_der(issuer.spki) else {
        return Verdict::Unknown;
    };
    let mut verdict = Verdict::Unknown;
    for algorithm in algorithms {
        if algorithm.signature_alg_id().as_ref() != subject.algorithm_id
            || algorithm.public_key_alg_id().as_ref() != key.algorithm_id
        {
            continue;
        }
        match algorithm.verify_signature(key.bits, subject.signed, subject.signature) {
            Ok(()) => return Verdict::Valid,
            Err(_) => verdict = Verdict::Invalid,
        }
    }
    verdict
}

fn by_ourselves(subject: &Parts<'_>, issuer: &Parts<'_>) -> Verdict {
    let Ok(key) = Jwk::from_spki_der(issuer.spki) else {
        return Verdict::Unknown;
    };
    x509_signature::verify(&key, subject.algorithm, subject.signed, subject.signature)
}
