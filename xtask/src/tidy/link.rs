//! Relative links in Markdown files.

use super::Finding;
use super::prose::{Line, lines};
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Every link to a file of the repository leads to one.
pub(super) fn relative_links(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for file in workspace.files("md")? {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        // A crate's README is the first page of its documentation: items may be linked there.
        let rustdoc = file.starts_with("crates/") && file.ends_with("/README.md");
        for Line { number, text, .. } in lines(&workspace.text(&file)?) {
            for target in targets(&text) {
                let Some(path) = local_path(target) else {
                    continue;
                };
                if rustdoc && is_item(path) {
                    continue;
                }
                let found = match path.strip_prefix('/') {
                    Some(from_root) => workspace.root.join(from_root).exists(),
                    None => workspace.root.join(folder).join(path).exists(),
                };
                if !found {
                    findings.push(Finding::new(
                        format!("{file}:{number}"),
                        format!("the link to `{target}` leads nowhere"),
                        "correct or drop it",
                    ));
                }
            }
        }
    }
    Ok(findings)
}

/// The targets of `[text](target)` and of `[label]: target` in a line.
fn targets(text: &str) -> Vec<&str> {
    let inline = text
        .match_indices("](")
        .filter_map(|(start, opening)| text.get(start + opening.len()..)?.split(')').next());
    let definition = text
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]: "))
        .filter(|(label, _)| !label.contains(']') && !label.starts_with('^'))
        .map(|(_, target)| target);
    inline
        .chain(definition)
        .filter_map(|target| target.split_whitespace().next())
        .map(|target| target.trim_start_matches('<').trim_end_matches('>'))
        .collect()
}

/// The path of a target within the repository, without its anchor.
fn local_path(target: &str) -> Option<&str> {
    let elsewhere = target.contains("://")
        || target.starts_with("mailto:")
        || target.starts_with("data:")
        || target.starts_with('#');
    if elsewhere {
        return None;
    }
    target
        .split(['#', '?'])
        .next()
        .filter(|path| !path.is_empty())
}

/// Whether this can name an item of Rust: `Order`, `crate::Order`, `struct@Order`, `Order::new()`.
fn is_item(path: &str) -> bool {
    // A target was cut at its first closing bracket, that of `Order::new()` included.
    path.trim_end_matches('(')
        .trim_end_matches('!')
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '@'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::workspace;

    #[track_caller]
    fn check(file: &str, text: &str, expected: usize) {
        let (_folder, workspace) = workspace(&[
            (file, text),
            ("docs/guide.md", ""),
            ("LICENSE-MIT", ""),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\""),
        ]);
        let findings = relative_links(&workspace).unwrap();
        assert_eq!(findings.len(), expected, "{text}: {findings:?}");
    }

    #[test]
    fn a_broken_link_is_found() {
        for text in [
            "see [it](docs/gide.md)",
            "see [a](docs/guide.md) and [b](nowhere.md)",
            "[it]: docs/none.md",
            "[it](docs/none.md#part \"title\")",
            "[crate](crates/b)",
            "[licence](LICENSE-APACHE)",
            "[root](/docs/none.md)",
            "[`x`](docs/none.md)",
        ] {
            check("README.md", text, 1);
        }
        check("docs/other.md", "[it](docs/guide.md)", 1);
    }

    #[test]
    fn a_good_link_is_not_found() {
        for text in [
            "[it](docs/guide.md#part), [folder](crates/a), [licence](LICENSE-MIT)",
            "[it](https://example.com/none), [mail](mailto:a@example.com), [part](#part)",
            "[it]: <docs/guide.md>",
            "```\n[it](none.md)\n```",
            "`[it](none.md)`",
            "[root](/docs/guide.md)",
        ] {
            check("README.md", text, 0);
        }
        check("docs/other.md", "[it](guide.md) [up](../LICENSE-MIT)", 0);
    }

    #[test]
    fn items_may_be_linked_in_the_readme_of_a_crate() {
        for text in [
            "[x](Order)",
            "[x](crate::order::Order::new())",
            "[x](struct@Order)",
        ] {
            check("crates/a/README.md", text, 0);
            check("docs/other.md", text, 1);
        }
        check("crates/a/README.md", "[x](../b/README.md)", 1);
    }
}
