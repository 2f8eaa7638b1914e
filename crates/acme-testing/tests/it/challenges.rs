//! Challenges to start responders with.

use acme_testing::{
    messages::{
        ChallengeType, KeyAuthorization, Token,
        jose::{KeyType, PrivateKey},
    },
    responders::ChallengeContext,
};

/// An http-01 challenge for `example.com` with this token.
pub(crate) fn challenge(token: &str) -> ChallengeContext {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let token = Token::parse(token).unwrap();
    let proof = KeyAuthorization::new(&token, &key.thumbprint());
    let name = "example.com".parse().unwrap();
    ChallengeContext::new(name, ChallengeType::Http01, token, proof)
}
