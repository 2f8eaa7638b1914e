//! Debian's packages, installed where this process is root and has apt.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use crate::command::run_within;

/// How long finding out who we are may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How long apt may take, the list of packages included.
const INSTALLED_WITHIN: Duration = Duration::from_secs(300);

/// The programs that install packages.
#[derive(Debug)]
pub(crate) struct Apt {
    pub(crate) id: OsString,
    pub(crate) apt_get: OsString,
}

impl Apt {
    /// The ones of this machine.
    pub(crate) fn new() -> Self {
        Self {
            id: "id".into(),
            apt_get: "apt-get".into(),
        }
    }

    /// Installs packages and says so, or tells why that cannot be.
    pub(crate) fn install(&self, packages: &[&str]) -> Result<(), String> {
        let id = run_within(ANSWERS_WITHIN, Command::new(&self.id).arg("-u"));
        if id.output().trim() != "0" {
            return Err("this is not root, and only root may install packages".to_owned());
        }
        self.run(&["--version"])?;
        println!("installing from Debian: {}", packages.join(" "));
        let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
        if self.run(&install).is_err() {
            // The list of packages may be absent or old; the second attempt tells.
            self.run(&["update"])?;
            self.run(&install)?;
        }
        Ok(())
    }

    fn run(&self, arguments: &[&str]) -> Result<(), String> {
        let ran = run_within(
            INSTALLED_WITHIN,
            Command::new(&self.apt_get)
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        );
        match ran.succeeded() {
            true => Ok(()),
            false => Err(format!("apt-get {}: {ran}", arguments.join(" "))),
        }
    }
}
