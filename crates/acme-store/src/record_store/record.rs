//! Records, what is done with them, and what a store can do.

use std::{fmt, time::Duration};

use bytes::Bytes;

use super::Key;
use crate::{Expect, Version};

/// A value and the version it has.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The value, byte for byte as it was put.
    pub value: Bytes,
    /// What a write that replaces it must expect.
    pub version: Version,
}

impl Record {
    /// A value at a version.
    #[must_use]
    pub const fn new(value: Bytes, version: Version) -> Self {
        Self { value, version }
    }
}

/// Shows no value: it may be a key.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("length", &self.value.len())
            .field("version", &self.version)
            .finish()
    }
}

/// How long a record is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Until it is deleted.
    Durable,
    /// For this span from the writing on, and at most twice that; its end need not
    /// cause an event. A span that the store cannot count is as long as it can count.
    Ephemeral(Duration),
}

/// A part of a [`commit`](super::RecordStore::commit).
#[derive(Clone, PartialEq, Eq)]
pub enum Op {
    /// Writes a record.
    Put {
        /// Its key.
        key: Key,
        /// Its value.
        value: Bytes,
        /// What must be there.
        expected: Expect,
        /// How long it is kept.
        life: Life,
    },
    /// Removes a record.
    Delete {
        /// Its key.
        key: Key,
        /// The version it must have.
        version: Version,
    },
}

impl Op {
    /// The key of the record.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } => key,
        }
    }
}

/// Shows no value: it may be a key.
impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put {
                key,
                value,
                expected,
                life,
            } => f
                .debug_struct("Put")
                .field("key", key)
                .field("length", &value.len())
                .field("expected", expected)
                .field("life", life)
                .finish(),
            Self::Delete { key, version } => f
                .debug_struct("Delete")
                .field("key", key)
                .field("version", version)
                .finish(),
        }
    }
}

/// A hint from [`RecordStore::watch`](super::RecordStore::watch).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordEvent {
    /// A record may have changed, come or gone.
    Changed {
        /// Its key.
        key: Key,
        /// The version it had then; `None` when it was gone, or the store cannot say.
        version: Option<Version>,
    },
    /// Changes were missed, and are seen again: list.
    Resync,
    /// Changes are seen from now on: list.
    Synced,
}

/// What a store can do.
///
/// ```
/// use acme_store::{Capabilities, Guard, WatchKind};
///
/// let mut capabilities = Capabilities::new(WatchKind::Native, Guard::Atomic);
/// capabilities.survives_failover = true;
/// assert_eq!(capabilities.max_value, 262_144);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// How the watch learns of changes.
    pub watch: WatchKind,
    /// How a commit is kept from a former holder.
    pub guard: Guard,
    /// The longest value, in bytes.
    pub max_value: usize,
    /// The most operations of one commit.
    pub max_batch: usize,
    /// How long after a write returned another handle may still read what was
    /// there before; zero unless replicas are read. The writing handle never does.
    pub staleness: Duration,
    /// Whether a write that returned survives the loss of a server.
    pub survives_failover: bool,
    /// Whether the engine itself ends ephemeral records.
    pub ephemeral_ttl: bool,
}

impl Capabilities {
    /// 256 KiB: half of what the smallest engine takes, and ten chains of today.
    pub const MAX_VALUE: usize = 1 << 18;

    /// 8 operations: the journal, the budget and what they are about.
    pub const MAX_BATCH: usize = 8;

    /// A store with these two ways, the limits above (one operation a commit for
    /// [`Guard::RecordCas`]), and nothing more.
    #[must_use]
    pub const fn new(watch: WatchKind, guard: Guard) -> Self {
        Self {
            watch,
            guard,
            max_value: Self::MAX_VALUE,
            max_batch: match guard {
                Guard::Atomic => Self::MAX_BATCH,
                Guard::RecordCas => 1,
            },
            staleness: Duration::ZERO,
            survives_failover: false,
            ephemeral_ttl: false,
        }
    }
}

/// How a store's watch learns of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchKind {
    /// The engine tells.
    Native,
    /// The store looks, this often.
    Poll(Duration),
}

/// How a store keeps a former holder of a lease from committing.
///
/// With either, of all who have read one state of a record only one replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Guard {
    /// It judges the lease and writes in one atomic step: whoever comes back late
    /// is fenced, even before anybody else has the lease.
    Atomic,
    /// It has only conditional writes of single records: the lease, a record as any
    /// other, is judged first, and it is the record's expected version that keeps a
    /// former holder out once another has written.
    RecordCas,
}
