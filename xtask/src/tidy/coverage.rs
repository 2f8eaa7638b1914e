//! The tables of duties: the files and the tests they name are there.

use super::Finding;
use super::code::code_only;
use super::prose;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Where the tables are.
const PAGE: &str = "docs/rfc-coverage.md";

/// How the line begins that says which crate a section is about.
const SECTION: &str = "Files are those of ";

/// What a code span of a row stands for.
#[derive(Debug, PartialEq, Eq)]
enum Reference<'a> {
    /// A file of the section's crate, or one of another with that crate's folder before it.
    File(&'a str),
    /// A test by the name of its file and its own, perhaps with the folder of another crate.
    Test(Option<&'a str>, &'a str, &'a str),
}

impl<'a> Reference<'a> {
    fn parse(span: &'a str) -> Option<Self> {
        if span.ends_with(".rs") {
            return Some(Self::File(span));
        }
        let (rest, test) = span.rsplit_once("::")?;
        let (folder, file) = match rest.split_once("::") {
            Some((folder, file)) => (Some(folder), file),
            None => (None, rest),
        };
        let is_name = |text: &str, join: char| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == join)
        };
        let named = is_name(file, '_') && is_name(test, '_');
        (named && folder.is_none_or(|it| is_name(it, '-')))
            .then_some(Self::Test(folder, file, test))
    }
}

/// Each row of the tables names a file and a test, and all that the page names exists.
///
/// A section says first which crate it is about: `Files are those of`, and the crate's sources.
pub(super) fn names_exist(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    if !workspace.root.join(PAGE).exists() {
        return Ok(Vec::new());
    }
    let files = workspace.files("rs")?;
    let page = workspace.text(PAGE)?;
    let lines = prose::lines(&page);
    let mut findings = Vec::new();
    let mut section = None;
    for (at, line) in lines.iter().enumerate() {
        let mut find = |what: String, mend| {
            findings.push(Finding::new(format!("{PAGE}:{}", line.number), what, mend));
        };
        if line.text.starts_with("## ") {
            section = None;
        }
        if line.text.starts_with(SECTION) {
            section = line.spans.first().and_then(|it| crate_of(it));
        }
        let references: Vec<_> = line
            .spans
            .iter()
            .filter_map(|it| Reference::parse(it))
            .collect();
        let is_row = is_row(&lines, at);
        let Some(section) = section else {
            if is_row || !references.is_empty() {
                let mend = "say first which crate the section is about";
                find(
                    "it is open whose files and tests these are".to_owned(),
                    mend,
                );
            }
            continue;
        };
        let (mut placed, mut shown) = (false, false);
        for reference in references {
            match reference {
                Reference::File(name) => {
                    placed = true;
                    let paths = [
                        format!("crates/{section}/src/{name}"),
                        format!("crates/{name}"),
                    ];
                    if !files.iter().any(|it| paths.contains(it)) {
                        let what = format!("there is no file `{name}`");
                        find(what, "name the file as it is now");
                    }
                }
                Reference::Test(folder, file, test) => {
                    shown = true;
                    let folder = folder.unwrap_or(section);
                    if !has_test(workspace, &files, folder, file, test)? {
                        let what = format!("there is no test `{file}::{test}` of {folder}");
                        find(what, "name the test as it is now, or write it");
                    }
                }
            }
        }
        if is_row && !placed {
            let mend = "name the file where the duty is done";
            find("the row names no file".to_owned(), mend);
        }
        if is_row && !shown {
            let mend = "write the test, or move the duty to what is left";
            find("the row names no test".to_owned(), mend);
        }
    }
    Ok(findings)
}

/// The crate whose sources these are.
fn crate_of(sources: &str) -> Option<&str> {
    sources.strip_prefix("crates/")?.strip_suffix("/src/")
}

/// Whether a line is a row of a table, its head and the line below that apart.
fn is_row(lines: &[prose::Line], at: usize) -> bool {
    let is_table = |at: usize| lines.get(at).is_some_and(|it| it.text.starts_with('|'));
    let is_rule = |at: usize| lines.get(at).is_some_and(|it| it.text.starts_with("|---"));
    is_table(at) && !is_rule(at) && !is_rule(at + 1)
}

