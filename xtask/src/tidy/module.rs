//! Names of source files.

use super::Finding;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Names that say nothing about what a file holds.
const FORBIDDEN: &[&str] = &[
    "common", "helper", "helpers", "misc", "mod", "types", "util", "utils",
];

/// No file or folder of modules has a name that fits anything.
pub(super) fn names(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for file in workspace.files("rs")? {
        let name = file.rsplit('/').next().unwrap_or(&file);
        let stem = name.trim_end_matches(".rs");
        if stem == "mod" {
            findings.push(Finding::new(
                &file,
                "a `mod.rs`",
                "name the file as the module, beside its folder",
            ));
        } else if FORBIDDEN.contains(&stem) {
            findings.push(Finding::new(
                &file,
                format!("`{stem}` says nothing about what is in it"),
                "name it for the noun it holds",
            ));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::workspace;

    #[test]
    fn empty_names_are_found() {
        let (_folder, workspace) = workspace(&[
            ("crates/a/src/lib.rs", ""),
            ("crates/a/src/order.rs", ""),
            ("crates/a/src/order/mod.rs", ""),
            ("crates/a/src/utilities_of_the_land.rs", ""),
            ("crates/a/tests/it/common.rs", ""),
            ("xtask/src/util.rs", ""),
        ]);
        let places: Vec<_> = names(&workspace)
            .unwrap()
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(
            places,
            [
                "crates/a/src/order/mod.rs",
                "crates/a/tests/it/common.rs",
                "xtask/src/util.rs"
            ]
        );
    }
}
