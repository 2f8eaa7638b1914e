//! What the checks have found.

use std::{fmt, time::Duration};

/// What a store was seen to do, check by check; printed, a table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The store's name.
    pub store: String,
    /// The checks, in the order they were made.
    pub checks: Vec<CheckReport>,
}

/// One check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CheckReport {
    /// Its id: a letter for the subject and a number.
    pub id: &'static str,
    /// What is asked.
    pub title: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The store did something else.
    Failed {
        /// What it did.
        reason: String,
    },
    /// The store does what is asked.
    Passed,
    /// It could not be seen.
    Skipped {
        /// What for.
        reason: String,
    },
}

impl Report {
    /// Whether checks were made, and none has failed. Skipped ones count for neither
    /// side; ids that no check has give a report of nothing, which is not conformant.
    #[must_use]
    pub fn is_conformant(&self) -> bool {
        !self.checks.is_empty() && self.failed().next().is_none()
    }

    /// The checks that have failed.
    pub fn failed(&self) -> impl Iterator<Item = &CheckReport> {
        let failed = |it: &&CheckReport| matches!(it.outcome, Outcome::Failed { .. });
        self.checks.iter().filter(failed)
    }

    /// The checks that have passed.
    pub fn passed(&self) -> impl Iterator<Item = &CheckReport> {
        self.checks
            .iter()
            .filter(|it| it.outcome == Outcome::Passed)
    }

    /// The checks that were not made.
    pub fn skipped(&self) -> impl Iterator<Item = &CheckReport> {
        let skipped = |it: &&CheckReport| matches!(it.outcome, Outcome::Skipped { .. });
        self.checks.iter().filter(skipped)
    }

    /// What came of the check with this id, if it was made.
    #[must_use]
    pub fn outcome(&self, id: &str) -> Option<&Outcome> {
        let check = self.checks.iter().find(|it| it.id == id);
        check.map(|it| &it.outcome)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = [
            self.passed().count(),
            self.failed().count(),
            self.skipped().count(),
        ];
        let [passed, failed, skipped] = count;
        writeln!(
            f,
            "{}: {passed} passed, {failed} failed, {skipped} skipped",
            self.store
        )?;
        for check in &self.checks {
            let (word, reason) = match &check.outcome {
                Outcome::Passed => ("passed", None),
                Outcome::Failed { reason } => ("FAILED", Some(reason)),
                Outcome::Skipped { reason } => ("skipped", Some(reason)),
            };
            let (id, title, took) = (check.id, check.title, check.took.as_secs_f32());
            write!(f, "{word:7} {id:10} {took:6.2} s  {title}")?;
            match reason {
                Some(reason) => writeln!(f, ": {reason}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
