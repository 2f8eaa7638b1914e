//! HAProxy: on the search path, beside it, or from Debian.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::apt::Apt;
use crate::command::run_within;
use crate::pebble::executable;

/// How long it may take to tell its version.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Where Debian puts it, which is not on everybody's search path.
const SYSTEM: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// The program, found or installed.
pub(super) fn find(install: bool) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(SYSTEM.map(PathBuf::from));
    let folders: Vec<_> = folders.collect();
    match look(&folders) {
        Some(found) => Ok(found),
        None if !install => Err("no `haproxy` is there, and nothing is to be installed".to_owned()),
        None => {
            Apt::new().install(&["haproxy"])?;
            look(&folders).ok_or_else(|| "the Debian package has no `haproxy`".to_owned())
        }
    }
}

fn look(folders: &[PathBuf]) -> Option<PathBuf> {
    let candidates = folders.iter().map(|it| it.join("haproxy"));
    let mut programs = candidates.filter_map(|it| executable(&it).ok());
    programs.find(|it| is_haproxy(it))
}

fn is_haproxy(program: &Path) -> bool {
    let ran = run_within(ANSWERS_WITHIN, Command::new(program).arg("-v"));
    ran.succeeded() && ran.output().contains("HAProxy")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by another process: one forked meanwhile would keep ours from being run.
    fn program(folder: &Path, body: &str) -> PathBuf {
        let path = folder.join("haproxy");
        let status = Command::new("sh")
            .args([
                "-c",
                "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\"",
            ])
            .arg(&path)
            .arg(body)
            .status()
            .unwrap();
        assert!(status.success());
        path
    }

    #[test]
    fn only_haproxy_is_taken_for_it() {
        let (other, right) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        program(other.path(), "echo something else");
        let expected = program(right.path(), "echo HAProxy version 2.6");
        let folders = [
            PathBuf::from("/nowhere"),
            other.path().into(),
            right.path().into(),
        ];
        assert_eq!(look(&folders), Some(expected));
        assert_eq!(look(&folders[..2]), None);
    }
}
