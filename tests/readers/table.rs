//! What was checked, of whom, and what came of it.

use std::{error::Error, fmt};

/// What a check gives: nothing, or what was wrong.
pub(crate) type Checked<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// One row for each check; each is said as soon as it is known.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

#[derive(Debug)]
struct Row {
    reader: &'static str,
    check: String,
    result: Outcome,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Failed,
    Passed,
    Skipped,
}

impl Table {
    /// Takes note of a check; says whether it has passed.
    pub(crate) fn note(
        &mut self,
        reader: &'static str,
        check: impl Into<String>,
        result: Checked,
    ) -> bool {
        let check = check.into();
        let result = match result {
            Ok(()) => {
                println!("ok   {reader}: {check}");
                Outcome::Passed
            }
            Err(error) => {
                println!("FAIL {reader}: {check}: {error}");
                let mut cause = error.source();
                while let Some(error) = cause {
                    println!("     because: {error}");
                    cause = error.source();
                }
                Outcome::Failed
            }
        };
        let passed = result == Outcome::Passed;
        self.0.push(Row {
            reader,
            check,
            result,
        });
        passed
    }

    /// Takes note of a reader that is not at hand.
    pub(crate) fn skip(&mut self, reader: &'static str, variable: &str) {
        println!("SKIP {reader}: {variable} names no program");
        self.0.push(Row {
            reader,
            check: "everything".to_owned(),
            result: Outcome::Skipped,
        });
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.0.iter().any(|row| row.result == Outcome::Failed)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = |of: fn(&Row) -> usize| self.0.iter().map(of).max().unwrap_or(0);
        let reader = widest(|row| row.reader.len());
        let check = widest(|row| row.check.chars().count());
        writeln!(f, "{:reader$}  {:check$}  result", "reader", "check")?;
        let mut counts = [0; 3];
        for row in &self.0 {
            let (at, result) = match row.result {
                Outcome::Passed => (0, "passed"),
                Outcome::Failed => (1, "FAILED"),
                Outcome::Skipped => (2, "skipped"),
            };
            counts[at] += 1;
            writeln!(f, "{:reader$}  {:check$}  {result}", row.reader, row.check)?;
        }
        let [passed, failed, skipped] = counts;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}
