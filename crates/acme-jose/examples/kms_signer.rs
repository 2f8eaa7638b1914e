//! Signs a `newAccount` request with a key that never leaves its KMS.
//!
//! `cargo run -p acme-jose --example kms_signer`

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use acme_jose::{
    AsyncSigner, BoxFuture, FlattenedJws, Jwk, KeyType, PrivateKey, ProtectedHeader, SignError,
    Signer, SigningAlgorithm,
};

/// What a KMS offers: a key by its name, and signatures after a while.
#[derive(Debug)]
struct Kms {
    /// Stands for the remote side; a real one holds a client and the key's name.
    remote: PrivateKey,
    public: Jwk,
}

impl Kms {
    fn connect() -> Result<Self, Box<dyn std::error::Error>> {
        let remote = PrivateKey::generate(KeyType::EcdsaP256)?;
        // A KMS gives its public key as SubjectPublicKeyInfo.
        let public = Jwk::from_spki_der(&remote.public_jwk().to_spki_der()?)?;
        Ok(Self { remote, public })
    }
}

impl AsyncSigner for Kms {
    fn algorithm(&self) -> SigningAlgorithm {
        self.public.algorithm()
    }

    fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        // Here the request goes out. A KMS that answers in DER is to be converted:
        // JOSE wants the two numbers in fixed width, one after the other.
        Box::pin(async move { Signer::sign(&self.remote, message) })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kms = Kms::connect()?;
    let header = ProtectedHeader::with_jwk(
        kms.public_jwk().clone(),
        "https://ca.example/acme/new-account",
    )
    .nonce("oFvnlFP1wIhRlYS2jTaXbA".parse()?);
    let payload = br#"{"termsOfServiceAgreed":true}"#;

    let request = block_on(FlattenedJws::sign_async(&kms, header, payload))?;
    request.verify(kms.public_jwk())?;
    println!("{}", String::from_utf8(request.to_json())?);
    Ok(())
}

/// The least that drives a future which never waits; a program uses its runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
