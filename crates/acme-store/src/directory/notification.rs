//! Changes that the system tells of: by inotify on Linux, elsewhere nobody does yet.

use acme_messages::ServerName;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use inotify::Notifier;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use nobody::Notifier;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod inbox;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod inotify;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod nobody;

/// What was told since the last time.
#[cfg_attr(
    not(any(target_os = "linux", target_os = "android")),
    allow(dead_code, reason = "nobody tells")
)]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Files by the names of these entries have changed, come or gone.
    Changed(Vec<ServerName>),
    /// The directory has gone, or is another one; nothing more will be told.
    Lost,
    /// More than can be told has changed.
    TooMuch,
}
