//! `cargo xtask pebble`: finds or installs Pebble, the ACME server that tests of clients run against.

mod container;
mod debian;
mod environment;
mod golang;
mod search_path;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::step::Outcome;

/// The release of Pebble that is installed where none is at hand.
pub(crate) const VERSION: &str = "2.10.1";

/// The two programs that a conformance run needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    pub(crate) pebble: PathBuf,
    pub(crate) challtestsrv: PathBuf,
}

/// Programs that can be run, and what they are known to lack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) programs: Programs,
    /// Features of the current release that this one is too old for.
    pub(crate) lacks: &'static [&'static str],
    /// What else a person should know: a version, an image.
    pub(crate) remark: String,
}

impl Found {
    pub(crate) fn new(programs: Programs) -> Self {
        Self {
            programs,
            lacks: &[],
            remark: String::new(),
        }
    }

    fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = remark.into();
        self
    }
}

/// A place that Pebble may come from.
trait Source {
    /// Where it looks, as in "pebble: taken from …".
    fn name(&self) -> String;

    /// The programs, or the reason why they cannot be had from here.
    fn look(&self) -> Result<Found, String>;
}

/// What a search came to: the sources passed over and why, and the one that was taken.
#[derive(Debug)]
struct Search {
    passed_over: Vec<(String, String)>,
    taken: Option<(String, Found)>,
}

/// Asks the sources in order, and no further than the first that has the programs.
fn search(sources: &[&dyn Source]) -> Search {
    let mut passed_over = Vec::new();
    for source in sources {
        match source.look() {
            Ok(found) => {
                return Search {
                    passed_over,
                    taken: Some((source.name(), found)),
                };
            }
            Err(reason) => passed_over.push((source.name(), reason)),
        }
    }
    Search {
        passed_over,
        taken: None,
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, reason) in &self.passed_over {
            writeln!(f, "pebble: not from {name}: {reason}")?;
        }
        match &self.taken {
            Some((name, found)) if found.remark.is_empty() => {
                write!(f, "pebble: taken from {name}")
            }
            Some((name, found)) => write!(f, "pebble: taken from {name}: {}", found.remark),
            None => write!(f, "pebble: cannot be had here"),
        }
    }
}

/// Finds or installs Pebble, says how, and on failure returns all the reasons.
pub(crate) fn find(root: &Path) -> Result<Found, String> {
    let tools = root.join("target").join("tools");
    let environment = environment::Environment::of_this_process();
    let container = container::Container::new(&tools);
    let golang = golang::GoInstall::new(&tools);
    let path = search_path::SearchPath::of_this_process();
    let debian = debian::Package::new();
    let search = search(&[&environment, &container, &golang, &path, &debian]);
    match search.taken {
        Some((_, ref found)) => {
            println!("{search}");
            Ok(found.clone())
        }
        None => Err(search.to_string()),
    }
}

/// Finds or installs the two programs and prints where they are.
pub(crate) fn run(root: &Path) -> Result<Outcome, Failure> {
    let found = find(root).map_err(Failure::new)?;
    println!("PEBBLE={}", found.programs.pebble.display());
    println!("CHALLTESTSRV={}", found.programs.challtestsrv.display());
    Ok(Outcome::Done)
}

impl Programs {
    /// Two files, provided that both can be executed; the paths become absolute.
    pub(crate) fn checked(pebble: &Path, challtestsrv: &Path) -> Result<Self, String> {
        Ok(Self {
            pebble: executable(pebble)?,
            challtestsrv: executable(challtestsrv)?,
        })
    }

    /// The two programs by their usual names, in one folder.
    fn in_folder(folder: &Path) -> Result<Self, String> {
        Self::checked(&folder.join("pebble"), &folder.join("pebble-challtestsrv"))
    }
}

pub(crate) fn executable(path: &Path) -> Result<PathBuf, String> {
    let shown = path.display();
    let path = std::path::absolute(path).map_err(|error| format!("{shown}: {error}"))?;
    let metadata = path
        .metadata()
        .map_err(|error| format!("{shown}: {error}"))?;
    if metadata.is_file() && may_be_executed(&metadata) {
        Ok(path)
    } else {
        Err(format!("{shown} is not an executable file"))
    }
}

#[cfg(unix)]
fn may_be_executed(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn may_be_executed(_: &std::fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests;
