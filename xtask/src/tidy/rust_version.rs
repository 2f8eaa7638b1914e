//! The oldest Rust that the workspace promises to build with.

use serde::Deserialize;

use super::Finding;
use crate::failure::Failure;
use crate::workspace::{Workspace, lookup};

/// The part of `cargo metadata` that is read here.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    rust_version: Option<String>,
    source: Option<String>,
}

/// The declared version is no older than what any locked dependency needs.
pub(super) fn covers_dependencies(
    workspace: &Workspace,
    metadata: &str,
) -> Result<Vec<Finding>, Failure> {
    let declared = lookup(
        &workspace.manifest,
        &["workspace", "package", "rust-version"],
    )
    .and_then(|value| value.as_str());
    let Some(declared) = declared else {
        return Ok(vec![Finding::new(
            "Cargo.toml",
            "`workspace.package.rust-version` is not declared",
            "declare the oldest Rust that is supported",
        )]);
    };
    let metadata: Metadata = serde_json::from_str(metadata)
        .map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
    Ok(metadata
        .packages
        .iter()
        .filter(|package| package.source.is_some())
        .filter_map(|package| {
            let needed = package.rust_version.as_deref()?;
            (parts(needed) > parts(declared)).then(|| {
                Finding::new(
                    "Cargo.toml",
                    format!(
                        "{} {} needs Rust {needed}, and {declared} is declared",
                        package.name, package.version
                    ),
                    format!(
                        "declare rust-version {needed}, or lock an older {}",
                        package.name
                    ),
                )
            })
        })
        .collect())
}

/// `1.89` as `[1, 89, 0]`.
fn parts(version: &str) -> [u32; 3] {
    let mut parts = [0; 3];
    for (part, text) in parts.iter_mut().zip(version.split('.')) {
        *part = text.parse().unwrap_or(u32::MAX);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::workspace;

    #[track_caller]
    fn count(declared: &str, needed: &str) -> usize {
        let root = format!("[workspace]\nmembers = []\n[workspace.package]\n{declared}\n");
        let (_folder, workspace) = workspace(&[("Cargo.toml", &root)]);
        let metadata = format!(
            r#"{{"packages": [
                {{"name": "x", "version": "1.0.0", "rust_version": {needed}, "source": "registry"}},
                {{"name": "own", "version": "1.0.0", "rust_version": "1.99", "source": null}}
            ]}}"#
        );
        covers_dependencies(&workspace, &metadata).unwrap().len()
    }

    #[test]
    fn a_dependency_that_needs_more_is_found() {
        let declared = "rust-version = \"1.89\"";
        for (needed, expected) in [
            ("\"1.88\"", 0),
            ("\"1.89\"", 0),
            ("\"1.89.0\"", 0),
            ("\"1.9\"", 0),
            ("null", 0),
            ("\"1.90\"", 1),
            ("\"1.89.1\"", 1),
            ("\"2.0\"", 1),
        ] {
            assert_eq!(count(declared, needed), expected, "{needed}");
        }
        assert_eq!(count("version = \"1.0.0\"", "null"), 1);
    }
}
