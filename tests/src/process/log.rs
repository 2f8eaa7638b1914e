//! What a program has said, line by line.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStderr, ChildStdout};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::error::Error;

/// The lines of a program's standard output and standard error, in the order of their arrival.
///
/// Clones share the lines, and keep them after the program has ended.
#[derive(Clone)]
pub struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    progress: watch::Receiver<Progress>,
}

/// How far the collection has come.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    lines: usize,
    open_pipes: usize,
}

impl Log {
    pub(super) fn collect(stdout: Option<ChildStdout>, stderr: Option<ChildStderr>) -> Self {
        let (sender, progress) = watch::channel(Progress {
            lines: 0,
            open_pipes: usize::from(stdout.is_some()) + usize::from(stderr.is_some()),
        });
        let log = Self {
            lines: Arc::default(),
            progress,
        };
        let sender = Arc::new(sender);
        if let Some(pipe) = stdout {
            log.read(pipe, Arc::clone(&sender));
        }
        if let Some(pipe) = stderr {
            log.read(pipe, sender);
        }
        log
    }

    /// Reads a pipe to its end on a thread, which ends with the program.
    fn read(&self, pipe: impl Read + Send + 'static, sender: Arc<watch::Sender<Progress>>) {
        let lines = Arc::clone(&self.lines);
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut bytes = Vec::new();
            while pipe
                .read_until(b'\n', &mut bytes)
                .is_ok_and(|read| read > 0)
            {
                let line = String::from_utf8_lossy(&bytes);
                let line = line.trim_end_matches(['\n', '\r']).to_owned();
                lock(&lines).push(line);
                bytes.clear();
                sender.send_modify(|progress| progress.lines += 1);
            }
            sender.send_modify(|progress| progress.open_pipes -= 1);
        });
    }

    /// All lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        lock(&self.lines).clone()
    }

    /// All lines so far as one text.
    #[must_use]
    pub fn text(&self) -> String {
        lock(&self.lines).join("\n")
    }

    /// How many lines contain `text`.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        lock(&self.lines)
            .iter()
            .filter(|line| line.contains(text))
            .count()
    }

    /// Whether some line contains `text`.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.count(text) > 0
    }

    /// Waits for a line that contains `text`, said already or yet to come, and returns it.
    ///
    /// # Errors
    ///
    /// - [`Error::Ended`]: the program closed its outputs without it.
    /// - [`Error::TooLong`]: it did not come within `limit`.
    pub async fn line(&self, text: &str, limit: Duration) -> Result<String, Error> {
        self.nth_line(1, text, limit).await
    }

    /// Waits until `count` lines contain `text`, and returns the last of them.
    ///
    /// # Errors
    ///
    /// - [`Error::Ended`]: the program closed its outputs before.
    /// - [`Error::TooLong`]: they did not come within `limit`.
    pub async fn nth_line(
        &self,
        count: usize,
        text: &str,
        limit: Duration,
    ) -> Result<String, Error> {
        let awaited = || match count {
            0 | 1 => format!("a line with {text:?}"),
            _ => format!("{count} lines with {text:?}"),
        };
        timeout(limit, self.find(count, text))
            .await
            .map_err(|_| Error::TooLong {
                awaited: awaited(),
                limit,
                log: self.text(),
            })?
            .ok_or_else(|| Error::Ended {
                program: "the program".to_owned(),
                how: "its outputs are closed".to_owned(),
                awaited: awaited(),
                log: self.text(),
            })
    }

    async fn find(&self, count: usize, text: &str) -> Option<String> {
        let mut progress = self.progress.clone();
        loop {
            // Seen before the lines are: what comes later is a change that wakes us.
            let open = progress.borrow_and_update().open_pipes > 0;
            let found = lock(&self.lines)
                .iter()
                .filter(|line| line.contains(text))
                .nth(count.saturating_sub(1))
                .cloned();
            if found.is_some() {
                return found;
            }
            if !open || progress.changed().await.is_err() {
                return None;
            }
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({} lines)", lock(&self.lines).len())
    }
}

/// The lines, also after a thread that held them has panicked: they are whole at any time.
fn lock(lines: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
