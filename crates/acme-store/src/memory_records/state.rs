//! The records and leases of a store in memory, at a given moment.

use std::{collections::HashMap, fmt, time::Duration};

use acme_messages::Timestamp;
use bytes::Bytes;

use crate::{
    Capabilities, Key, KeyPage, Lease, Life, NodeId, Op, Page, Prefix, Record, RecordError,
    Version, WriteError, table::Table,
};

/// The longest value, in bytes.
const MAX_VALUE: usize = Capabilities::MAX_VALUE;

/// After so many puts at least, what has ended is removed.
const MIN_SWEEP_INTERVAL: u64 = 1024;

#[derive(Debug, Default)]
pub(super) struct State {
    records: Table<Kept>,
    pub(super) leases: HashMap<Key, Held>,
    versions: u64,
    /// With which version what has ended is removed next.
    next_sweep: u64,
    /// Whether changes are kept from the watchers.
    pub(super) watches_cut: bool,
}

struct Kept {
    value: Bytes,
    version: u64,
    /// By monotonic time, which nobody sets.
    end: Option<Duration>,
    damaged: bool,
}

/// Shows no value: it may be a key.
impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = Record::new(self.value.clone(), self.version());
        fmt::Debug::fmt(&record, f)
    }
}

pub(super) struct Held {
    pub(super) owner: NodeId,
    pub(super) epoch: u64,
    /// `None` once it was released: the epoch goes on.
    pub(super) nonce: Option<[u8; Lease::NONCE_LENGTH]>,
    pub(super) since: Timestamp,
    /// By monotonic time, which nobody sets.
    pub(super) end: Duration,
}

/// The nonce is what proves a lease: it is shown no more than that of [`Lease`].
impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("owner", &self.owner)
            .field("epoch", &self.epoch)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl State {
    pub(super) fn get(&self, key: &Key, now: Duration) -> Result<Option<Record>, RecordError> {
        match self.live(key, now) {
            Some(kept) if kept.damaged => Err(RecordError::Corrupt { key: key.clone() }),
            Some(kept) => Ok(Some(Record::new(kept.value.clone(), kept.version()))),
            None => Ok(None),
        }
    }

    pub(super) fn damage(&mut self, key: &Key) {
        if let Some(kept) = self.records.get_mut(key) {
            kept.damaged = true;
        }
    }

    fn live(&self, key: &Key, now: Duration) -> Option<&Kept> {
        self.records.get(key).filter(|it| it.is_live(now))
    }

    pub(super) fn check(&self, op: &Op, now: Duration) -> Result<(), WriteError> {
        let current = self.live(op.key(), now).map(Kept::version);
        let met = match op {
            Op::Put {
                value, expected, ..
            } => {
                let limit = MAX_VALUE;
                if value.len() > limit {
                    return Err(WriteError::TooLarge { limit });
                }
                expected.is_met_by(current.as_ref())
            }
            Op::Delete { version, .. } => current.as_ref() == Some(version),
        };
        if met {
            Ok(())
        } else {
            Err(WriteError::Conflict)
        }
    }

    pub(super) fn remove(&mut self, key: &Key) {
        self.records.remove(key);
    }

    pub(super) fn put(&mut self, key: Key, value: Bytes, life: Life, now: Duration) -> Version {
        self.versions += 1;
        // Now and then what has ended makes room, for the price of one look at each: so
        // rarely that it costs each write the same, however many there are.
        if self.versions >= self.next_sweep {
            self.records.retain(|kept| kept.is_live(now));
            let interval = MIN_SWEEP_INTERVAL.max(self.records.len() as u64);
            self.next_sweep = self.versions + interval;
        }
        let kept = Kept {
            value,
            version: self.versions,
            end: match life {
                Life::Durable => None,
                Life::Ephemeral(span) => Some(now.saturating_add(span)),
            },
            damaged: false,
        };
        let version = kept.version();
        self.records.insert(key, kept);
        version
    }

    pub(super) fn held(&mut self, lease: &Lease, now: Duration) -> Option<&mut Held> {
        let held = self.leases.get_mut(lease.name())?;
        (held.nonce == Some(*lease.nonce()) && now < held.end).then_some(held)
    }

    pub(super) fn page(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
        now: Duration,
    ) -> KeyPage {
        let mut live = self
            .records
            .range(prefix, after)
            .filter(|(_, kept)| kept.is_live(now))
            .map(|(key, kept)| (key.clone(), kept.version()));
        let items: Vec<_> = live.by_ref().take(limit.max(1)).collect();
        let more = live.next().is_some();
        let next = items.last().filter(|_| more).map(|(key, _)| key.clone());
        Page { items, next }
    }
}

impl Kept {
    fn version(&self) -> Version {
        Version::of(&self.version.to_be_bytes())
    }

    fn is_live(&self, now: Duration) -> bool {
        self.end.is_none_or(|end| now < end)
    }
}
