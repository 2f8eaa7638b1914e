//! The trait (rows R1 to R4): what each responder does alike.

use std::sync::Arc;

use acme_responders::{
    BoxFuture, ChallengeContext, Responder, ResponderError,
    messages::{ChallengeType, KeyAuthorization, Token, jose},
};

/// A challenge for a name, with a token of its own.
pub(crate) fn challenge(name: &str, kind: ChallengeType, token: &str) -> ChallengeContext {
    let token = Token::parse(token).unwrap();
    let key = jose::PrivateKey::generate(jose::KeyType::EcdsaP256).unwrap();
    let answer = KeyAuthorization::new(&token, &jose::Signer::public_jwk(&key).thumbprint());
    ChallengeContext::new(name.parse().unwrap(), kind, token, answer)
}

/// Whether a future is done at its first look: nothing here waits on a clock.
pub(crate) fn is_ready(future: BoxFuture<'_, ()>) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::pin!(future).poll(&mut context).is_ready()
}

/// Starts and stops in each order (row R4); `answers` looks from outside.
#[cfg(any(feature = "http-01", feature = "tls-alpn-01"))]
pub(crate) async fn starts_and_stops<F>(
    responder: &dyn Responder,
    challenges: &[ChallengeContext],
    mut answers: impl FnMut(usize) -> F,
) where
    F: Future<Output = bool>,
{
    for (at, challenge) in challenges.iter().enumerate() {
        responder.stop(challenge).await.unwrap();
        assert!(!answers(at).await, "stopping what never started");
        responder.start(challenge).await.unwrap();
        assert!(!is_ready(responder.asked(challenge)));
        assert!(answers(at).await);
        assert!(is_ready(responder.asked(challenge)));
        responder.start(challenge).await.unwrap();
        assert!(answers(at).await, "starting twice");
    }
    for (at, challenge) in challenges.iter().enumerate() {
        assert!(answers(at).await, "the others are undisturbed");
        responder.stop(challenge).await.unwrap();
        assert!(!answers(at).await, "one stop undoes two starts");
        assert!(!is_ready(responder.asked(challenge)));
        responder.stop(challenge).await.unwrap();
        assert!(!answers(at).await, "stopping twice");
    }
}

#[derive(Debug)]
struct ByHand;

impl Responder for ByHand {
    fn challenge_type(&self) -> ChallengeType {
        ChallengeType::Other("dns-account-01".into())
    }

    fn start<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        let error = std::io::Error::other("the hook ended with 1");
        Box::pin(std::future::ready(Err(ResponderError::new(error))))
    }

    fn stop<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn asked<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn anyone_can_bring_a_responder() {
    // Rows R1, R2: behind a pointer it is the same responder.
    let all: [Box<dyn Responder>; 2] = [Box::new(ByHand), Box::new(Arc::new(ByHand))];
    let kind = ChallengeType::Other("dns-account-01".into());
    let challenge = challenge("example.com", kind, "abc").wildcard(true);
    assert!(challenge.is_wildcard());
    for responder in &all {
        assert_eq!(responder.challenge_type(), *challenge.challenge_type());
        let error = responder.start(&challenge).await.unwrap_err();
        assert_eq!(error.to_string(), "the responder failed");
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.to_string(), "the hook ended with 1");
        responder.stop(&challenge).await.unwrap();
        assert!(!is_ready(responder.asked(&challenge)));
    }
}

#[test]
fn nothing_secret_is_shown() {
    let challenge = challenge("example.com", ChallengeType::Http01, "VerySecretToken");
    assert!(!format!("{challenge:?}").contains("VerySecretToken"));
}
