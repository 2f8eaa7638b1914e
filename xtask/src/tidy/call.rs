//! Words and calls that source files may not contain.

use super::Finding;
use super::code::{code_only, has_word, without_tests};
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Macros that write to the terminal.
const PRINTING: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "dbg!"];

/// The one crate that is a program and may print.
const PROGRAM: &str = "crates/acme-cli/";

/// No file has `unsafe` in it.
pub(super) fn no_unsafe(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    each_line(workspace, "", |place, line| {
        has_word(line, "unsafe").then(|| {
            Finding::new(
                place,
                "unsafe code",
                "use a safe interface; a reviewed crate may have one",
            )
        })
    })
}

/// No test is passed over in silence.
pub(super) fn no_ignored_test(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    each_line(workspace, "", |place, line| {
        let squeezed: String = line.split_whitespace().collect();
        let ignored = ["#[ignore]", "#[ignore="]
            .iter()
            .any(|a| squeezed.contains(a))
            || (squeezed.contains("#[cfg_attr(") && has_word(line, "ignore"));
        ignored.then(|| {
            Finding::new(
                place,
                "an ignored test",
                "run it always, or let it say aloud why it skips",
            )
        })
    })
}

/// Nobody below the program prints.
pub(super) fn no_printing(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    each_line(workspace, "crates/", |place, line| {
        if place.starts_with(PROGRAM) || !place.contains("/src/") {
            return None;
        }
        let printing = PRINTING.iter().find(|printing| has_word(line, printing))?;
        Some(Finding::new(
            place,
            format!("`{printing}` in a library"),
            "return a value, or emit a tracing event",
        ))
    })
}

/// Nobody installs a crypto provider for the whole process, and only the program a subscriber.
pub(super) fn nothing_process_wide(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = each_line(workspace, "crates/", |place, line| {
        if line.contains("install_default(") {
            Some(Finding::new(
                place,
                "a crypto provider for the whole process",
                "hand the provider in, with `builder_with_provider`",
            ))
        } else if line.contains("set_global_default(") && !place.starts_with(PROGRAM) {
            Some(subscriber(place))
        } else {
            None
        }
    })?;
    for file in workspace.files("rs")? {
        if !file.starts_with("crates/") || file.starts_with(PROGRAM) {
            continue;
        }
        let code = code_only(&workspace.text(&file)?);
        let squeezed: String = code.split_whitespace().collect();
        let installs = ["tracing_subscriber::fmt::init(", ".init()", ".try_init()"]
            .iter()
            .any(|call| squeezed.contains(call));
        if has_word(&code, "tracing_subscriber") && installs {
            findings.push(subscriber(&file));
        }
    }
    Ok(findings)
}

fn subscriber(place: &str) -> Finding {
    Finding::new(
        place,
        "a tracing subscriber for the whole process",
        "leave it to the program; in tests use `tracing::subscriber::with_default`",
    )
}

/// Looks at each line of code, tests beside the code left out, in files whose path begins so.
fn each_line(
    workspace: &Workspace,
    beginning: &str,
    look: impl Fn(&str, &str) -> Option<Finding>,
) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for file in workspace.files("rs")? {
        if !file.starts_with(beginning) {
            continue;
        }
        let code = code_only(&workspace.text(&file)?);
        // Tests may print, but they may not be ignored or unsafe either.
        let code = if beginning.is_empty() || file.ends_with("tests.rs") {
            code.as_str()
        } else {
            without_tests(&code)
        };
        for (index, line) in code.lines().enumerate() {
            findings.extend(look(&format!("{file}:{}", index + 1), line));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::workspace;

    type Check = fn(&Workspace) -> Result<Vec<Finding>, Failure>;

    #[track_caller]
    fn check(check: Check, file: &str, text: &str, expected: &[&str]) {
        let (_folder, workspace) = workspace(&[(file, text)]);
        let places: Vec<String> = check(&workspace)
            .unwrap()
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(places, expected, "{file}: {text}");
    }

    #[test]
    fn unsafe_is_found_anywhere() {
        let broken = "fn f() {\n    unsafe { g() }\n}\n";
        check(no_unsafe, "xtask/src/x.rs", broken, &["xtask/src/x.rs:2"]);
        let in_test = "#[cfg(test)]\nmod tests {\n    unsafe fn f() {}\n}\n";
        check(
            no_unsafe,
            "crates/a/src/x.rs",
            in_test,
            &["crates/a/src/x.rs:3"],
        );
        let fine = "// unsafe\n#![forbid(unsafe_code)]\nconst X: &str = \"unsafe\";\n";
        check(no_unsafe, "crates/a/src/x.rs", fine, &[]);
    }

    #[test]
    fn ignored_tests_are_found() {
        for text in [
            "#[ignore]\nfn f() {}",
            "#[ignore = \"slow\"]\nfn f() {}",
            "#[cfg_attr(miri, ignore)]\nfn f() {}",
        ] {
            check(no_ignored_test, "tests/it/x.rs", text, &["tests/it/x.rs:1"]);
        }
        check(no_ignored_test, "tests/it/x.rs", "// #[ignore]\n", &[]);
    }

    #[test]
    fn printing_is_found_in_libraries_alone() {
        for call in ["println!(\"x\")", "eprint!(\"x\")", "dbg!(x)"] {
            let text = format!("fn f() {{\n    {call};\n}}\n");
            check(
                no_printing,
                "crates/a/src/x.rs",
                &text,
                &["crates/a/src/x.rs:2"],
            );
            check(no_printing, "crates/acme-cli/src/x.rs", &text, &[]);
            check(no_printing, "xtask/src/x.rs", &text, &[]);
            check(no_printing, "crates/a/tests/it/x.rs", &text, &[]);
            check(no_printing, "crates/a/examples/x.rs", &text, &[]);
        }
        check(
            no_printing,
            "crates/a/src/x.rs",
            "/// println!(1)\nfn f() {}",
            &[],
        );
        let in_test = "#[cfg(test)]\nmod tests {\n    fn f() { println!() }\n}\n";
        check(no_printing, "crates/a/src/x.rs", in_test, &[]);
    }

    #[test]
    fn a_process_wide_provider_is_found_even_in_the_program() {
        let text = "fn f() {\n    let _ = ring::default_provider().install_default();\n}\n";
        for file in [
            "crates/a/src/x.rs",
            "crates/acme-cli/src/x.rs",
            "crates/a/tests/it/x.rs",
        ] {
            check(nothing_process_wide, file, text, &[&format!("{file}:2")]);
        }
    }

    #[test]
    fn a_process_wide_subscriber_is_for_the_program_alone() {
        for text in [
            "fn f() { tracing::subscriber::set_global_default(s); }",
            "fn f() {\n tracing_subscriber::fmt()\n .with_target(false)\n .init();\n}",
            "use tracing_subscriber::prelude::*;\nfn f() { registry().try_init(); }",
        ] {
            let (_folder, broken) = workspace(&[("crates/a/src/x.rs", text)]);
            assert_eq!(nothing_process_wide(&broken).unwrap().len(), 1, "{text}");
            check(nothing_process_wide, "crates/acme-cli/src/x.rs", text, &[]);
        }
        let fine = "fn f() { self.pool.init(); }";
        check(nothing_process_wide, "crates/a/src/x.rs", fine, &[]);
    }
}
