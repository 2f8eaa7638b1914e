//! Every verb that a person or CI runs: `cargo xtask VERB`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal and for the log of CI"
)]

mod apt;
mod bench;
mod ci;
mod command;
mod conformance;
mod failure;
mod fuzz;
mod interop;
mod pebble;
mod platforms;
mod readers;
mod step;
mod test;
mod tidy;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::conformance::Named;
use crate::failure::Failure;
use crate::step::Outcome;

/// Every verb that a person or CI runs.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Builds and passes everything: unit, property and integration tests, doc examples, conformance.
    Test,
    /// Does all that CI does: format, lints, docs, each crate alone, `test`, `fuzz --smoke`, `tidy`,
    /// `cargo deny`.
    Ci,
    /// Checks what drifts: lints, files, tables, links, paths, and what each crate may depend on.
    Tidy,
    /// Runs the conformance tests against Pebble, which it finds or installs.
    Conformance(Named),
    /// Runs the parsers on inputs that are nearly right, or says how to do so for long.
    Fuzz(fuzz::Wanted),
    /// Measures what needs more than one program; benches of single crates are `cargo bench -p CRATE`.
    #[command(subcommand)]
    Bench(bench::Subject),
    /// Runs ACME clients of others (certbot, lego, uacme), found or installed, against `acme ca`.
    Interop(interop::Wanted),
    /// Finds or installs Pebble and pebble-challtestsrv, and prints where they are.
    Pebble,
    /// Lets programs of others (TxSNI, Twisted, HAProxy, txacme), found or installed, read the
    /// directory that our store writes.
    Readers(readers::Wanted),
}

fn main() -> ExitCode {
    match run(Arguments::parse().verb) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Skipped(what)) => {
            eprintln!("\n=== BUT NOT ALL OF IT RAN. Skipped:\n{what}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(verb: Verb) -> Result<Outcome, Failure> {
    let root = root();
    match verb {
        Verb::Test => test::run(&root),
        Verb::Ci => ci::run(&root),
        Verb::Tidy => tidy::run(&root),
        Verb::Conformance(named) => conformance::run(&root, &named),
        Verb::Fuzz(wanted) => fuzz::run(&root, &wanted),
        Verb::Bench(subject) => bench::run(&root, &subject),
        Verb::Interop(wanted) => interop::run(&root, &wanted),
        Verb::Pebble => pebble::run(&root),
        Verb::Readers(wanted) => readers::run(&root, &wanted),
    }
}

/// The repository's folder: the one above this package's.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Whether a continuous integration runs this: `CI` is set, not empty and not `false`.
fn in_ci() -> bool {
    says_ci(std::env::var("CI").ok().as_deref())
}

fn says_ci(value: Option<&str>) -> bool {
    value.is_some_and(|value| !value.is_empty() && !value.eq_ignore_ascii_case("false"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn ci_is_what_the_variable_says() {
        for (value, expected) in [
            (None, false),
            (Some(""), false),
            (Some("false"), false),
            (Some("true"), true),
            (Some("1"), true),
        ] {
            assert_eq!(says_ci(value), expected, "CI={value:?}");
        }
    }

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().join("crates").is_dir());
    }
}
