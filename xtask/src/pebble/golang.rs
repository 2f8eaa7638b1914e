//! Pebble built by the Go toolchain, at the pinned version, into the tools folder.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Found, Programs, Source, VERSION};
use crate::command::run_within;

/// How long the toolchain may take to say that it is there.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How long downloading and building may take; two minutes are usual on two cores.
const INSTALLED_WITHIN: Duration = Duration::from_secs(900);

/// The file that says which version stands in the tools folder.
const STAMP: &str = "pebble.version";

/// `go install`.
#[derive(Debug)]
pub(super) struct GoInstall {
    pub(super) go: OsString,
    pub(super) tools: PathBuf,
}

impl GoInstall {
    pub(super) fn new(tools: &Path) -> Self {
        Self {
            go: "go".into(),
            tools: tools.to_path_buf(),
        }
    }

    /// What was installed by an earlier run, if it is of the pinned version and still whole.
    fn installed(&self) -> Option<Programs> {
        let stamp = fs::read_to_string(self.tools.join(STAMP)).ok()?;
        (stamp.trim() == VERSION)
            .then(|| Programs::in_folder(&self.tools).ok())
            .flatten()
    }

    fn install(&self) -> Result<Programs, String> {
        let version = run_within(ANSWERS_WITHIN, Command::new(&self.go).arg("version"));
        if !version.succeeded() {
            return Err(version.to_string());
        }
        let failed = |error| format!("{}: {error}", self.tools.display());
        fs::create_dir_all(&self.tools).map_err(failed)?;
        println!("pebble: building {VERSION} with `go install`, which can take some minutes");
        let module = "github.com/letsencrypt/pebble/v2/cmd";
        let ran = run_within(
            INSTALLED_WITHIN,
            Command::new(&self.go)
                .arg("install")
                .arg(format!("{module}/pebble@v{VERSION}"))
                .arg(format!("{module}/pebble-challtestsrv@v{VERSION}"))
                .env("GOBIN", &self.tools)
                .env_remove("GOOS")
                .env_remove("GOARCH"),
        );
        if !ran.succeeded() {
            return Err(ran.to_string());
        }
        let programs = Programs::in_folder(&self.tools)?;
        fs::write(self.tools.join(STAMP), VERSION).map_err(failed)?;
        Ok(programs)
    }
}

impl Source for GoInstall {
    fn name(&self) -> String {
        "`go install`".to_owned()
    }

    fn look(&self) -> Result<Found, String> {
        if let Some(programs) = self.installed() {
            return Ok(Found::new(programs).remark(format!("{VERSION}, installed before")));
        }
        let programs = self.install()?;
        Ok(Found::new(programs).remark(format!("{VERSION}, installed just now")))
    }
}
