//! Signers behind pointers, and signers that take their time.

use std::sync::Arc;

use acme_jose::{
    AsyncSigner, BoxFuture, FlattenedJws, Jwk, KeyType, PrivateKey, ProtectedHeader, SignError,
    Signer, SigningAlgorithm,
};

/// A key that an HSM keeps; its answer comes at the second look.
#[derive(Debug)]
struct Hsm(PrivateKey);

impl AsyncSigner for Hsm {
    fn algorithm(&self) -> SigningAlgorithm {
        Signer::algorithm(&self.0)
    }

    fn public_jwk(&self) -> &Jwk {
        Signer::public_jwk(&self.0)
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        Box::pin(std::future::ready(Signer::sign(&self.0, message)))
    }
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn each_pointer_signs() {
    let check = |key: &dyn AsyncSigner| {
        let header = ProtectedHeader::with_jwk(key.public_jwk().clone(), "https://ca.example/x");
        let jws = ready(FlattenedJws::sign_async(key, header, b"{}")).unwrap();
        jws.verify(key.public_jwk()).unwrap();
    };
    let key = || PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    check(&key());
    check(&Arc::new(key()));
    check(&(Box::new(key()) as Box<dyn Signer>));
    check(&Hsm(key()));
    check(&(Arc::new(Hsm(key())) as Arc<dyn AsyncSigner>));
    check(&(Box::new(Hsm(key())) as Box<dyn AsyncSigner>));
}

#[test]
fn an_error_keeps_its_cause_to_its_source() {
    let error = SignError::new("the token is locked");
    assert_eq!(error.to_string(), "the key could not sign");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "the token is locked");
}
