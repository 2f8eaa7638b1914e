//! Pebble on the search path of this process.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Found, Programs, Source, executable};
use crate::command::run_within;

/// How long a program may take to explain itself.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// The variable `PATH`.
#[derive(Debug)]
pub(super) struct SearchPath {
    pub(super) path: Option<OsString>,
}

impl SearchPath {
    pub(super) fn of_this_process() -> Self {
        Self {
            path: std::env::var_os("PATH"),
        }
    }

    fn find(&self, name: &str) -> Result<std::path::PathBuf, String> {
        self.path
            .iter()
            .flat_map(std::env::split_paths)
            .find_map(|folder| executable(&folder.join(name)).ok())
            .ok_or_else(|| format!("no `{name}` is there"))
    }
}

impl Source for SearchPath {
    fn name(&self) -> String {
        "the search path".to_owned()
    }

    fn look(&self) -> Result<Found, String> {
        let pebble = self.find("pebble")?;
        let challtestsrv = self.find("pebble-challtestsrv")?;
        is_the_acme_server(&pebble)?;
        let remark = format!("{}, of unknown version", pebble.display());
        let programs = Programs {
            pebble,
            challtestsrv,
        };
        Ok(Found::new(programs).remark(remark))
    }
}

/// Other programs bear the same name, a service manager among them.
fn is_the_acme_server(pebble: &Path) -> Result<(), String> {
    let ran = run_within(ANSWERS_WITHIN, Command::new(pebble).arg("-help"));
    if ran.output().contains("-dnsserver") {
        Ok(())
    } else {
        Err(format!(
            "{} is some other program: it has no option -dnsserver",
            pebble.display()
        ))
    }
}
