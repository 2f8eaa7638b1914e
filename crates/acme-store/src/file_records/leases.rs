//! Leases: a file for each name, judged and written by whoever has the turn.
//!
//! They are not synced, since no holder outlives the machine.

use std::path::PathBuf;

use acme_messages::Timestamp;

use super::{
    FileRecords,
    file_name::{escaped, file_name, unescaped},
    files::{Failed, Turn, Wanted, failed},
    text::{Head, MAX_HEAD, Writer, hex, random, unhex},
    timeline::End,
};
use crate::{Acquired, Key, Lease, LeaseError, NodeId, RecordError};

const KIND: &str = "lease";

/// A lease as its file has it.
struct Kept {
    owner: NodeId,
    epoch: u64,
    /// `None` once it was released: the epoch goes on.
    nonce: Option<[u8; Lease::NONCE_LENGTH]>,
    since: Timestamp,
    end: End,
}

impl FileRecords {
    fn lease_path(&self, name: &Key) -> PathBuf {
        self.files().leases.join(file_name(name))
    }

    fn lease(&self, name: &Key) -> Result<Option<Kept>, Failed> {
        let Some(bytes) = self
            .files()
            .read_some(&self.lease_path(name), 2 * MAX_HEAD)?
        else {
            return Ok(None);
        };
        let kept = Kept::parse(name, &bytes);
        if kept.is_none() {
            // Nobody can hold it: no nonce would be recognized.
            tracing::warn!(%name, "a damaged lease counts as free");
        }
        Ok(kept)
    }

    fn keep(&self, turn: &Turn, name: &Key, kept: &Kept) -> Result<(), RecordError> {
        self.files()
            .replace(turn, &self.lease_path(name), &kept.text(name))
            .map_err(|it| it.into_error(true))
    }

    /// Whether a lease is held by who shows it. The caller has the turn.
    pub(super) fn is_held(&self, lease: &Lease) -> Result<bool, RecordError> {
        Ok(self.held(lease)?.is_some())
    }

    fn held(&self, lease: &Lease) -> Result<Option<Kept>, RecordError> {
        let kept = self.lease(lease.name())?;
        Ok(kept.filter(|it| {
            it.nonce == Some(*lease.nonce()) && !self.timeline().lease_has_ended(&it.end)
        }))
    }

    pub(super) fn acquire_now(
        &self,
        asked: &Lease,
        wanted: &Wanted,
    ) -> Result<Acquired, RecordError> {
        let nonce = random().map_err(|it| failed("acquire", &self.files().leases, it))?;
        let turn = self.turn_to_write(wanted)?;
        let name = asked.name();
        let mut epoch = 1;
        if let Some(kept) = self.lease(name)? {
            if kept.nonce.is_some() && !self.timeline().lease_has_ended(&kept.end) {
                return Ok(Acquired::Held {
                    owner: kept.owner,
                    since: Some(kept.since),
                });
            }
            epoch = kept.epoch.saturating_add(1);
        }
        let kept = Kept {
            owner: asked.owner().clone(),
            epoch,
            nonce: Some(nonce),
            since: self.timeline().wall(),
            end: self.timeline().end(asked.ttl()),
        };
        self.keep(&turn, name, &kept)?;
        let owner = asked.owner().clone();
        let (sent, ttl) = (asked.sent(), asked.ttl());
        let lease = Lease::new(name.clone(), owner, epoch, nonce, sent, ttl);
        Ok(Acquired::Granted(lease))
    }

    pub(super) fn renew_now(&self, lease: &Lease, wanted: &Wanted) -> Result<(), LeaseError> {
        let turn = self.turn_to_write(wanted)?;
        let mut kept = self.held(lease)?.ok_or(LeaseError::Lost)?;
        kept.end = self.timeline().end(lease.ttl());
        Ok(self.keep(&turn, lease.name(), &kept)?)
    }

    pub(super) fn release_now(&self, lease: &Lease, wanted: &Wanted) -> Result<(), LeaseError> {
        let turn = self.turn_to_write(wanted)?;
        let mut kept = self.held(lease)?.ok_or(LeaseError::Lost)?;
        kept.nonce = None;
        Ok(self.keep(&turn, lease.name(), &kept)?)
    }
}

impl Kept {
    fn text(&self, name: &Key) -> Vec<u8> {
        let nonce = self.nonce.map_or_else(|| "none".to_owned(), |it| hex(&it));
        let writer = Writer::new(KIND)
            .field("name", escaped(name.as_str()))
            .field("owner", escaped(self.owner.as_str()))
            .field("epoch", self.epoch)
            .field("nonce", nonce)
            .field("since", self.since.as_millisecond())
            .field("end", self.end.to_field());
        writer.finish(b"").to_vec()
    }

    fn parse(name: &Key, bytes: &[u8]) -> Option<Self> {
        let head = Head::parse(KIND, bytes)?;
        head.body(bytes)?;
        if unescaped(head.field("name")?)? != name.as_str() {
            return None;
        }
        let nonce = match head.field("nonce")? {
            "none" => None,
            digits => Some(unhex(digits)?),
        };
        Some(Self {
            owner: unescaped(head.field("owner")?)?.parse().ok()?,
            epoch: head.number("epoch")?,
            nonce,
            since: Timestamp::from_millisecond(head.number("since")?).ok()?,
            end: End::from_field(head.field("end")?)?,
        })
    }
}
