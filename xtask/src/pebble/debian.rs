//! Pebble from Debian's package, installed where this process is root and has apt.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Found, Programs, Source};
use crate::command::run_within;

/// How long finding out who we are may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How long apt may take, the list of packages included.
const INSTALLED_WITHIN: Duration = Duration::from_secs(300);

/// What Debian 12 has is 2.4.0, older than both of these.
const LACKS: &[&str] = &["renewal information (ARI)", "profiles"];

/// `apt-get install pebble`.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) id: OsString,
    pub(super) apt_get: OsString,
    pub(super) installed_into: PathBuf,
}

impl Package {
    pub(super) fn new() -> Self {
        Self {
            id: "id".into(),
            apt_get: "apt-get".into(),
            installed_into: PathBuf::from("/usr/bin"),
        }
    }

    fn apt_get(&self, arguments: &[&str]) -> Result<(), String> {
        let ran = run_within(
            INSTALLED_WITHIN,
            Command::new(&self.apt_get)
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        );
        if ran.succeeded() {
            Ok(())
        } else {
            Err(format!("apt-get {}: {ran}", arguments.join(" ")))
        }
    }
}

impl Source for Package {
    fn name(&self) -> String {
        "the Debian package `pebble`".to_owned()
    }

    fn look(&self) -> Result<Found, String> {
        let id = run_within(ANSWERS_WITHIN, Command::new(&self.id).arg("-u"));
        if id.output().trim() != "0" {
            return Err("this is not root, and only root may install packages".to_owned());
        }
        self.apt_get(&["--version"])?;
        println!("pebble: installing the Debian package");
        let install = ["install", "--yes", "--no-install-recommends", "pebble"];
        if self.apt_get(&install).is_err() {
            // The list of packages may be absent or old; the second attempt tells.
            self.apt_get(&["update"])?;
            self.apt_get(&install)?;
        }
        let programs = Programs::in_folder(Path::new(&self.installed_into))?;
        Ok(Found {
            programs,
            lacks: LACKS,
            remark: "older than the pinned version".to_owned(),
        })
    }
}
