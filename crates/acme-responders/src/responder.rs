//! The trait behind which every way of answering a challenge lives.

use std::{fmt, sync::Arc};

use acme_messages::{ChallengeType, KeyAuthorization, ServerName, Token, jose::BoxFuture};

/// Answers challenges of one type ([RFC 8555, section 8](https://www.rfc-editor.org/rfc/rfc8555#section-8)).
///
/// The client calls [`start`](Self::start), tells the CA, waits, and calls
/// [`stop`](Self::stop) on every way out, its own cancellation included.
/// Many challenges may be under way at once.
///
/// A challenge without a token has no answer to put up: where its proof stands already, as with
/// [`DnsPersist01Responder`](crate::DnsPersist01Responder), the responder says that the type may
/// be taken, and is neither started nor stopped.
///
/// ```
/// use acme_responders::{BoxFuture, ChallengeContext, Responder, ResponderError};
/// use acme_messages::ChallengeType;
///
/// /// Prints what an operator is to do by hand.
/// #[derive(Debug)]
/// struct ByHand;
///
/// impl Responder for ByHand {
///     fn challenge_type(&self) -> ChallengeType {
///         ChallengeType::Dns01
///     }
///
///     fn start<'a>(&'a self, it: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
///         println!("_acme-challenge.{} TXT {}", it.name(), it.key_authorization().dns_txt_value());
///         Box::pin(std::future::ready(Ok(())))
///     }
///
///     fn stop<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, Result<(), ResponderError>> {
///         Box::pin(std::future::ready(Ok(())))
///     }
///
///     fn asked<'a>(&'a self, _: &'a ChallengeContext) -> BoxFuture<'a, ()> {
///         Box::pin(std::future::pending())
///     }
/// }
/// ```
#[doc(alias = "IResponder")]
pub trait Responder: fmt::Debug + Send + Sync + 'static {
    /// The type of the challenges it answers.
    fn challenge_type(&self) -> ChallengeType;

    /// Makes the answer reachable; done when it is.
    ///
    /// Starting what has started changes nothing.
    #[doc(alias = "start_responding")]
    fn start<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>>;

    /// Takes the answer away.
    ///
    /// Stopping what has not started, or has stopped, changes nothing.
    #[doc(alias = "stop_responding")]
    fn stop<'a>(
        &'a self,
        challenge: &'a ChallengeContext,
    ) -> BoxFuture<'a, Result<(), ResponderError>>;

    /// Completes once someone has asked for the answer and got it.
    ///
    /// A client need not look at the CA's side before ([RFC 8555, section 7.5.1]).
    /// A responder that cannot tell returns a future that never completes.
    ///
    /// [RFC 8555, section 7.5.1]: https://www.rfc-editor.org/rfc/rfc8555#section-7.5.1
    fn asked<'a>(&'a self, challenge: &'a ChallengeContext) -> BoxFuture<'a, ()>;
}

macro_rules! forward_responder {
    ($($pointer:ty),*) => {$(
        impl<T: Responder + ?Sized> Responder for $pointer {
            fn challenge_type(&self) -> ChallengeType {
                (**self).challenge_type()
            }

            fn start<'a>(
                &'a self,
                challenge: &'a ChallengeContext,
            ) -> BoxFuture<'a, Result<(), ResponderError>> {
                (**self).start(challenge)
            }

            fn stop<'a>(
                &'a self,
                challenge: &'a ChallengeContext,
            ) -> BoxFuture<'a, Result<(), ResponderError>> {
                (**self).stop(challenge)
            }

            fn asked<'a>(&'a self, challenge: &'a ChallengeContext) -> BoxFuture<'a, ()> {
                (**self).asked(challenge)
            }
        }
    )*};
}

forward_responder!(Arc<T>, Box<T>);

/// One challenge, with all that its answer is made of ([RFC 8555, section 8.1](https://www.rfc-editor.org/rfc/rfc8555#section-8.1)).
#[derive(Clone, Debug)]
pub struct ChallengeContext {
    name: ServerName,
    wildcard: bool,
    kind: ChallengeType,
    token: Token,
    key_authorization: KeyAuthorization,
}

impl ChallengeContext {
    /// Gathers what a responder needs.
    #[must_use]
    pub const fn new(
        name: ServerName,
        kind: ChallengeType,
        token: Token,
        key_authorization: KeyAuthorization,
    ) -> Self {
        Self {
            name,
            wildcard: false,
            kind,
            token,
            key_authorization,
        }
    }

    /// Says that the authorization is for the names one label below.
    #[must_use]
    pub const fn wildcard(mut self, wildcard: bool) -> Self {
        self.wildcard = wildcard;
        self
    }

    /// The authorization's name, without a `*.`.
    #[must_use]
    pub const fn name(&self) -> &ServerName {
        &self.name
    }

    /// Whether the authorization is for the names one label below.
    #[must_use]
    pub const fn is_wildcard(&self) -> bool {
        self.wildcard
    }

    /// The challenge's type.
    #[must_use]
    pub const fn challenge_type(&self) -> &ChallengeType {
        &self.kind
    }

    /// The challenge's token.
    #[must_use]
    pub const fn token(&self) -> &Token {
        &self.token
    }

    /// The key authorization.
    #[must_use]
    pub const fn key_authorization(&self) -> &KeyAuthorization {
        &self.key_authorization
    }
}

/// A responder could not start or stop.
#[derive(Debug, thiserror::Error)]
#[error("the responder failed")]
pub struct ResponderError {
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl ResponderError {
    /// Wraps the cause.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: cause.into(),
        }
    }
}
