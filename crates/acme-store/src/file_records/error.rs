//! Why a directory of records cannot be opened.

use std::path::PathBuf;

use crate::RecordError;

/// A directory of records cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileRecordsError {
    /// The file system refuses, or takes too long.
    #[error("the records in {path:?} cannot be opened")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What was in the way.
        source: RecordError,
    },
    /// The directory has a format that this version does not know: upgrade, or use
    /// another directory. Nothing was changed.
    #[error("the records in {path:?} have the unknown format {found:?}")]
    UnknownFormat {
        /// The directory.
        path: PathBuf,
        /// What it says its format is.
        found: String,
    },
}
