//! Steps of a verb: each is announced, timed and named when it fails; the first failure ends the verb.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::command;
use crate::failure::Failure;

/// How a step or a verb ended when nothing was wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All of it was done.
    Done,
    /// It was left out, and why.
    Skipped(String),
}

/// One thing to do, under the name that a failure is reported by.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) work: Work,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Work {
    /// Runs cargo with these arguments and variables.
    Cargo {
        arguments: Vec<String>,
        variables: Vec<(&'static str, String)>,
    },
    /// Runs a verb of this program.
    Verb(fn(&Path) -> Result<Outcome, Failure>),
    /// Cannot be done here, and why.
    Impossible(String),
}

impl Step {
    /// A step that runs cargo; the arguments are separated by blanks.
    pub(crate) fn cargo(name: impl Into<String>, arguments: &str) -> Self {
        Self {
            name: name.into(),
            work: Work::Cargo {
                arguments: arguments.split_whitespace().map(str::to_owned).collect(),
                variables: Vec::new(),
            },
        }
    }

    /// A step that runs a verb of this program.
    pub(crate) fn verb(
        name: impl Into<String>,
        verb: fn(&Path) -> Result<Outcome, Failure>,
    ) -> Self {
        Self {
            name: name.into(),
            work: Work::Verb(verb),
        }
    }

    /// A step that is left out, and why.
    pub(crate) fn impossible(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            work: Work::Impossible(reason.into()),
        }
    }

    /// Sets a variable in the environment of the step's cargo; other steps have none.
    pub(crate) fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Work::Cargo { variables, .. } = &mut self.work {
            variables.push((name, value.into()));
        }
        self
    }

    /// What is announced behind the name.
    fn description(&self) -> String {
        match &self.work {
            Work::Cargo {
                arguments,
                variables,
            } => {
                let mut words: Vec<String> = variables
                    .iter()
                    .map(|(name, value)| format!("{name}='{value}'"))
                    .collect();
                words.push("cargo".to_owned());
                words.extend(arguments.iter().cloned());
                words.join(" ")
            }
            Work::Verb(_) => format!("cargo xtask {}", self.name),
            Work::Impossible(_) => "left out".to_owned(),
        }
    }

    fn run(&self, root: &Path) -> Result<Outcome, Failure> {
        match &self.work {
            Work::Cargo {
                arguments,
                variables,
            } => run_cargo(
                command::cargo(root)
                    .args(arguments)
                    .envs(variables.iter().map(|(name, value)| (name, value))),
            ),
            Work::Verb(verb) => verb(root),
            Work::Impossible(reason) => Ok(Outcome::Skipped(reason.clone())),
        }
    }
}

fn run_cargo(command: &mut Command) -> Result<Outcome, Failure> {
    let status = command
        .status()
        .map_err(|error| Failure::new(format!("cargo does not start: {error}")))?;
    if status.success() {
        Ok(Outcome::Done)
    } else {
        Err(Failure::new(format!("cargo ended with {status}")).with_exit_code(status.code()))
    }
}

/// Runs the steps in order up to the first that fails, and says at the end what was left out.
pub(crate) fn run_all(verb: &str, root: &Path, steps: &[Step]) -> Result<Outcome, Failure> {
    let root = PathBuf::from(root);
    let began = Instant::now();
    let mut skipped = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!(
            "\n=== {verb} {}/{} {}: {}",
            index + 1,
            steps.len(),
            step.name,
            step.description()
        );
        let step_began = Instant::now();
        let outcome = step.run(&root);
        let seconds = step_began.elapsed().as_secs_f32();
        match outcome {
            Ok(Outcome::Done) => println!("=== {} passed in {seconds:.1} s", step.name),
            Ok(Outcome::Skipped(reason)) => {
                println!("=== {} SKIPPED: {reason}", step.name);
                skipped.push(format!("{}: {reason}", step.name));
            }
            Err(failure) => {
                let code = i32::from(failure.exit_code());
                return Err(Failure::new(format!(
                    "{verb} stopped at step {}/{}, {}, after {seconds:.1} s: {failure}\n  {}",
                    index + 1,
                    steps.len(),
                    step.name,
                    step.description()
                ))
                .with_exit_code(Some(code)));
            }
        }
    }
    println!(
        "\n=== {verb} passed in {:.1} s",
        began.elapsed().as_secs_f32()
    );
    if skipped.is_empty() {
        Ok(Outcome::Done)
    } else {
        Ok(Outcome::Skipped(skipped.join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn the_first_failure_ends_the_verb_and_is_named() {
        static LATER: AtomicUsize = AtomicUsize::new(0);
        let steps = [
            Step::verb("good", |_| Ok(Outcome::Done)),
            Step::verb("bad", |_| {
                Err(Failure::new("it broke").with_exit_code(Some(7)))
            }),
            Step::verb("later", |_| {
                LATER.fetch_add(1, Ordering::SeqCst);
                Ok(Outcome::Done)
            }),
        ];
        let failure = run_all("ci", Path::new("."), &steps).unwrap_err();
        assert!(failure.to_string().contains("2/3, bad"), "{failure}");
        assert!(failure.to_string().contains("it broke"), "{failure}");
        assert_eq!(failure.exit_code(), 7);
        assert_eq!(LATER.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn what_was_left_out_is_said_at_the_end() {
        let steps = [
            Step::impossible("deny", "it is not installed"),
            Step::verb("good", |_| Ok(Outcome::Done)),
        ];
        assert_eq!(
            run_all("ci", Path::new("."), &steps).unwrap(),
            Outcome::Skipped("deny: it is not installed".to_owned())
        );
    }

    #[test]
    fn a_failing_cargo_fails_the_step() {
        let steps = [Step::cargo("odd", "no-such-subcommand-of-cargo")];
        let failure = run_all("ci", Path::new("."), &steps).unwrap_err();
        assert_eq!(failure.exit_code(), 101);
    }
}
