//! `cargo xtask conformance`: the tests against a real Pebble.

mod table;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;
use crate::pebble::{self, Found, Programs};
use crate::step::Outcome;
use crate::{command, in_ci};
use table::Table;

/// Programs named on the command line.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The `pebble` to test against, instead of one found or installed.
    #[arg(long, value_name = "PATH", requires = "challtestsrv")]
    pebble: Option<PathBuf>,
    /// The `pebble-challtestsrv` that goes with it.
    #[arg(long, value_name = "PATH", requires = "pebble")]
    challtestsrv: Option<PathBuf>,
}

/// Runs the conformance tests; that Pebble cannot be had is a failure.
pub(crate) fn run(root: &Path, named: &Named) -> Result<Outcome, Failure> {
    let found = match (&named.pebble, &named.challtestsrv) {
        (Some(pebble), Some(challtestsrv)) => {
            let programs = Programs::checked(pebble, challtestsrv).map_err(Failure::new)?;
            println!("pebble: taken from the command line");
            Found::new(programs)
        }
        _ => pebble::find(root).map_err(Failure::new)?,
    };
    run_with(root, &found)
}

/// Runs the conformance tests; where Pebble cannot be had, it says so, and fails only in CI.
pub(crate) fn run_if_possible(root: &Path) -> Result<Outcome, Failure> {
    match pebble::find(root) {
        Ok(found) => run_with(root, &found),
        Err(reason) => without_pebble(reason, in_ci()),
    }
}

fn without_pebble(reason: String, in_ci: bool) -> Result<Outcome, Failure> {
    if in_ci {
        return Err(Failure::new(format!("{reason}\nCI skips no test")));
    }
    Ok(Outcome::Skipped(format!(
        "the tests against a real ACME server did not run: {reason}"
    )))
}

fn run_with(root: &Path, found: &Found) -> Result<Outcome, Failure> {
    for lack in found.lacks {
        println!("skipped: this Pebble has no {lack}; what needs it is not tested");
    }
    let path = root.join("target").join("conformance.tsv");
    let _ = std::fs::remove_file(&path); // There is none the first time.
    let status = command::cargo(root)
        .args("test -p acme-tests --all-features --locked --test conformance".split(' '))
        .args(["--", "--nocapture"])
        .env("PEBBLE", &found.programs.pebble)
        .env("CHALLTESTSRV", &found.programs.challtestsrv)
        .env("ACME_CONFORMANCE", "1")
        .env("ACME_CONFORMANCE_TABLE", &path)
        .status()
        .map_err(|error| Failure::new(format!("cargo does not start: {error}")))?;
    let told = std::fs::read_to_string(&path).unwrap_or_default();
    let table = Table::parse(&told);
    println!("\n{table}");
    if !status.success() {
        return Err(
            Failure::new(format!("the conformance tests ended with {status}"))
                .with_exit_code(status.code()),
        );
    }
    match table.failed() {
        0 => Ok(Outcome::Done),
        count => Err(Failure::new(format!("{count} conformance cases failed"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_pebble_ci_fails_and_a_person_is_told() {
        let outcome = without_pebble("no Pebble".to_owned(), false).unwrap();
        assert!(matches!(outcome, Outcome::Skipped(reason) if reason.contains("no Pebble")));

        let failure = without_pebble("no Pebble".to_owned(), true).unwrap_err();
        assert!(failure.to_string().contains("no Pebble"));
        assert_ne!(failure.exit_code(), 0);
    }

    #[test]
    fn a_named_program_that_is_not_there_is_a_failure() {
        let named = Named {
            pebble: Some("/nowhere/pebble".into()),
            challtestsrv: Some("/nowhere/pebble-challtestsrv".into()),
        };
        let failure = run(Path::new("."), &named).unwrap_err();
        assert!(failure.to_string().contains("/nowhere/pebble"), "{failure}");
    }
}
