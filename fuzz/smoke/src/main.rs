//! Runs one fuzz target on stable Rust: its corpus, then mutations of it, the same ones each time.
//!
//! `acme-fuzz-smoke` alone names the targets, one a line.
//! `acme-fuzz-smoke TARGET CORPUS FAILURES RUNS SECONDS` runs one in a process of its own, so that
//! an input that ends the process, or never comes to an end, is still found: while an input runs,
//! it lies in `FAILURES/TARGET.running`.

mod mutation;
mod run;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use acme_fuzz_parsers::TARGETS;

use crate::run::{Bounds, Run};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        for (name, _) in TARGETS {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String, String> {
    let [name, corpus, failures, runs, seconds] = arguments else {
        return Err("usage: acme-fuzz-smoke [TARGET CORPUS FAILURES RUNS SECONDS]".to_owned());
    };
    let target = TARGETS
        .iter()
        .find(|(known, _)| known == name)
        .ok_or_else(|| format!("there is no target {name}"))?;
    let bounds = Bounds {
        mutations: number(runs)?,
        time: Duration::from_secs(number(seconds)?),
    };
    Run::new(*target, Path::new(failures))
        .all(Path::new(corpus), &bounds)
        .map(|report| format!("{name}: {report}"))
        .map_err(|failure| format!("{name}: {failure}"))
}

fn number(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|error| format!("{text} is no number: {error}"))
}
