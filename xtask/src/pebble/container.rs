//! Pebble in its published images, run by a container engine through small scripts.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Found, Programs, Source, VERSION};
use crate::command::run_within;

/// How long an engine may take to say that it is there.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// How long bringing one image may take; both are below 20 MB.
const PULLED_WITHIN: Duration = Duration::from_secs(180);

/// Docker or podman.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) engines: Vec<OsString>,
    pub(super) tools: PathBuf,
}

impl Container {
    pub(super) fn new(tools: &Path) -> Self {
        Self {
            engines: vec!["docker".into(), "podman".into()],
            tools: tools.to_path_buf(),
        }
    }

    /// The programs by way of one engine.
    fn with_engine(&self, engine: &OsString) -> Result<Programs, String> {
        let ran = run_within(ANSWERS_WITHIN, Command::new(engine).arg("info"));
        if !ran.succeeded() {
            return Err(ran.to_string());
        }
        Ok(Programs {
            pebble: self.program(engine, "pebble")?,
            challtestsrv: self.program(engine, "pebble-challtestsrv")?,
        })
    }

    /// Brings an image and writes the script that runs it.
    fn program(&self, engine: &OsString, name: &str) -> Result<PathBuf, String> {
        let image = format!("ghcr.io/letsencrypt/{name}:{VERSION}");
        let mut inspect = Command::new(engine);
        inspect.args(["image", "inspect", &image]);
        if !run_within(ANSWERS_WITHIN, &mut inspect).succeeded() {
            let mut pull = Command::new(engine);
            pull.args(["pull", &image]);
            println!("pebble: bringing the image {image}");
            let ran = run_within(PULLED_WITHIN, &mut pull);
            if !ran.succeeded() {
                return Err(format!("pulling {image}: {ran}"));
            }
        }
        let path = self.tools.join(format!("{name}-in-container"));
        fs::create_dir_all(&self.tools)
            .and_then(|()| fs::write(&path, script(&engine.to_string_lossy(), &image)))
            .and_then(|()| make_executable(&path))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

impl Source for Container {
    fn name(&self) -> String {
        "a container engine".to_owned()
    }

    fn look(&self) -> Result<Found, String> {
        // Elsewhere the engine runs in a machine of its own, whose network is not the host's.
        if !cfg!(target_os = "linux") {
            return Err("only Linux gives a container the network of the host".to_owned());
        }
        let mut reasons = Vec::new();
        for engine in &self.engines {
            match self.with_engine(engine) {
                Ok(programs) => {
                    let remark = format!("{VERSION} in {}", engine.to_string_lossy());
                    return Ok(Found::new(programs).remark(remark));
                }
                Err(reason) => reasons.push(format!("{}: {reason}", engine.to_string_lossy())),
            }
        }
        Err(reasons.join("; "))
    }
}

/// A script that runs an image as if it were a program of the host.
///
/// It has the host's network and sees the folder `ACME_PEBBLE_DIR` under its own name;
/// the variables that steer Pebble are passed on.
/// `exec` makes the engine's client take the signals, `--init` makes Pebble end at SIGTERM.
fn script(engine: &str, image: &str) -> String {
    format!(
        r#"#!/bin/sh
# Written by `cargo xtask pebble`, which writes it anew each time.
set -eu
if [ -n "${{ACME_PEBBLE_DIR:-}}" ]; then
    set -- --volume "$ACME_PEBBLE_DIR:$ACME_PEBBLE_DIR" --workdir "$ACME_PEBBLE_DIR" {image} "$@"
else
    set -- {image} "$@"
fi
for name in $(env | sed -n 's/^\(PEBBLE_[A-Z0-9_]*\)=.*/\1/p'); do
    set -- --env "$name" "$@"
done
exec '{engine}' run --rm --init --network host --security-opt label=disable "$@"
"#
    )
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
