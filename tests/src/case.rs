//! One case of a conformance run: it tells how it ended, for the table at the end of the run.

use std::fs::OpenOptions;
use std::io::Write;

use crate::error::Error;
use crate::pebble::{Pebble, PebbleBuilder, Programs, skipped};

/// The variable that names the file which cases tell their ends; each is a line of result, name
/// and reason, with tabs between.
const TABLE: &str = "ACME_CONFORMANCE_TABLE";

/// A case that has begun; dropped before it has [passed](Self::passed), it has failed.
///
/// ```no_run
/// use acme_tests::{Case, Error};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let Some(case) = Case::begin("a name is issued")? else {
///     return Ok(());
/// };
/// let pebble = case.pebble().start().await?;
/// // ...
/// pebble.stop().await?;
/// case.passed();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Case {
    name: &'static str,
    programs: Programs,
    over: bool,
}

impl Case {
    /// Begins a case, or says aloud that it is skipped: where there is no Pebble.
    ///
    /// # Errors
    ///
    /// - [`Error::Programs`]: as [`Programs::or_skip`].
    pub fn begin(name: &'static str) -> Result<Option<Self>, Error> {
        let programs = Programs::or_skip(name)?;
        if programs.is_none() {
            record("skipped", name, "there is no Pebble");
        }
        Ok(programs.map(|programs| Self {
            name,
            programs,
            over: false,
        }))
    }

    /// A Pebble to run the case against.
    #[must_use]
    pub fn pebble(&self) -> PebbleBuilder {
        Pebble::builder(self.programs.clone())
    }

    /// The case is over, and all was well.
    pub fn passed(self) {
        self.passed_with("");
    }

    /// As [`passed`](Self::passed), with what a reader should know.
    pub fn passed_with(mut self, remark: &str) {
        self.over = true;
        record("passed", self.name, remark);
    }

    /// The case cannot be run here, which is said aloud.
    pub fn skipped(mut self, reason: &str) {
        self.over = true;
        skipped(self.name, reason);
        record("skipped", self.name, reason);
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        if !self.over {
            record("FAILED", self.name, "");
        }
    }
}

fn record(result: &str, name: &str, reason: &str) {
    let Some(path) = std::env::var_os(TABLE) else {
        return;
    };
    // Cases run side by side: a line is one write to the end of the file. One that cannot be
    // written is missed in the table; the test itself still tells.
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path) {
        let _ = file.write_all(format!("{result}\t{name}\t{reason}\n").as_bytes());
    }
}