/// Whether a file of this name has a test of that one; tests that have outgrown their file are
/// known by its name too.
fn has_test(
    workspace: &Workspace,
    files: &[String],
    folder: &str,
    file: &str,
    test: &str,
) -> Result<bool, Failure> {
    let own = format!("crates/{folder}/");
    let names = [format!("/{file}.rs"), format!("/{file}/tests.rs")];
    let signature = format!("fn {test}(");
    let fits = |it: &&String| it.starts_with(&own) && names.iter().any(|name| it.ends_with(name));
    for path in files.iter().filter(fits) {
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
        let other = "#[test]\nfn elsewhere() {}\n";
        let (_folder, workspace) = workspace(&[
            ("docs/rfc-coverage.md", page),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\""),
            ("crates/a/src/ca/nonce.rs", ""),
            ("crates/a/src/pool/tests.rs", other),
            ("crates/a/tests/it/nonces.rs", tests),
            ("crates/b-c/Cargo.toml", "[package]\nname = \"b-c\""),
            ("crates/b-c/src/jws.rs", ""),
            ("crates/b-c/tests/it/jws.rs", other),
        ]);
        let found = names_exist(&workspace).unwrap();
        let found: Vec<_> = found.iter().map(|it| it.what.as_str()).collect();
        assert_eq!(found, expected, "{page}");
    }

    fn table(row: &str) -> String {
        format!(
            "## A\n\nFiles are those of `crates/a/src/`.\n\n\
             | duty | where | test |\n|---|---|---|\n{row}\n\nAnd on.\n"
        )
    }

    #[test]
    fn what_is_named_exists() {
        let good = "| one | `ca/nonce.rs` | `nonces::a_duty_is_done`, `nonces::another` |";
        check(&table(good), &[]);
        check(
            &table("| one | `ca/nonce.rs` | |"),
            &["the row names no test"],
        );
        check(
            &table("| one | | `nonces::another` |"),
            &["the row names no file"],
        );
        // A file is named from the crate's sources on: there may be two of its last name.
        for file in ["ca/nonces.rs", "nonce.rs", "jws.rs", "c/src/jws.rs"] {
            let missing = format!("there is no file `{file}`");
            check(
                &table(&format!("| one | `{file}` | `nonces::another` |")),
                &[&missing],
            );
        }
        for test in [
            "nonces::helper",
            "nonces::gone",
            "nonces::anoth",
            "once::another",
            "jws::elsewhere",
        ] {
            let missing = format!("there is no test `{test}` of a");
            check(
                &table(&format!("| one | `ca/nonce.rs` | `{test}` |")),
                &[&missing],
            );
        }
        check("`Style::Boulder` and `docs/x` are no tests.", &[]);
    }

    #[test]
    fn another_crate_is_named_with_its_folder() {
        check(
            &table("| one | `b-c/src/jws.rs` | `b-c::jws::elsewhere` |"),
            &[],
        );
        check(&table("| one | `ca/nonce.rs` | `pool::elsewhere` |"), &[]);
        check(
            &table("| one | `b-c/src/jws.rs` | `b-c::nonces::another` |"),
            &["there is no test `nonces::another` of b-c"],
        );
    }

    #[test]
    fn each_section_says_whose_files_are_meant() {
        let next = "\n## B\n\nSee `nonces::another`.\n";
        let good = table("| one | `ca/nonce.rs` | `nonces::another` |");
        let open = "it is open whose files and tests these are";
        check(&format!("{good}{next}"), &[open]);
        let row = "\n## B\n\n| duty | where | test |\n|---|---|---|\n| one | | |\n";
        check(&format!("{good}{row}"), &[open]);
    }

    #[test]
    fn no_page_is_no_finding() {
        let (_folder, workspace) = workspace(&[("README.md", "")]);
        assert!(names_exist(&workspace).unwrap().is_empty());
    }
}
