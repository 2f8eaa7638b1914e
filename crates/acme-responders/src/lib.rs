#![doc = include_str!("../README.md")]

mod responder;

pub use acme_messages as messages;
pub use acme_messages::jose::BoxFuture;
pub use responder::{ChallengeContext, Responder, ResponderError};
