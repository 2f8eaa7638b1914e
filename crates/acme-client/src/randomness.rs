//! Where chance comes from: a trait, so that a test draws what it likes.

use std::fmt;

/// Draws the pauses before a request is sent again.
///
/// Nothing secret is made of it.
pub trait Randomness: fmt::Debug + Send + Sync + 'static {
    /// A number, all equally likely.
    fn draw(&self) -> u64;
}

/// The system's own randomness; where there is none, the largest number, which is the longest pause.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn draw(&self) -> u64 {
        getrandom::u64().unwrap_or(u64::MAX)
    }
}
