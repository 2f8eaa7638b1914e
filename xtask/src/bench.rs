//! `cargo xtask bench`: measurements that need more than one program.

mod client;

use std::path::Path;
use std::process::Command;

use clap::Subcommand;

use crate::command::{acme_program, cargo};
use crate::failure::Failure;
use crate::pebble;
use crate::step::Outcome;

/// What is to be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Subject {
    /// Starting a CA and getting the first certificate: our CA and Pebble, side by side.
    Ca,
    /// The same issuances through acme-client and through instant-acme, at our CA and at Pebble.
    Client(client::Wanted),
}

/// Builds all in release and measures.
pub(crate) fn run(root: &Path, subject: &Subject) -> Result<Outcome, Failure> {
    match subject {
        Subject::Ca => ca(root),
        Subject::Client(wanted) => client::run(root, wanted),
    }
}

fn ca(root: &Path) -> Result<Outcome, Failure> {
    let acme = acme_program(root, &["--release"])?;
    let mut bench = cargo(root);
    bench
        .args("bench -p acme-tests --locked --bench ca".split(' '))
        .env("ACME_PROGRAM", acme);
    with_pebble(root, &mut bench)
}

/// Runs a measurement that is told where Pebble is, or goes without it.
fn with_pebble(root: &Path, bench: &mut Command) -> Result<Outcome, Failure> {
    bench.env_remove("PEBBLE").env_remove("CHALLTESTSRV");
    let lacking = match pebble::find(root) {
        Ok(found) => {
            bench
                .env("PEBBLE", found.programs.pebble)
                .env("CHALLTESTSRV", found.programs.challtestsrv);
            None
        }
        Err(reason) => Some(reason),
    };
    let status = bench
        .status()
        .map_err(|error| Failure::new(format!("cargo does not start: {error}")))?;
    match (status.success(), lacking) {
        (true, None) => Ok(Outcome::Done),
        (true, Some(reason)) => Ok(Outcome::Skipped(format!("Pebble's figures: {reason}"))),
        (false, _) => {
            let failure = Failure::new(format!("the measurement ended with {status}"));
            Err(failure.with_exit_code(status.code()))
        }
    }
}
