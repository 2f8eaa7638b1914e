//! http-01: a file at a known path over plain HTTP ([RFC 8555, section 8.3]).
//!
//! [RFC 8555, section 8.3]: https://www.rfc-editor.org/rfc/rfc8555#section-8.3

mod listener;
mod service;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use acme_messages::{ChallengeType, KeyAuthorization, Token, jose::BoxFuture};
use tokio::sync::watch;

use crate::{ChallengeContext, Responder, ResponderError};

pub use service::Http01Service;

/// The path under which the answers stand ([RFC 8555, section 8.3](https://www.rfc-editor.org/rfc/rfc8555#section-8.3)).
pub const CHALLENGE_PATH: &str = "/.well-known/acme-challenge/";

/// Answers http-01 challenges; clones share their answers ([RFC 8555, section 8.3](https://www.rfc-editor.org/rfc/rfc8555#section-8.3)).
///
/// Three ways to put it on port 80: [`serve`](Self::serve) a listener,
/// mount the tower [`service`](Self::service), or ask [`lookup`](Self::lookup)
/// from any other framework.
///
/// ```
/// use acme_messages::{ChallengeType, KeyAuthorization, Token, jose};
/// use acme_responders::{ChallengeContext, Http01Responder, Responder};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let key = jose::PrivateKey::generate(jose::KeyType::EcdsaP256)?;
/// let token = Token::parse("LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0")?;
/// let answer = KeyAuthorization::new(&token, &key.thumbprint());
/// let challenge = ChallengeContext::new(
///     "example.com".parse()?, ChallengeType::Http01, token, answer.clone());
///
/// let responder = Http01Responder::new();
/// let path = "/.well-known/acme-challenge/LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
/// assert_eq!(responder.lookup(path), None);
/// responder.start(&challenge).await?;
/// assert_eq!(responder.lookup(path).as_deref(), Some(answer.as_str()));
/// responder.stop(&challenge).await?;
/// assert_eq!(responder.lookup(path), None);
/// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "HTTP01Responder")]
#[derive(Clone, Default)]
pub struct Http01Responder {
    answers: Arc<RwLock<HashMap<Token, Answer>>>,
}

struct Answer {
    text: KeyAuthorization,
    asked: watch::Sender<bool>,
}

impl Http01Responder {
    /// A responder that answers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The body to send, with status 200, for a request path; `None` is a 404.
    ///
    /// Only the exact path of a challenge under way has an answer.
    #[must_use]
    pub fn lookup(&self, path: &str) -> Option<String> {
        let token = Token::parse(path.strip_prefix(CHALLENGE_PATH)?).ok()?;
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.get(&token)?;
        answer.asked.send_replace(true);
        Some(answer.text.as_str().to_owned())
    }
}

impl Responder for Http01Responder {
    fn challenge_type(&self) -> ChallengeType {
        ChallengeType::Http01
    }

    fn start<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        let text = challenge.key_authorization();
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        if answers
            .get(challenge.token())
            .is_none_or(|it| it.text != *text)
        {
            let answer = Answer {
                text: text.clone(),
                asked: watch::Sender::new(false),
            };
            answers.insert(challenge.token().clone(), answer);
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn stop<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>> {
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        answers.remove(challenge.token());
        Box::pin(std::future::ready(Ok(())))
    }

    fn asked<'a>(&'a self, challenge: &'a ChallengeContext) -> BoxFuture<'a, ()> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let asked = answers
            .get(challenge.token())
            .map(|it| it.asked.subscribe());
        crate::asked::wait(asked)
    }
}

impl fmt::Debug for Http01Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Http01Responder")
            .field("under_way", &answers.len())
            .finish()
    }
}
