//! Programs that run to their end within a time, and programs that run meanwhile.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running program is asked whether it has ended.
const POLL: Duration = Duration::from_millis(10);

/// How long a program has to end when told to.
const GRACE: Duration = Duration::from_secs(5);

/// Runs a program to its end, its output in a file, and ends it after `limit`.
pub(super) fn run_logged(
    limit: Duration,
    command: &mut Command,
    log: &Path,
) -> Result<ExitStatus, String> {
    let told = |error: std::io::Error| format!("{}: {error}", log.display());
    fs::write(log, format!("$ {command:?}\n")).map_err(told)?;
    let output = File::options().append(true).open(log).map_err(told)?;
    let mut process = Background::start(
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(told)?)
            .stderr(output),
    )?;
    process
        .ends_within(limit)
        .ok_or_else(|| format!("no end within {} s", limit.as_secs()))
}

/// A program that runs until this value is dropped.
#[derive(Debug)]
pub(super) struct Background(Child);

impl Background {
    pub(super) fn start(command: &mut Command) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        match command.spawn() {
            Ok(child) => Ok(Self(child)),
            Err(error) => Err(format!("{name} does not start: {error}")),
        }
    }

    /// Its output, when that is piped; the first caller gets it.
    pub(super) fn stdout(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    fn ends_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => thread::sleep(POLL),
                _ => return None,
            }
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        // First in a way that lets it end its own children.
        let id = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        if told.is_err() || self.ends_within(GRACE).is_none() {
            // Both fail only if it ended just now.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
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
    fn output_is_kept_whatever_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let limit = Duration::from_secs(30);
        let status = run_logged(limit, &mut shell("echo out; echo err >&2; exit 3"), &log);
        assert_eq!(status.unwrap().code(), Some(3));
        let text = fs::read_to_string(&log).unwrap();
        assert!(
            text.starts_with("$ ") && text.ends_with("out\nerr\n"),
            "{text}"
        );

        let mut hangs = shell("echo before; exec sleep 600");
        let error = run_logged(Duration::from_millis(200), &mut hangs, &log).unwrap_err();
        assert!(error.contains("no end"), "{error}");
    }
}
