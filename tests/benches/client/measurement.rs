//! Starting a runner, and what it and the CA say of one measurement.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::Failure;
use crate::issuer::Kind;
use crate::runner::Used;

/// What is to be measured.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) kind: Kind,
    /// How many certificates.
    pub(crate) count: u32,
    /// How many at once.
    pub(crate) width: u32,
    /// What the names begin with.
    pub(crate) names: String,
}

/// What one certificate took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measurement {
    /// In ms: the whole time, divided by the certificates.
    pub(crate) wall: f64,
    /// In ms, user and system, of the client's process alone.
    pub(crate) cpu: f64,
    pub(crate) requests: f64,
}

/// Runs a runner; `begin` and `end` are called when it begins and has ended to issue.
pub(crate) async fn run<T>(
    task: &Task,
    directory: &str,
    root: &Path,
    begin: impl AsyncFnOnce() -> Result<T, Failure>,
    end: impl AsyncFnOnce(T) -> Result<usize, Failure>,
) -> Result<Measurement, Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["runner", "--directory", directory, "--root"])
        .arg(root)
        .args(["--kind", &task.kind.to_string(), "--names", &task.names])
        .args(["--count", &task.count.to_string()])
        .args(["--width", &task.width.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or("there is no way to the runner")?;
    let stdout = child
        .stdout
        .take()
        .ok_or("there is no way from the runner")?;
    let mut lines = BufReader::new(stdout).lines();
    let failed = || format!("{} against {directory}: see above", task.kind);
    lines.next_line().await?.ok_or_else(failed)?;
    let begun = begin().await?;
    stdin.write_all(b"go\n").await?;
    let line = lines.next_line().await?.ok_or_else(failed)?;
    let requests = end(begun).await?;
    child.wait().await?;
    let used: Used = serde_json::from_str(&line)?;
    let each = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(task.count);
    Ok(Measurement {
        wall: each(used.wall),
        cpu: each(used.cpu),
        requests: requests as f64 / f64::from(task.count),
    })
}
