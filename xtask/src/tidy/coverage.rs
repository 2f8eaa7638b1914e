//! The tables of duties: the files and the tests they name are there.

use super::Finding;
use super::code::code_only;
use super::prose;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Where the tables are.
const PAGE: &str = "docs/rfc-coverage.md";

/// What a code span of a row stands for.
#[derive(Debug, PartialEq, Eq)]
enum Reference<'a> {
    /// The end of a file's path.
    File(&'a str),
    /// A test by the name of its file and its own.
    Test(&'a str, &'a str),
}

impl<'a> Reference<'a> {
    fn parse(span: &'a str) -> Option<Self> {
        if span.ends_with(".rs") {
            return Some(Self::File(span));
        }
        let (file, test) = span.split_once("::")?;
        let is_name = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        (is_name(file) && is_name(test)).then_some(Self::Test(file, test))
    }
}

/// Each row of the tables names a test, and all that the page names exists.
pub(super) fn names_exist(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    if !workspace.root.join(PAGE).exists() {
        return Ok(Vec::new());
    }
    let files = workspace.files("rs")?;
    let page = workspace.text(PAGE)?;
    let lines = prose::lines(&page);
    let mut findings = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let mut find = |what: String, mend| {
            findings.push(Finding::new(format!("{PAGE}:{}", line.number), what, mend));
        };
        let mut shown = false;
        for reference in line.spans.iter().filter_map(|it| Reference::parse(it)) {
            match reference {
                Reference::File(name) => {
                    if !files.iter().any(|it| is_end(it, name)) {
                        let what = format!("there is no file `{name}`");
                        find(what, "name the file as it is now");
                    }
                }
                Reference::Test(file, test) => {
                    shown = true;
                    if !has_test(workspace, &files, file, test)? {
                        let what = format!("there is no test `{file}::{test}`");
                        find(what, "name the test as it is now, or write it");
                    }
                }
            }
        }
        if is_row(&lines, at) && !shown {
            let mend = "write the test, or move the duty to what is left";
            find("the row names no test".to_owned(), mend);
        }
    }
    Ok(findings)
}

/// Whether a line is a row of a table, its head and the line below that apart.
fn is_row(lines: &[prose::Line], at: usize) -> bool {
    let is_table = |at: usize| lines.get(at).is_some_and(|it| it.text.starts_with('|'));
    let is_rule = |at: usize| lines.get(at).is_some_and(|it| it.text.starts_with("|---"));
    is_table(at) && !is_rule(at) && !is_rule(at + 1)
}

fn is_end(path: &str, end: &str) -> bool {
    path.strip_suffix(end)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

/// Whether a file of this name has a test of that one.
fn has_test(
    workspace: &Workspace,
    files: &[String],
    file: &str,
    test: &str,
) -> Result<bool, Failure> {
    let name = format!("{file}.rs");
    let signature = format!("fn {test}(");
    for path in files.iter().filter(|it| is_end(it, &name)) {
        let code = code_only(&workspace.text(path)?);
        let mut attributed = false;
        for line in code.lines().map(str::trim) {
            if line.starts_with("#[test") || line.starts_with("#[tokio::test") {
                attributed = true;
            } else if line.contains("fn ") {
                if attributed && line.contains(&signature) {
                    return Ok(true);
                }
                attributed = false;
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::workspace;

    #[track_caller]
    fn check(page: &str, expected: &[&str]) {
        let tests = "#[tokio::test(flavor = \"multi_thread\")]\nasync fn a_duty_is_done() {}\n\
                     #[cfg(feature = \"x\")]\n#[test]\nfn another() {}\nfn helper() {}\n\
                     // #[test]\n// fn gone() {}\n";
        let (_folder, workspace) = workspace(&[
            ("docs/rfc-coverage.md", page),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\""),
            ("crates/a/src/ca/nonce.rs", ""),
            ("crates/a/tests/it/nonces.rs", tests),
        ]);
        let found = names_exist(&workspace).unwrap();
        let found: Vec<_> = found.iter().map(|it| it.what.as_str()).collect();
        assert_eq!(found, expected, "{page}");
    }

    #[test]
    fn what_is_named_exists() {
        let table =
            |row: &str| format!("| duty | where | test |\n|---|---|---|\n{row}\n\nAnd on.\n");
        let good = "| one | `ca/nonce.rs` | `nonces::a_duty_is_done`, `nonces::another` |";
        check(&table(good), &[]);
        check(&table("| one | `nonce.rs` | |"), &["the row names no test"]);
        check(
            &table("| one | `ca/nonces.rs` | `nonces::another` |"),
            &["there is no file `ca/nonces.rs`"],
        );
        for test in [
            "nonces::helper",
            "nonces::gone",
            "nonces::anoth",
            "once::another",
        ] {
            let missing = format!("there is no test `{test}`");
            check(&table(&format!("| one | | `{test}` |")), &[&missing]);
        }
        check("`Style::Boulder` and `docs/x` are no tests.", &[]);
    }

    #[test]
    fn no_page_is_no_finding() {
        let (_folder, workspace) = workspace(&[("README.md", "")]);
        assert!(names_exist(&workspace).unwrap().is_empty());
    }
}
