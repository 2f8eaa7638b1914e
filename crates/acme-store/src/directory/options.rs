//! What can be chosen about a directory.

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use acme_messages::{Clock, Timestamp, jose::BoxFuture};

/// How a [`DirectoryStore`](crate::DirectoryStore) behaves.
///
/// ```
/// use acme_store::DirectoryOptions;
///
/// let mut options = DirectoryOptions::default();
/// assert_eq!(options.new_file_mode, 0o600);
/// options.new_file_mode = 0o640; // readers are of the group: the directory's, where that is setgid
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DirectoryOptions {
    /// How long one call may take; [`DEFAULT_CALL_TIMEOUT`](Self::DEFAULT_CALL_TIMEOUT).
    pub call_timeout: Duration,
    /// What the watch sleeps by; tokio's timer.
    pub clock: Arc<dyn Clock>,
    /// The mode of files that are new; [`DEFAULT_NEW_FILE_MODE`](Self::DEFAULT_NEW_FILE_MODE).
    pub new_file_mode: u32,
    /// Whether the watch lets the system tell it of changes, where the system can; yes.
    ///
    /// Linux can, by inotify, on disks of its own. Elsewhere, and where the
    /// system's limits are reached, the watch looks for changes instead.
    pub notifications: bool,
    /// How often the watch looks; [`DEFAULT_POLL_INTERVAL`](Self::DEFAULT_POLL_INTERVAL).
    ///
    /// While the system tells of changes, it looks only whether the directory is
    /// still the same one, and at everything every sixtieth time; where entries
    /// are links, of whose targets nobody tells, it looks at everything each time.
    pub poll_interval: Duration,
    /// Whether the store only reads, and so need not be able to write; no.
    pub read_only: bool,
}

impl DirectoryOptions {
    /// 30 s: longer than a busy disk takes, shorter than an ACME order lives.
    pub const DEFAULT_CALL_TIMEOUT: Duration = Duration::from_secs(30);

    /// 0600: who else may read a key is for the operator to say.
    pub const DEFAULT_NEW_FILE_MODE: u32 = 0o600;

    /// 1 s: what a person who has just left a file does not notice.
    pub const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(1);
}

impl Default for DirectoryOptions {
    fn default() -> Self {
        Self {
            call_timeout: Self::DEFAULT_CALL_TIMEOUT,
            clock: Arc::new(TokioClock),
            new_file_mode: Self::DEFAULT_NEW_FILE_MODE,
            notifications: true,
            poll_interval: Self::DEFAULT_POLL_INTERVAL,
            read_only: false,
        }
    }
}

/// What monotonic time is counted from.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The system's time and tokio's timer.
#[derive(Debug)]
struct TokioClock;

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        START.elapsed()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}
