//! Why a verb ended badly, in one line for the person who ran it.

use std::fmt;

/// A message, and the code that the process ends with.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    exit_code: u8,
}

impl Failure {
    /// A failure with the usual exit code, 1.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit_code: 1,
        }
    }

    /// The same failure, ending the process with a child's exit code.
    pub(crate) fn with_exit_code(mut self, code: Option<i32>) -> Self {
        // A child that ended by a signal has no code; no failure may look like success.
        self.exit_code = code
            .and_then(|code| u8::try_from(code).ok())
            .filter(|code| *code != 0)
            .unwrap_or(1);
        self
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_never_ends_with_zero() {
        for (code, expected) in [(Some(101), 101), (Some(0), 1), (Some(-1), 1), (None, 1)] {
            assert_eq!(
                Failure::new("x").with_exit_code(code).exit_code(),
                expected,
                "{code:?}"
            );
        }
    }
}
