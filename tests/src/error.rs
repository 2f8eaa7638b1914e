//! What can go wrong in the harness itself.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the harness; a test returns it as it is.
///
/// Its `Debug` form, which a failing test prints, is meant to be read: one line, the causes, and
/// what the program in question had said.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A certificate could not be made.
    #[error("cannot make a certificate: {doing}")]
    Certificate {
        /// The step that failed.
        doing: &'static str,
        /// Why.
        source: Cause,
    },
    /// A program ended while something else was awaited of it.
    #[error("{program} ended ({how}) while {awaited} was awaited")]
    Ended {
        /// The program's name.
        program: String,
        /// Its exit status, where known.
        how: String,
        /// What was awaited.
        awaited: String,
        /// All that it said.
        log: String,
    },
    /// A request over HTTP failed or got an answer that is no use.
    #[error("cannot {method} {url}")]
    Http {
        /// The method.
        method: &'static str,
        /// The URL.
        url: String,
        /// Why.
        source: Cause,
    },
    /// The system refused something.
    #[error("cannot {doing}")]
    Io {
        /// What was attempted.
        doing: String,
        /// Why.
        source: io::Error,
    },
    /// A conformance run was asked for, but not all programs it needs are named.
    #[error(
        "{variable} is not set, and ACME_CONFORMANCE demands it; run `cargo xtask conformance`"
    )]
    Programs {
        /// The variable that names the program.
        variable: &'static str,
    },
    /// A port that was free is taken.
    #[error("{program} found a port taken that was free")]
    PortTaken {
        /// The program's name.
        program: String,
        /// All that it said.
        log: String,
    },
    /// Something took longer than it may.
    #[error("{awaited} did not come within {} s", .limit.as_secs_f32())]
    TooLong {
        /// What was awaited.
        awaited: String,
        /// For how long.
        limit: Duration,
        /// All that the program in question said.
        log: String,
    },
    /// A variable in the environment is not what it is to be.
    #[error("{name} cannot be used: {why}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What is wrong.
        why: &'static str,
    },
}

impl Error {
    pub(crate) fn variable(name: &'static str, why: &'static str) -> Self {
        Self::Variable { name, why }
    }

    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    pub(crate) fn file(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        Self::io(format!("{doing} {}", path.display()))
    }

    pub(crate) fn certificate<E: Into<Cause>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Certificate {
            doing,
            source: source.into(),
        }
    }

    pub(crate) fn http<E: Into<Cause>>(method: &'static str, url: &str) -> impl FnOnce(E) -> Self {
        let url = url.to_owned();
        move |source| Self::Http {
            method,
            url,
            source: source.into(),
        }
    }

    pub(crate) fn ended(program: &str, status: ExitStatus, awaited: &str, log: String) -> Self {
        Self::Ended {
            program: program.to_owned(),
            how: status.to_string(),
            awaited: awaited.to_owned(),
            log,
        }
    }

    /// What the program in question had said, empty where there is none.
    #[must_use]
    pub fn log(&self) -> &str {
        match self {
            Self::Ended { log, .. } | Self::PortTaken { log, .. } | Self::TooLong { log, .. } => {
                log
            }
            Self::Certificate { .. }
            | Self::Http { .. }
            | Self::Io { .. }
            | Self::Programs { .. }
            | Self::Variable { .. } => "",
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        for line in self.log().lines() {
            write!(f, "\n  | {line}")?;
        }
        Ok(())
    }
}
