//! Whether the libraries build for systems other than this one.

use std::process::Command;
use std::time::Duration;

use crate::command::run_within;
use crate::step::Step;

/// A system of each family that has code of its own: no other Unix is like Linux.
const TARGETS: [&str; 3] = [
    "x86_64-apple-darwin",
    "x86_64-pc-windows-gnu",
    "x86_64-unknown-freebsd",
];

/// What needs no C compiler of that system: no crate with a TLS provider.
const CRATES: [&str; 6] = [
    "acme-client",
    "acme-jose",
    "acme-messages",
    "acme-responders",
    "acme-service",
    "acme-store",
];

/// How long `rustup` may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// A check for each of the systems whose standard library is installed.
pub(crate) fn steps() -> Vec<Step> {
    let mut rustup = Command::new("rustup");
    let ran = run_within(
        ANSWERS_WITHIN,
        rustup.args(["target", "list", "--installed"]),
    );
    TARGETS.iter().map(|it| step(it, ran.output())).collect()
}

fn step(target: &str, installed: &str) -> Step {
    let name = format!("for {target}");
    if installed.lines().all(|it| it.trim() != target) {
        return Step::impossible(name, format!("`rustup target add {target}` brings it"));
    }
    let crates: String = CRATES.iter().map(|it| format!("-p {it} ")).collect();
    Step::cargo(
        name,
        &format!("check {crates} --all-features --locked --target {target}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Work;

    #[test]
    fn what_is_installed_is_checked_and_the_rest_said_aloud() {
        let installed = "x86_64-unknown-linux-gnu\nx86_64-unknown-freebsd\n";
        let check = step("x86_64-unknown-freebsd", installed);
        let Work::Cargo { arguments, .. } = check.work else {
            panic!("it is there");
        };
        assert_eq!(arguments.last().unwrap(), "x86_64-unknown-freebsd");
        assert!(arguments.contains(&"--locked".to_owned()));
        let Work::Impossible(reason) = step("x86_64-apple-darwin", installed).work else {
            panic!("it is not there");
        };
        assert!(reason.contains("rustup target add x86_64-apple-darwin"));
    }
}
