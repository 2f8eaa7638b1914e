//! The programs of others: whether they are here, which version, and how to get them.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::apt::Apt;
use crate::command::run_within;
use crate::pebble::executable;

/// How long a program may take to tell its version.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// What is used besides the clients: to fill the DNS server, to check certificates, and to let a
/// client trust a root.
const TOOLS: [&str; 3] = ["curl", "openssl", "unshare"];

/// The package of a program; most bear its name.
fn package(program: &str) -> &str {
    match program {
        "unshare" => "util-linux",
        other => other,
    }
}

/// Finds the clients and tools, and installs what is missing.
pub(super) fn find_or_install(clients: &[&str]) -> Result<(), String> {
    let missing = missing(clients);
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|it| package(it)).collect();
    Apt::new().install(&packages).map_err(|error| {
        format!(
            "{error}; install {} by hand and run this again",
            missing.join(", ")
        )
    })?;
    all_present(clients)
}

/// Whether all clients and tools are here.
pub(super) fn all_present(clients: &[&str]) -> Result<(), String> {
    match missing(clients) {
        missing if missing.is_empty() => Ok(()),
        missing => Err(format!("not installed: {}", missing.join(", "))),
    }
}

fn missing<'a>(clients: &[&'a str]) -> Vec<&'a str> {
    let wanted = clients.iter().copied().chain(TOOLS);
    wanted.filter(|it| find(it).is_none()).collect()
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find_map(|folder| executable(&folder.join(name)).ok())
}

/// The name of a program and its version, Debian's where it comes from there.
pub(super) fn version(name: &str) -> String {
    let mut ask = Command::new("dpkg-query");
    ask.args(["--show", "--showformat=${Version}", package(name)]);
    let ran = run_within(ANSWERS_WITHIN, &mut ask);
    if ran.succeeded() {
        return format!("{name} {}", ran.output().trim());
    }
    let ran = run_within(ANSWERS_WITHIN, Command::new(name).arg("--version"));
    let line = ran.output().lines().find(|line| !line.trim().is_empty());
    line.map_or_else(
        || format!("{name}, of unknown version"),
        |it| it.trim().to_owned(),
    )
}
