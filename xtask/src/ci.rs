//! `cargo xtask ci`: what CI runs on a clean checkout and a person runs before a push.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::command::run_within;
use crate::failure::Failure;
use crate::step::{self, Outcome, Step};
use crate::workspace::Workspace;
use crate::{fuzz, interop, platforms, test, tidy};

/// How long `cargo deny --version` may take to answer.
const DENY_ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// Runs every step, up to the first that fails.
pub(crate) fn run(root: &Path) -> Result<Outcome, Failure> {
    let workspace = Workspace::read(root)?;
    let names: Vec<&str> = workspace.crates().map(|c| c.name.as_str()).collect();
    step::run_all("ci", root, &plan(&names, &Deny::look()))
}

/// The steps in order; tidy before deny, since it brings the sources of all platforms that deny reads.
fn plan(crates: &[&str], deny: &Deny) -> Vec<Step> {
    let mut steps = vec![
        Step::cargo("format", "fmt --all --check"),
        Step::cargo(
            "lints",
            "clippy --workspace --all-targets --all-features --locked -- -D warnings",
        ),
        Step::cargo(
            "documentation",
            "doc --workspace --no-deps --all-features --locked",
        )
        .variable("RUSTDOCFLAGS", "-D warnings"),
    ];
    for name in crates {
        for features in ["--no-default-features", "--all-features"] {
            steps.push(Step::cargo(
                format!("{name} alone, {features}"),
                &format!("check -p {name} {features} --locked"),
            ));
        }
    }
    steps.extend(platforms::steps());
    steps.extend(test::plan());
    steps.extend(fuzz::plan());
    steps.push(interop::step());
    steps.push(Step::verb("tidy", tidy::run));
    steps.push(deny.step());
    steps
}

/// What `cargo deny` can check here.
#[derive(Debug)]
enum Deny {
    /// It is not installed, and what was found instead.
    Absent(String),
    /// It is installed, with or without a database of advisories at hand.
    Installed { advisories: bool },
}

impl Deny {
    fn look() -> Self {
        let ran = run_within(
            DENY_ANSWERS_WITHIN,
            Command::new("cargo-deny").arg("--version"),
        );
        if ran.succeeded() {
            Self::Installed {
                advisories: advisories().is_some(),
            }
        } else {
            Self::Absent(ran.to_string())
        }
    }

    fn step(&self) -> Step {
        match self {
            Self::Absent(reason) => Step::impossible(
                "deny",
                format!("licences, bans and sources: cargo-deny: {reason}"),
            ),
            Self::Installed { advisories: true } => Step::cargo(
                "deny",
                "deny --offline --locked check advisories bans licenses sources",
            ),
            Self::Installed { advisories: false } => Step::cargo(
                "deny, without advisories for want of their database",
                "deny --offline --locked check bans licenses sources",
            ),
        }
    }
}

/// Where cargo-deny keeps the database of advisories, if it is there.
fn advisories() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let folder = home.join("advisory-dbs");
    let mut entries = std::fs::read_dir(&folder).ok()?;
    entries.any(|entry| entry.is_ok()).then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Work;

    fn arguments(step: &Step) -> String {
        match &step.work {
            Work::Cargo { arguments, .. } => arguments.join(" "),
            Work::Verb(_) | Work::Impossible(_) => String::new(),
        }
    }

    #[test]
    fn every_build_is_locked() {
        for step in plan(&["a"], &Deny::Installed { advisories: true }) {
            let arguments = arguments(&step);
            if !arguments.is_empty() && !arguments.starts_with("fmt") {
                assert!(arguments.contains("--locked"), "{arguments}");
            }
        }
    }

    #[test]
    fn each_crate_is_built_alone_and_twice() {
        let steps = plan(&["a", "b"], &Deny::Absent(String::new()));
        let all: Vec<String> = steps.iter().map(arguments).collect();
        for expected in [
            "check -p a --no-default-features --locked",
            "check -p a --all-features --locked",
            "check -p b --no-default-features --locked",
            "check -p b --all-features --locked",
        ] {
            assert!(all.iter().any(|one| one == expected), "{expected}");
        }
    }

    #[test]
    fn the_fuzz_targets_are_run() {
        let steps = plan(&[], &Deny::Absent(String::new()));
        assert!(steps.iter().any(|step| step.name == "fuzz --smoke"));
    }

    #[test]
    fn a_missing_deny_is_said_aloud() {
        let steps = plan(&[], &Deny::Absent("there is none".to_owned()));
        let Some(Step {
            work: Work::Impossible(reason),
            ..
        }) = steps.last()
        else {
            panic!("the last step is left out");
        };
        assert!(reason.contains("there is none"));
    }

    #[test]
    fn warnings_in_the_documentation_are_errors() {
        let steps = plan(&[], &Deny::Absent(String::new()));
        let documentation = steps.iter().find(|step| step.name == "documentation");
        let Some(Work::Cargo { variables, .. }) = documentation.map(|step| &step.work) else {
            panic!("the documentation is built by cargo");
        };
        assert_eq!(variables, &[("RUSTDOCFLAGS", "-D warnings".to_owned())]);
    }
}
