//! Starting other programs: cargo without our own environment, and anything within a bounded time.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::failure::Failure;

/// How often a running program is asked whether it has ended.
const POLL: Duration = Duration::from_millis(10);

/// How long the last output of an ended program may take to arrive.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

/// The cargo that runs us, in the folder `root`.
///
/// What cargo told *us* about our package is taken away again: build scripts that watch
/// these variables would otherwise run anew each time a person changes between
/// `cargo test` and `cargo xtask test`.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        if is_ours_alone(&name) {
            command.env_remove(name);
        }
    }
    command
}

fn is_ours_alone(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// What cargo writes to its standard output, when it succeeds.
pub(crate) fn cargo_output(root: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let output = cargo(root)
        .args(arguments)
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| Failure::new(format!("cargo does not start: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::new(format!(
        "`cargo {}` failed:\n{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim_end()
    )))
}

/// Builds the program `acme` and tells where it is.
pub(crate) fn acme_program(root: &Path, profile: &[&str]) -> Result<PathBuf, Failure> {
    println!("building acme");
    let arguments = "build -p acme-cli --locked --message-format json-render-diagnostics";
    let arguments: Vec<_> = arguments
        .split(' ')
        .chain(profile.iter().copied())
        .collect();
    cargo_output(root, &arguments)?
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "acme")
        .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .ok_or_else(|| Failure::new("cargo does not tell where it built `acme`"))
}

/// How a program fared that had to end within a given time.
#[derive(Debug)]
pub(crate) enum Ran {
    /// It ended by itself.
    Ended { status: ExitStatus, output: String },
    /// It could not be started.
    NotStarted(io::Error),
    /// It ran longer than allowed and was ended.
    TooLong(Duration),
}

impl Ran {
    /// Whether it ended by itself and with success.
    pub(crate) fn succeeded(&self) -> bool {
        matches!(self, Self::Ended { status, .. } if status.success())
    }

    /// Both of its outputs, empty if it did not end by itself.
    pub(crate) fn output(&self) -> &str {
        match self {
            Self::Ended { output, .. } => output,
            Self::NotStarted(_) | Self::TooLong(_) => "",
        }
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended { status, output } => {
                write!(f, "it ended with {status}")?;
                match output.lines().rfind(|line| !line.trim().is_empty()) {
                    Some(line) => write!(f, ": {}", line.trim()),
                    None => Ok(()),
                }
            }
            Self::NotStarted(error) if error.kind() == io::ErrorKind::NotFound => {
                f.write_str("there is no such program here")
            }
            Self::NotStarted(error) => write!(f, "it does not start: {error}"),
            Self::TooLong(limit) => {
                write!(f, "it gave no answer within {} s", limit.as_secs_f32())
            }
        }
    }
}

/// Runs a program to its end, or ends it after `limit`.
pub(crate) fn run_within(limit: Duration, command: &mut Command) -> Ran {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ran::NotStarted(error),
    };
    let outputs = [
        child.stdout.take().map(collect),
        child.stderr.take().map(collect),
    ];
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                let output = outputs
                    .into_iter()
                    .flatten()
                    .filter_map(|output| output.recv_timeout(LAST_OUTPUT).ok())
                    .collect::<Vec<_>>()
                    .join("\n");
                return Ran::Ended { status, output };
            }
            Ok(None) if Instant::now() < deadline => thread::sleep(POLL),
            Ok(None) => {
                // Both fail only if it ended just now, which comes to the same.
                let _ = child.kill();
                let _ = child.wait();
                return Ran::TooLong(limit);
            }
            Err(error) => return Ran::NotStarted(error),
        }
    }
}

/// Reads a pipe to its end on a thread of its own, so that a full pipe never stops the program.
fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What could be read before an error is all there is to show.
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_outputs_of_a_program_are_kept() {
        let ran = run_within(
            Duration::from_secs(30),
            &mut shell("echo out; echo err >&2; exit 3"),
        );
        assert!(!ran.succeeded());
        assert!(ran.output().contains("out") && ran.output().contains("err"));
        assert!(ran.to_string().contains("3: err"), "{ran}");
    }

    #[test]
    fn more_output_than_a_pipe_holds_does_not_stop_it() {
        let ran = run_within(
            Duration::from_secs(30),
            &mut shell("head -c 300000 /dev/zero | tr '\\0' x"),
        );
        assert!(ran.succeeded());
        assert_eq!(ran.output().trim().len(), 300_000);
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let ran = run_within(Duration::from_millis(50), &mut shell("exec sleep 600"));
        assert!(matches!(ran, Ran::TooLong(_)), "{ran:?}");
    }

    #[test]
    fn a_program_that_is_not_there_is_told_apart() {
        let ran = run_within(Duration::from_secs(1), &mut Command::new("no-such-program"));
        assert_eq!(ran.to_string(), "there is no such program here");
    }

    #[test]
    fn cargo_does_not_hear_about_our_own_package() {
        let command = cargo(Path::new("."));
        let removed = command
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .any(|(name, _)| name == "CARGO_PKG_NAME");
        assert!(removed, "cargo sets it for every test it runs");
    }
}
