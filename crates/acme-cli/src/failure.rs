//! How the program ends when it cannot do what it was asked: one line and a status.

use std::{error::Error, process::ExitCode};

/// One line for a person, and the exit status for a script.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    line: String,
}

impl Failure {
    /// A certificate could not be had.
    pub(crate) fn certificate(line: impl Into<String>) -> Self {
        Self::new(1, line)
    }

    /// Something that was configured cannot be.
    pub(crate) fn configuration(line: impl Into<String>) -> Self {
        Self::new(3, line)
    }

    /// The certificate directory cannot be used.
    pub(crate) fn store(line: impl Into<String>) -> Self {
        Self::new(4, line)
    }

    /// Trying again later may help.
    pub(crate) fn temporary(line: impl Into<String>) -> Self {
        Self::new(75, line)
    }

    fn new(status: u8, line: impl Into<String>) -> Self {
        Self {
            status,
            line: line.into(),
        }
    }

    /// Adds why: the error, and what caused it.
    pub(crate) fn because(mut self, error: &dyn Error) -> Self {
        self.line.push_str(&format!(": {}", chain(error)));
        self
    }

    /// Adds what to do.
    pub(crate) fn hint(mut self, hint: &str) -> Self {
        self.line.push_str(&format!("; {hint}"));
        self
    }

    /// Says it, and gives the status.
    pub(crate) fn report(self) -> ExitCode {
        eprintln!("acme: {}", self.line);
        ExitCode::from(self.status)
    }
}

/// An error and its causes on one line, none said twice.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Layer(&'static str, #[source] Option<Box<Self>>);

        let inner = Layer("connection refused", None);
        let again = Layer("connection refused", Some(inner.into()));
        let outer = Layer("no answer", Some(again.into()));
        assert_eq!(chain(&outer), "no answer: connection refused");
    }
}
