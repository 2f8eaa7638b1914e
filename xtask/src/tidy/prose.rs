//! What Markdown files say about the repository: paths and versions.

use super::Finding;
use crate::failure::Failure;
use crate::workspace::{Workspace, lookup};

/// How a path of the repository begins.
const FOLDERS: &[&str] = &[
    ".cargo/",
    ".ci/",
    ".github/",
    "crates/",
    "docs/",
    "examples/",
    "fuzz/",
    "src/",
    "tests/",
    "xtask/",
];

/// A line of a Markdown file that is prose, not an example.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: usize,
    /// The text with code spans blanked.
    pub(super) text: String,
    /// The contents of its code spans.
    pub(super) spans: Vec<String>,
}

/// The lines outside of fenced examples, code spans apart from the text.
pub(super) fn lines(markdown: &str) -> Vec<Line> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for (index, line) in markdown.lines().enumerate() {
        let trimmed = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|m| trimmed.starts_with(m));
        match (fence, marker) {
            (None, Some(marker)) => fence = Some(marker),
            (Some(open), Some(marker)) if open == marker => fence = None,
            (Some(_), _) => {}
            (None, None) => {
                // Odd pieces between backticks are spans; a lone backtick opens none.
                let pieces: Vec<&str> = line.split('`').collect();
                let closed = pieces.len() - (pieces.len() + 1) % 2;
                let mut text = String::new();
                let mut spans = Vec::new();
                for (position, piece) in pieces.iter().enumerate() {
                    if position % 2 == 1 && position < closed {
                        spans.push((*piece).to_owned());
                        text.push(' ');
                    } else {
                        text.push_str(piece);
                    }
                }
                lines.push(Line {
                    number: index + 1,
                    text,
                    spans,
                });
            }
        }
    }
    lines
}

/// A path in backticks that looks like one of the repository is one.
///
/// Changelogs are left out: they tell of the past.
pub(super) fn paths(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for file in workspace.files("md")? {
        if file.ends_with("CHANGELOG.md") {
            continue;
        }
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        for line in lines(&workspace.text(&file)?) {
            for path in line.spans.iter().filter_map(|span| repository_path(span)) {
                let root = &workspace.root;
                if !root.join(path).exists() && !root.join(folder).join(path).exists() {
                    findings.push(Finding::new(
                        format!("{file}:{}", line.number),
                        format!("`{path}` does not exist"),
                        "name the path as it is now",
                    ));
                }
            }
        }
    }
    Ok(findings)
}

/// The path in a code span, unless it is a pattern or a placeholder.
fn repository_path(span: &str) -> Option<&str> {
    let path = span.trim_start_matches("./");
    let is_pattern = path.contains(|c: char| {
        c.is_whitespace() || matches!(c, '*' | '<' | '>' | '{' | '}' | '$' | '…' | '[')
    }) || path.contains("NNNN");
    let begins = FOLDERS.iter().any(|folder| path.starts_with(folder));
    (begins && !is_pattern).then(|| path.split([':', '#']).next().unwrap_or(path))
}

/// A version in prose is the one in the manifests.
///
/// Looked at are `acme-x = "0.1"` and `acme-x = { version = "0.1", … }`, examples included,
/// and "Rust 1.89".
pub(super) fn versions(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let declared = |key| {
        lookup(&workspace.manifest, &["workspace", "package", key])
            .and_then(|value| value.as_str())
            .unwrap_or_default()
    };
    let (version, rust) = (declared("version"), declared("rust-version"));
    let mut findings = Vec::new();
    for file in workspace.files("md")? {
        if file.ends_with("CHANGELOG.md") {
            continue;
        }
        for (index, line) in workspace.text(&file)?.lines().enumerate() {
            let own = own_version(line).map(|said| (said, version));
            let minimum = rust_version(line).map(|said| (said, rust));
            for (said, is) in own.into_iter().chain(minimum) {
                if !is_beginning(said, is) {
                    findings.push(Finding::new(
                        format!("{file}:{}", index + 1),
                        format!("it says {said}, the manifest says {is}"),
                        "write the current one",
                    ));
                }
            }
        }
    }
    Ok(findings)
}

/// The version that a line of an example manifest gives to a crate of ours.
fn own_version(line: &str) -> Option<&str> {
    let (name, value) = line.trim_start().split_once(" = ")?;
    if !name.starts_with("acme-") || name.contains(char::is_whitespace) {
        return None;
    }
    let value = match value.strip_prefix('"') {
        Some(value) => value,
        None => value.split_once("version = \"")?.1,
    };
    value.split('"').next()
}

/// The version in "Rust 1.89".
fn rust_version(line: &str) -> Option<&str> {
    let rest = line.split_once("Rust 1.")?.1;
    let start = line.len() - rest.len() - "1.".len();
    let length = line
        .get(start..)?
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(line.len() - start);
    Some(line.get(start..start + length)?.trim_end_matches('.'))
}

/// Whether `said` is `is`, or its first parts.
fn is_beginning(said: &str, is: &str) -> bool {
    is.strip_prefix(said)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::workspace;

    #[test]
    fn examples_are_not_prose() {
        let text = "a `b` c\n```\n`d`\n```\n~~~\n```\n~~~\n`e` and ` alone\n";
        let spans: Vec<_> = lines(text)
            .into_iter()
            .map(|l| (l.number, l.spans))
            .collect();
        assert_eq!(
            spans,
            [(1, vec!["b".to_owned()]), (8, vec!["e".to_owned()])]
        );
    }

    #[track_caller]
    fn count_paths(text: &str) -> usize {
        let (_folder, workspace) = workspace(&[
            ("docs/x.md", text),
            ("docs/CHANGELOG.md", "`crates/gone/src/lib.rs`"),
            ("docs/src/near.md", ""),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\""),
        ]);
        paths(&workspace).unwrap().len()
    }

    #[test]
    fn a_path_that_does_not_exist_is_found() {
        for (text, expected) in [
            ("`crates/a/Cargo.toml` and `crates/a/`", 0),
            ("`crates/a/Cargo.toml:12`", 0),
            ("`crates/b/Cargo.toml`", 1),
            ("`.ci/run` and `xtask/src/main.rs`", 2),
            ("`src/near.md`", 0),
            (
                "`crates/acme-*/x`, `docs/decisions/NNNN-title.md`, `tests/<name>`",
                0,
            ),
            ("crates/b without backticks", 0),
            ("`application/json`", 0),
        ] {
            assert_eq!(count_paths(text), expected, "{text}");
        }
    }

    #[test]
    fn an_old_version_is_found() {
        for (text, expected) in [
            ("acme-jose = \"0.2\"", 0),
            ("acme-jose = \"0.2.1\"", 0),
            ("acme-jose = \"0.1\"", 1),
            ("acme-jose = { version = \"0.3\", features = [] }", 1),
            ("acme-jose = { path = \"x\" }", 0),
            ("serde = \"1\"", 0),
            ("any stable from Rust 1.89.", 0),
            ("any stable from Rust 1.8 on", 1),
            ("Rust 1.91 is needed", 1),
        ] {
            let root = "[workspace]\nmembers = []\n[workspace.package]\n\
                        version = \"0.2.1\"\nrust-version = \"1.89\"\n";
            let (_folder, workspace) = workspace(&[("Cargo.toml", root), ("README.md", text)]);
            assert_eq!(versions(&workspace).unwrap().len(), expected, "{text}");
        }
    }
}
