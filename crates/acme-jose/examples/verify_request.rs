//! Verifies a `newAccount` request as a server does (RFC 8555, sections 6.2 to 6.5).
//!
//! `cargo run -p acme-jose --example kms_signer | cargo run -p acme-jose --example verify_request`

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::io::Read;

use acme_jose::{FlattenedJws, Jwk, JwsError, VerifyError};

/// Why a request is refused, as the server would say it.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("badSignatureAlgorithm: {0}")]
    Algorithm(JwsError),
    #[error("badPublicKey: {0}")]
    Key(JwsError),
    #[error("malformed: {0}")]
    Malformed(JwsError),
    #[error("malformed: a new account sends its key, and no account's URL")]
    NotANewAccount,
    #[error("badNonce: there is none")]
    NoNonce,
    #[error("unauthorized: the request was signed for {0}")]
    OtherUrl(String),
    #[error("malformed: {0}")]
    Signature(#[from] VerifyError),
}

/// The key and the payload of a request that deserves an answer.
fn verify(body: &[u8], url: &str) -> Result<(Jwk, Vec<u8>), Refusal> {
    let request = FlattenedJws::from_json(body).map_err(|error| match error {
        JwsError::UnsupportedAlgorithm(_) => Refusal::Algorithm(error),
        JwsError::BadPublicKey => Refusal::Key(error),
        error => Refusal::Malformed(error),
    })?;
    let header = request.header();
    let key = match (&header.jwk, &header.kid) {
        (Some(key), None) => key.clone(),
        _ => return Err(Refusal::NotANewAccount),
    };
    request.verify(&key)?;
    if header.url != url {
        return Err(Refusal::OtherUrl(header.url.clone()));
    }
    // Whether it is one that was given out, and not used since, is the server's to know.
    header.nonce.as_ref().ok_or(Refusal::NoNonce)?;
    Ok((key, request.payload().to_vec()))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut body = Vec::new();
    // A server bounds what it reads.
    std::io::stdin().take(50_000).read_to_end(&mut body)?;
    let (key, payload) = verify(&body, "https://ca.example/acme/new-account")?;
    println!("account key {}", key.thumbprint());
    println!("payload {}", String::from_utf8_lossy(&payload));
    Ok(())
}
