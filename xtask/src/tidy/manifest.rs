//! What manifests say and what stands beside them.

use toml::Value;

use super::Finding;
use crate::failure::Failure;
use crate::workspace::{Member, Workspace, lookup};

/// Files that every published crate has.
const FILES: &[&str] = &["README.md", "CHANGELOG.md", "tests/it/main.rs"];

/// Every member takes its lints from the one table.
pub(super) fn lints_inherited(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    Ok(workspace
        .members
        .iter()
        .filter(|member| {
            lookup(&member.manifest, &["lints", "workspace"]) != Some(&Value::Boolean(true))
        })
        .map(|member| {
            Finding::new(
                manifest(member),
                "the package does not inherit the lints",
                "add `[lints]` with `workspace = true`",
            )
        })
        .collect())
}

/// The one table forbids `unsafe`, which no attribute in code can take back.
pub(super) fn unsafe_forbidden(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let lint = lookup(
        &workspace.manifest,
        &["workspace", "lints", "rust", "unsafe_code"],
    );
    let level = lint.and_then(|lint| lint.as_str().or_else(|| lint.get("level")?.as_str()));
    Ok(if level == Some("forbid") {
        Vec::new()
    } else {
        vec![Finding::new(
            "Cargo.toml",
            "the lint table does not forbid unsafe code",
            "set `unsafe_code = \"forbid\"` in `[workspace.lints.rust]`",
        )]
    })
}

/// Every crate has its README, its changelog and its tests of public behaviour.
pub(super) fn files_present(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for member in workspace.crates() {
        for file in FILES {
            let file = format!("{}/{file}", member.folder);
            if !workspace.root.join(&file).is_file() {
                findings.push(Finding::new(
                    &file,
                    format!("{} has no such file", member.name),
                    "write it",
                ));
            }
        }
    }
    Ok(findings)
}

/// Every crate stands in the table of the README at the root.
pub(super) fn listed_in_readme(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mend = "add a row `| [acme-x](crates/acme-x) | one line | use it when |`";
    if !workspace.root.join("README.md").is_file() {
        return Ok(vec![Finding::new("README.md", "there is none", "write it")]);
    }
    let text = workspace.text("README.md")?;
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.trim_start().starts_with('|'))
        .collect();
    if rows.is_empty() {
        let what = "there is no table of crates, so no crate was looked for";
        return Ok(vec![Finding::new("README.md", what, mend)]);
    }
    Ok(workspace
        .crates()
        .filter(|member| !rows.iter().any(|row| names(row, &member.name)))
        .map(|member| {
            let what = format!("{} is not in the table of crates", member.name);
            Finding::new("README.md", what, mend)
        })
        .collect())
}

/// The hosted documentation is built with features that exist.
pub(super) fn docs_rs_features(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for member in &workspace.members {
        let keys = ["package", "metadata", "docs", "rs", "features"];
        let named = lookup(&member.manifest, &keys).and_then(Value::as_array);
        for feature in named.into_iter().flatten().filter_map(Value::as_str) {
            if !has_feature(member, feature) {
                findings.push(Finding::new(
                    manifest(member),
                    format!("docs.rs is told of the feature `{feature}`, which is absent"),
                    "name a feature that exists, or use `all-features = true`",
                ));
            }
        }
    }
    Ok(findings)
}

fn has_feature(member: &Member, feature: &str) -> bool {
    let declared = lookup(&member.manifest, &["features", feature]).is_some();
    // An optional dependency is a feature as long as no feature mentions it as `dep:`.
    let hidden = lookup(&member.manifest, &["features"])
        .is_some_and(|features| features.to_string().contains(&format!("\"dep:{feature}\"")));
    let optional = lookup(&member.manifest, &["dependencies", feature, "optional"])
        == Some(&Value::Boolean(true));
    declared || (optional && !hidden)
}

/// Whether a row has the name by itself: `acme-jose` is not in ``| `acme-jose-x` |``.
fn names(row: &str, name: &str) -> bool {
    row.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))
        .any(|word| word == name)
}

fn manifest(member: &Member) -> String {
    format!("{}/Cargo.toml", member.folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::workspace;

    const MANIFEST: &str = "[package]\nname = \"acme-a\"\n";

    #[track_caller]
    fn places(
        check: fn(&Workspace) -> Result<Vec<Finding>, Failure>,
        files: &[(&str, &str)],
    ) -> Vec<String> {
        let (_folder, workspace) = workspace(files);
        let findings = check(&workspace).unwrap();
        findings.into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn a_member_without_the_lints_is_found() {
        let good = format!("{MANIFEST}[lints]\nworkspace = true\n");
        let own = format!("{MANIFEST}[lints.rust]\nunsafe_code = \"allow\"\n");
        let found = places(
            lints_inherited,
            &[
                ("crates/a/Cargo.toml", &good),
                ("crates/b/Cargo.toml", MANIFEST),
                ("crates/c/Cargo.toml", &own),
            ],
        );
        assert_eq!(found, ["crates/b/Cargo.toml", "crates/c/Cargo.toml"]);
    }

    #[test]
    fn a_table_that_does_not_forbid_unsafe_is_found() {
        for (lint, count) in [
            ("unsafe_code = \"forbid\"", 0),
            ("unsafe_code = { level = \"forbid\" }", 0),
            ("unsafe_code = \"deny\"", 1),
            ("unused = \"warn\"", 1),
        ] {
            let root = format!("[workspace]\nmembers = []\n[workspace.lints.rust]\n{lint}");
            let found = places(unsafe_forbidden, &[("Cargo.toml", &root)]);
            assert_eq!(found.len(), count, "{lint}");
        }
    }

    #[test]
    fn a_missing_file_is_found() {
        let files = [
            ("crates/a/Cargo.toml", MANIFEST),
            ("crates/a/README.md", ""),
            ("crates/a/tests/it.rs", ""),
        ];
        assert_eq!(
            places(files_present, &files),
            ["crates/a/CHANGELOG.md", "crates/a/tests/it/main.rs"]
        );
    }

    #[test]
    fn a_crate_missing_in_the_table_is_found() {
        let count = |readme: &str| {
            places(
                listed_in_readme,
                &[
                    ("crates/acme-a/Cargo.toml", MANIFEST),
                    ("README.md", readme),
                ],
            )
            .len()
        };
        assert_eq!(count("| [`acme-a`](crates/acme-a) | x |"), 0);
        assert_eq!(count("| acme-ab | x |\nacme-a is not in a row"), 1);
        assert_eq!(count("no table at all: acme-a"), 1);
        assert_eq!(
            places(listed_in_readme, &[("crates/acme-a/Cargo.toml", MANIFEST)]),
            ["README.md"]
        );
    }

    #[test]
    fn an_absent_feature_for_the_hosted_documentation_is_found() {
        let count = |rest: &str| {
            let docs = "[package.metadata.docs.rs]\nfeatures = [\"ca\"]\n";
            let manifest = format!("{MANIFEST}{docs}{rest}");
            places(docs_rs_features, &[("crates/a/Cargo.toml", &manifest)]).len()
        };
        assert_eq!(count("[features]\nca = []"), 0);
        assert_eq!(count("[features]\nother = []"), 1);
        assert_eq!(
            count("[dependencies]\nca = { version = \"1\", optional = true }"),
            0
        );
        assert_eq!(
            count(
                "[features]\nx = [\"dep:ca\"]\n[dependencies]\nca = { version = \"1\", optional = true }"
            ),
            1
        );
    }
}
