//! `cargo xtask readers`: programs of others read the directory that our store writes.

mod haproxy;
mod venv;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;
use crate::step::Outcome;
use crate::{command, in_ci};
use venv::Venv;

/// What of it is wanted.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// Install nothing; what is not here is left out, and in CI a failure.
    #[arg(long)]
    no_install: bool,
}

/// A program, by the variable that the tests know it by, or the reason why it cannot be had.
#[derive(Debug)]
struct Program {
    name: &'static str,
    variable: &'static str,
    found: Result<PathBuf, String>,
}

/// Finds or installs the readers and runs the tests with those that can be had.
pub(crate) fn run(root: &Path, wanted: &Wanted) -> Result<Outcome, Failure> {
    let programs = find(root, wanted);
    for program in &programs {
        match &program.found {
            Ok(path) => println!("readers: {}: {}", program.name, path.display()),
            Err(reason) => println!("readers: {} CANNOT BE HAD: {reason}", program.name),
        }
    }
    let lacking = lacking(&programs);
    if in_ci() && !lacking.is_empty() {
        return Err(Failure::new(format!("{lacking}\nCI skips no test")));
    }
    run_with(root, &programs)?;
    if lacking.is_empty() {
        return Ok(Outcome::Done);
    }
    Ok(Outcome::Skipped(lacking))
}

fn find(root: &Path, wanted: &Wanted) -> [Program; 3] {
    let tools = root.join("target").join("tools");
    let requirements = root.join("tests").join("readers").join("python");
    let install = !wanted.no_install;
    let venv = |name: &str| {
        Venv {
            python: "python3".into(),
            folder: tools.join(format!("{name}-venv")),
            requirements: requirements.join(format!("{name}.txt")),
        }
        .find(install)
    };
    [
        Program {
            name: "HAProxy",
            variable: "HAPROXY",
            found: haproxy::find(install),
        },
        Program {
            name: "TxSNI and Twisted",
            variable: "READERS_PYTHON",
            found: venv("readers"),
        },
        Program {
            name: "txacme",
            variable: "TXACME_PYTHON",
            found: venv("txacme"),
        },
    ]
}

/// What cannot be had, and why; empty when there is nothing of that kind.
fn lacking(programs: &[Program]) -> String {
    let lacking: Vec<String> = programs
        .iter()
        .filter_map(|it| Some((it.name, it.found.as_ref().err()?)))
        .map(|(name, reason)| format!("{name} did not read our directory: {reason}"))
        .collect();
    lacking.join("\n")
}

fn run_with(root: &Path, programs: &[Program]) -> Result<(), Failure> {
    let mut command = command::cargo(root);
    command
        .args("test -p acme-tests --all-features --locked --test readers".split(' '))
        .env("ACME_READERS", "1");
    for program in programs {
        match &program.found {
            Ok(path) => command.env(program.variable, path),
            Err(_) => command.env_remove(program.variable),
        };
    }
    let status = command
        .status()
        .map_err(|error| Failure::new(format!("cargo does not start: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(
        Failure::new(format!("the readers' tests ended with {status}"))
            .with_exit_code(status.code()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_named_with_its_reason() {
        let program = |name, found| Program {
            name,
            variable: "X",
            found,
        };
        let there = program("one", Ok("/bin/sh".into()));
        let away = program("other", Err("no network".to_owned()));
        assert_eq!(lacking(&[there]), "");
        let lacking = lacking(&[program("one", Ok("/bin/sh".into())), away]);
        assert!(lacking.contains("other") && lacking.contains("no network"));
        assert!(!lacking.contains("one did"));
    }

    #[test]
    fn every_reader_has_its_list_of_packages() {
        let root = crate::root();
        for name in ["readers", "txacme"] {
            let list = root.join(format!("tests/readers/python/{name}.txt"));
            let list = std::fs::read_to_string(list).unwrap();
            assert!(list.lines().all(|line| line.contains("==")), "{list}");
        }
    }
}
