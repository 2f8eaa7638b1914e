//! What a crate must never depend on, however indirectly, by what `cargo tree` says.

mod invariant;

use std::fmt;

use super::Finding;

pub(super) use self::invariant::BOUNDARIES;

/// A crate and what must be absent beneath it.
#[derive(Debug)]
pub(super) struct Boundary {
    /// What the rule is called when it is reported.
    pub(super) rule: &'static str,
    krate: &'static str,
    /// With which features the crate is looked at.
    pub(super) features: &'static [Selection],
    reach: Reach,
    /// Names that may not appear; a trailing `*` stands for any ending.
    forbidden: &'static [&'static str],
    /// Crates that may appear, but not with this feature.
    forbidden_features: &'static [(&'static str, &'static str)],
}

/// A choice of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selection {
    Default,
    Every,
    None,
}

/// How far down a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Everything,
    DirectDependencies,
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default features",
            Self::Every => "all features",
            Self::None => "no features",
        })
    }
}

impl Boundary {
    /// How `cargo tree` is asked: normal edges, every platform, one package and its features a line.
    pub(super) fn tree_arguments(&self, selection: Selection) -> Vec<&'static str> {
        let mut arguments = vec![
            "tree",
            "--locked",
            "--target",
            "all",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}|{f}",
            "--package",
            self.krate,
        ];
        match selection {
            Selection::Default => {}
            Selection::Every => arguments.push("--all-features"),
            Selection::None => arguments.push("--no-default-features"),
        }
        if self.reach == Reach::DirectDependencies {
            arguments.extend(["--depth", "1"]);
        }
        arguments
    }

    /// What `tree`, the output of `cargo tree`, has that it may not have.
    pub(super) fn check(&self, selection: Selection, tree: &str) -> Vec<Finding> {
        let packages = packages(tree);
        if !packages.iter().any(|package| package.name == self.krate) {
            return vec![Finding::new(
                self.krate,
                "`cargo tree` does not name the crate itself, so nothing was checked",
                format!(
                    "look at `cargo {}`",
                    self.tree_arguments(selection).join(" ")
                ),
            )];
        }
        let mut findings = Vec::new();
        for package in packages.iter().filter(|package| package.name != self.krate) {
            if self
                .forbidden
                .iter()
                .any(|name| matches(name, package.name))
            {
                findings.push(self.finding(selection, package.name, package.name));
            }
            for (name, feature) in self.forbidden_features {
                if *name == package.name && package.features.contains(feature) {
                    let what = format!("{name} with its feature `{feature}`");
                    findings.push(self.finding(selection, name, &what));
                }
            }
        }
        findings
    }

    fn finding(&self, selection: Selection, name: &str, what: &str) -> Finding {
        let flags = match selection {
            Selection::Default => "",
            Selection::Every => " --all-features",
            Selection::None => " --no-default-features",
        };
        Finding::new(
            format!("crates/{}/Cargo.toml", self.krate),
            format!("{what} is beneath {}", self.krate),
            format!(
                "drop it or move the code up; `cargo tree -p {}{flags} -e normal -i {name}` shows the way to it",
                self.krate
            ),
        )
    }
}

/// A line of the tree.
#[derive(Debug)]
struct Package<'a> {
    name: &'a str,
    features: Vec<&'a str>,
}

/// Reads lines such as `hyper v1.12.0|client,http1 (*)`, once each.
fn packages(tree: &str) -> Vec<Package<'_>> {
    let mut lines: Vec<&str> = tree
        .lines()
        .map(|line| line.trim().trim_end_matches("(*)").trim_end())
        .filter(|line| !line.is_empty())
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines
        .into_iter()
        .filter_map(|line| {
            let (package, features) = line.split_once('|').unwrap_or((line, ""));
            Some(Package {
                name: package.split_whitespace().next()?,
                features: features.split(',').collect(),
            })
        })
        .collect()
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests;
