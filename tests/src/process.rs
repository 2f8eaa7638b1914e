//! Programs that a test starts, listens to and ends.

mod log;

use std::fmt;
use std::process::{self, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

pub use self::log::Log;
use crate::error::Error;

/// How often a program that is about to end is asked whether it has.
const POLL: Duration = Duration::from_millis(5);

/// How long a program has between SIGTERM and SIGKILL, unless told otherwise.
const GRACE: Duration = Duration::from_secs(5);

/// A running program.
///
/// Both of its outputs are collected into its [`Log`].
/// It ends with this value at the latest: SIGTERM, then SIGKILL, to its own process id and to no
/// other, and it is waited for, so that nothing is left behind when a test fails.
pub struct Child {
    name: String,
    inner: process::Child,
    log: Log,
    grace: Duration,
}

impl Child {
    /// Starts a program; `name` is what failures call it.
    ///
    /// # Errors
    ///
    /// - [`Error::Io`]: it cannot be started.
    pub fn spawn(name: impl Into<String>, command: &mut Command) -> Result<Self, Error> {
        let name = name.into();
        let mut inner = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::io(format!("start {name}")))?;
        let log = Log::collect(inner.stdout.take(), inner.stderr.take());
        Ok(Self {
            name,
            inner,
            log,
            grace: GRACE,
        })
    }

    /// Sets how long the program has between SIGTERM and SIGKILL; 5 s by default.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// What failures call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// What it has said so far.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    ///
    /// - [`Error::Io`]: the system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.inner
            .try_wait()
            .map_err(Error::io(format!("wait for {}", self.name)))
    }

    /// Waits for a line that contains `text`, said already or yet to come, and returns it.
    ///
    /// # Errors
    ///
    /// - [`Error::Ended`]: it ended without saying so.
    /// - [`Error::TooLong`]: it did not say so within `limit`.
    pub async fn line(&mut self, text: &str, limit: Duration) -> Result<String, Error> {
        match self.log.line(text, limit).await {
            // The log knows that nothing more can come, but neither the name nor the status.
            Err(Error::Ended { awaited, log, .. }) => {
                let status = self.wait(self.grace).await?;
                Err(Error::ended(&self.name, status, &awaited, log))
            }
            other => other,
        }
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    ///
    /// - [`Error::TooLong`]: it is still running after `limit`; it goes on running.
    pub async fn wait(&mut self, limit: Duration) -> Result<ExitStatus, Error> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err(Error::TooLong {
                    awaited: format!("the end of {}", self.name),
                    limit,
                    log: self.log.text(),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Ends it: SIGTERM, and SIGKILL if it is still there after the grace period.
    ///
    /// # Errors
    ///
    /// - [`Error::Io`]: the system refuses.
    /// - [`Error::TooLong`]: not even SIGKILL ended it.
    pub async fn stop(mut self) -> Result<ExitStatus, Error> {
        self.signal(Signal::TERM)?;
        match self.wait(self.grace).await {
            Err(Error::TooLong { .. }) => self.kill().await,
            other => other,
        }
    }

    /// Ends it with SIGKILL, as a crash or a power cut would.
    ///
    /// # Errors
    ///
    /// - [`Error::Io`]: the system refuses.
    /// - [`Error::TooLong`]: it did not end.
    pub async fn kill(mut self) -> Result<ExitStatus, Error> {
        self.signal(Signal::KILL)?;
        self.wait(GRACE).await
    }

    /// Sends a signal, unless it has ended: only a program that has not been waited for yet still
    /// owns its process id.
    fn signal(&mut self, signal: Signal) -> Result<(), Error> {
        if self.ended()?.is_some() {
            return Ok(());
        }
        let pid: Pid = Pid::from_child(&self.inner);
        kill_process(pid, signal)
            .map_err(std::io::Error::from)
            .map_err(Error::io(format!("signal {}", self.name)))
    }

    /// Whether it ended within the grace period, by waiting on this thread.
    fn ends_in_grace(&mut self) -> bool {
        let deadline = Instant::now() + self.grace;
        while Instant::now() < deadline {
            if matches!(self.ended(), Ok(Some(_))) {
                return true;
            }
            thread::sleep(POLL);
        }
        false
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if matches!(self.ended(), Ok(Some(_))) {
            return;
        }
        // SIGTERM first here too: it ends a container, where SIGKILL would only end its client.
        if self.signal(Signal::TERM).is_err() || !self.ends_in_grace() {
            // There is no one left to tell, and both fail only if it has ended.
            let _ = self.inner.kill();
            let _ = self.inner.wait();
        }
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("name", &self.name)
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}
