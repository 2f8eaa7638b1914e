//! What keeps a record store from answering or writing.

use std::error::Error;

use super::Key;

/// A store could not answer. It never means that a record is missing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A record is there, but damaged. Others are not touched by it.
    #[error("the record {key} is damaged")]
    Corrupt {
        /// The record's key.
        key: Key,
    },
    /// The store knows us not, or forbids it. Trying again does not help.
    #[error("the record store refused access")]
    Denied {
        /// What was refused; without any secret.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The store cannot be reached, or did not answer in time.
    #[error("the record store is unavailable")]
    Unavailable {
        /// Whether a write may have happened: read again to know.
        maybe_applied: bool,
        /// What was in the way.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl RecordError {
    /// The store refuses; `source` is shown to people and holds no secret.
    pub fn denied(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Denied {
            source: Some(source.into()),
        }
    }

    /// The store cannot be reached; `maybe_applied` says whether it may have written.
    ///
    /// ```
    /// use acme_store::RecordError;
    ///
    /// let error = RecordError::unavailable(true, "the answer did not come");
    /// assert!(error.is_transient() && error.is_maybe_applied());
    /// ```
    pub fn unavailable(
        maybe_applied: bool,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Unavailable {
            maybe_applied,
            source: Some(source.into()),
        }
    }

    /// Whether the reason may pass by itself, so that trying again makes sense.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether what was asked for may have happened all the same.
    #[must_use]
    pub const fn is_maybe_applied(&self) -> bool {
        matches!(
            self,
            Self::Unavailable {
                maybe_applied: true,
                ..
            }
        )
    }
}

/// A record was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Something other than expected is there. Nothing was written.
    #[error("the record is not what the writer expected")]
    Conflict,
    /// The store could not write, or cannot say whether it did.
    #[error("the record could not be written")]
    Store(#[from] RecordError),
    /// The value is too long. Nothing was written.
    #[error("the value has more than {limit} bytes")]
    TooLarge {
        /// The longest value, in bytes.
        limit: usize,
    },
}

impl WriteError {
    /// What a commit says when the write of one of its records is refused with this.
    ///
    /// ```
    /// use acme_store::{CommitError, Key, WriteError};
    ///
    /// let key: Key = "k".parse()?;
    /// let error = WriteError::Conflict.in_commit(&key);
    /// assert!(matches!(error, CommitError::Conflict { key: it } if it == key));
    /// # Ok::<_, acme_store::InvalidKey>(())
    /// ```
    #[must_use]
    pub fn in_commit(self, key: &Key) -> CommitError {
        let key = key.clone();
        match self {
            Self::Conflict => CommitError::Conflict { key },
            Self::Store(error) => CommitError::Store(error),
            Self::TooLarge { limit } => CommitError::TooLarge { key, limit },
        }
    }
}

/// A guarded commit was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// A record is not what was expected. Nothing was written.
    #[error("the record {key} is not what the writer expected")]
    Conflict {
        /// The record's key.
        key: Key,
    },
    /// The lease has ended. Nothing was written.
    #[error("the lease has ended")]
    Fenced,
    /// The store could not write, or cannot say whether it did.
    #[error("the records could not be written")]
    Store(#[from] RecordError),
    /// A value is too long. Nothing was written.
    #[error("the value of {key} has more than {limit} bytes")]
    TooLarge {
        /// The record's key.
        key: Key,
        /// The longest value, in bytes.
        limit: usize,
    },
    /// There are too many operations. Nothing was written.
    #[error("a commit has more than {limit} operations")]
    TooMany {
        /// The most operations.
        limit: usize,
    },
}

/// A lease could not be renewed or released.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The lease has ended: stop what it was for.
    #[error("the lease has ended")]
    Lost,
    /// The store cannot say. The lease may still end at its deadline.
    #[error("the lease could not be renewed or released")]
    Store(#[from] RecordError),
}
