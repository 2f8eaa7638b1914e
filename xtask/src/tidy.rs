//! `cargo xtask tidy`: what drifts apart when nobody looks.
//!
//! Each check is a function from what it reads to findings, so that its tests can break the rule.

mod boundary;
mod call;
mod code;
mod coverage;
mod link;
mod manifest;
mod module;
mod prose;
mod rust_version;

use std::fmt;
use std::path::Path;

use crate::command::cargo_output;
use crate::failure::Failure;
use crate::step::Outcome;
use crate::workspace::Workspace;

/// A rule that is broken somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, file and line, or crate.
    pub(crate) place: String,
    /// What is wrong there.
    pub(crate) what: String,
    /// What makes it right.
    pub(crate) mend: String,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
            mend: mend.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n    mend: {}", self.place, self.what, self.mend)
    }
}

/// A check that needs no more than the files of the workspace.
type Check = fn(&Workspace) -> Result<Vec<Finding>, Failure>;

/// The checks of files, each under the name of its rule.
const CHECKS: &[(&str, Check)] = &[
    ("members inherit the lints", manifest::lints_inherited),
    ("unsafe code is forbidden", manifest::unsafe_forbidden),
    ("crates have their files", manifest::files_present),
    (
        "docs.rs is told of real features",
        manifest::docs_rs_features,
    ),
    ("the README lists every crate", manifest::listed_in_readme),
    ("modules are named for what they hold", module::names),
    ("links in prose lead somewhere", link::relative_links),
    ("paths in prose exist", prose::paths),
    ("versions in prose are current", prose::versions),
    ("duties have their tests", coverage::names_exist),
    ("no unsafe", call::no_unsafe),
    ("no test is ignored", call::no_ignored_test),
    ("only the program prints", call::no_printing),
    (
        "nothing is installed process-wide",
        call::nothing_process_wide,
    ),
];

/// Runs all checks and prints every finding.
pub(crate) fn run(root: &Path) -> Result<Outcome, Failure> {
    let workspace = Workspace::read(root)?;
    let mut findings = 0;
    for (rule, check) in CHECKS {
        findings += report(rule, &check(&workspace)?);
    }

    let metadata = cargo_output(
        root,
        &[
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--all-features",
        ],
    )?;
    findings += report(
        "the minimum Rust version is true",
        &rust_version::covers_dependencies(&workspace, &metadata)?,
    );

    for boundary in boundary::BOUNDARIES {
        for selection in boundary.features {
            let tree = cargo_output(root, &boundary.tree_arguments(*selection))?;
            let rule = format!("{} with {selection}", boundary.rule);
            findings += report(&rule, &boundary.check(*selection, &tree));
        }
    }

    match findings {
        0 => Ok(Outcome::Done),
        1 => Err(Failure::new("tidy: one finding, above")),
        _ => Err(Failure::new(format!("tidy: {findings} findings, above"))),
    }
}

fn report(rule: &str, findings: &[Finding]) -> usize {
    let mark = if findings.is_empty() { "ok  " } else { "FAIL" };
    println!("{mark} {rule}");
    for finding in findings {
        println!("  {finding}");
    }
    findings.len()
}
