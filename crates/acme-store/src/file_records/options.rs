//! What can be chosen about records in files.

use std::time::Duration;

/// How [`FileRecords`](crate::FileRecords) behaves.
///
/// ```
/// use std::time::Duration;
/// use acme_store::FileRecordsOptions;
///
/// let mut options = FileRecordsOptions::default();
/// assert_eq!(options.call_timeout, Duration::from_secs(30));
/// options.poll_interval = Duration::from_secs(1);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileRecordsOptions {
    /// How long one call may take; [`DEFAULT_CALL_TIMEOUT`](Self::DEFAULT_CALL_TIMEOUT).
    pub call_timeout: Duration,
    /// By what leases and lives end; the machine's own time.
    pub ends_by: EndsBy,
    /// How often a watch looks; [`DEFAULT_POLL_INTERVAL`](Self::DEFAULT_POLL_INTERVAL).
    pub poll_interval: Duration,
}

impl FileRecordsOptions {
    /// 30 s: longer than a busy disk takes, shorter than an ACME order lives.
    pub const DEFAULT_CALL_TIMEOUT: Duration = Duration::from_secs(30);

    /// 250 ms: a CA does not ask before, and looking costs a few microseconds.
    pub const DEFAULT_POLL_INTERVAL: Duration = Duration::from_millis(250);
}

impl Default for FileRecordsOptions {
    fn default() -> Self {
        Self {
            call_timeout: Self::DEFAULT_CALL_TIMEOUT,
            ends_by: EndsBy::default(),
            poll_interval: Self::DEFAULT_POLL_INTERVAL,
        }
    }
}

/// By what the leases and lives of [`FileRecords`](crate::FileRecords) end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndsBy {
    /// By the given clock's monotonic time: for tests, where all handles have that clock.
    Clock,
    /// By the time since the machine was started, which all processes share. On Linux
    /// it goes on while the machine is suspended.
    #[default]
    Machine,
}
