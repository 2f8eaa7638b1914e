//! What keeps a certificate store from answering.

use std::{error::Error, io, path::PathBuf};

use acme_messages::ServerName;

use crate::RecordError;

/// A store could not answer. It never means that an entry is missing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store's directory does not exist; it is never created.
    #[error("the certificate directory {path:?} does not exist")]
    DirectoryMissing {
        /// The directory.
        path: PathBuf,
    },
    /// The file system refused an operation.
    #[error("cannot {operation} {path:?}")]
    Io {
        /// What was attempted, as a verb.
        operation: &'static str,
        /// What it was attempted on.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The entry is a symbolic link to somewhere outside the directory, where
    /// nothing is ever written.
    #[error("the link {path:?} leads out of the certificate directory")]
    LinkLeavesDirectory {
        /// The link.
        path: PathBuf,
    },
    /// Another process has kept the store locked for too long.
    #[error("another process keeps {path:?} locked")]
    Locked {
        /// What is locked.
        path: PathBuf,
    },
    /// The store keeps nothing under this name.
    #[error("the store does not allow the name {name}")]
    NameNotAllowed {
        /// The name.
        name: ServerName,
    },
    /// The name is longer than the store can keep.
    #[error("the store allows names of up to {limit} characters, unlike {name}")]
    NameTooLong {
        /// The name.
        name: ServerName,
        /// The longest possible name, in characters.
        limit: usize,
    },
    /// The path is no directory.
    #[error("the certificate directory {path:?} is not a directory")]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// Something is there under the name of an entry that is no file: a
    /// directory, a socket, or a link to nothing.
    #[error("{path:?} is not a file")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// What was written did not read back as it was. The old entry is as it was.
    #[error("what was written does not read back as it was")]
    NotReadBack,
    /// The directory cannot be written.
    #[error("the certificate directory {path:?} cannot be written")]
    NotWritable {
        /// The directory.
        path: PathBuf,
    },
    /// The records that the certificates are kept in cannot be read or written.
    #[error("the records of certificates cannot be used")]
    Records(#[source] RecordError),
    /// The store did not answer in time. A write may still happen.
    #[error("the store took too long to {operation} {path:?}")]
    TimedOut {
        /// What was attempted, as a verb.
        operation: &'static str,
        /// What it was attempted on.
        path: PathBuf,
    },
    /// The bundle is longer than the store can keep.
    #[error("the store keeps no bundle of more than {limit} bytes")]
    TooLarge {
        /// The longest bundle, in bytes.
        limit: usize,
    },
    /// The store cannot be reached. A write may have happened.
    #[error("the certificate store is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// Whether the reason may pass by itself, so that trying again makes sense.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::DirectoryMissing { .. }
            | Self::Io { .. }
            | Self::Locked { .. }
            | Self::NotReadBack
            | Self::TimedOut { .. }
            | Self::Unavailable(_) => true,
            Self::LinkLeavesDirectory { .. }
            | Self::NameNotAllowed { .. }
            | Self::NameTooLong { .. }
            | Self::NotADirectory { .. }
            | Self::NotAFile { .. }
            | Self::NotWritable { .. }
            | Self::TooLarge { .. } => false,
            Self::Records(error) => error.is_transient(),
        }
    }
}

/// A bundle was not put.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PutError {
    /// Something other than expected is there. Nothing was written.
    #[error("the entry is not what the writer expected")]
    Conflict,
    /// The store could not write.
    #[error("the bundle could not be stored")]
    Store(#[from] StoreError),
}
