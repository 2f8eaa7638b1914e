//! The programs that conformance tests need, and what happens without them.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::error::Error;

/// Pebble and its companion, as `cargo xtask conformance` names them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Programs {
    /// The ACME server, from the variable `PEBBLE`.
    pub pebble: PathBuf,
    /// The DNS server, from the variable `CHALLTESTSRV`.
    pub challtestsrv: PathBuf,
}

impl Programs {
    /// Two programs.
    #[must_use]
    pub fn new(pebble: impl Into<PathBuf>, challtestsrv: impl Into<PathBuf>) -> Self {
        Self {
            pebble: pebble.into(),
            challtestsrv: challtestsrv.into(),
        }
    }

    /// The programs that the environment names, or `None` after saying aloud that `test` is skipped.
    ///
    /// # Errors
    ///
    /// - [`Error::Programs`]: they are not named although `ACME_CONFORMANCE` is `1`, as it is when
    ///   `cargo xtask conformance` runs the test.
    pub fn or_skip(test: &str) -> Result<Option<Self>, Error> {
        let programs = Self::from_variables(|name| std::env::var_os(name))?;
        if programs.is_none() {
            skipped(
                test,
                "it needs PEBBLE and CHALLTESTSRV; run `cargo xtask conformance`",
            );
        }
        Ok(programs)
    }

    /// The programs by variables that `variable` looks up.
    ///
    /// # Errors
    ///
    /// - [`Error::Programs`]: one of them is not named although `ACME_CONFORMANCE` is `1`.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<Self>, Error> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let missing = match (set("PEBBLE"), set("CHALLTESTSRV")) {
            (Some(pebble), Some(challtestsrv)) => return Ok(Some(Self::new(pebble, challtestsrv))),
            (None, _) => "PEBBLE",
            (Some(_), None) => "CHALLTESTSRV",
        };
        if set("ACME_CONFORMANCE").is_some_and(|value| value == "1") {
            return Err(Error::Programs { variable: missing });
        }
        Ok(None)
    }
}

/// Says aloud that a test, or a part of it, is skipped and why.
///
/// It is seen even where cargo keeps the output of passing tests to itself.
pub fn skipped(test: &str, reason: &str) {
    // Straight to the stream: the test runner captures only what the macros print.
    // Where nobody can be told, there is nothing to be done about it either.
    let _ = writeln!(io::stderr(), "skipped: {test}: {reason}");
}
