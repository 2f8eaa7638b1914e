//! Sealing everything anew with the primary key.

use super::{
    SealedRecords,
    envelope::{Envelope, Kind},
    manifest::{self, Manifest},
};
use crate::{Key, Life, Prefix, RecordError, RecordStore, WriteError};

/// How many keys are listed at a time.
const PAGE: usize = 256;

/// How often all records are gone through: each time but the first for what others
/// have written meanwhile with another key.
const MAX_PASSES: usize = 4;

/// How often a record is tried that others write at the same time.
const MAX_ATTEMPTS: usize = 64;

/// What [`SealedRecords::rekey`] has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rekeyed {
    /// How many records were sealed anew.
    pub resealed: usize,
    /// How many are still sealed with another key: they end by themselves, are
    /// damaged, or others write them all the time. While there are any, no key is
    /// retired: call again.
    pub left: usize,
    /// The ids of keys that no record needs any more; none while others still seal
    /// with them: call again.
    pub retired: Vec<String>,
}

enum Resealed {
    /// It is sealed with the primary key, or gone.
    Already,
    Done,
    Left,
}

impl<S: RecordStore> SealedRecords<S> {
    /// Seals all records anew that are sealed with another key than the primary one.
    ///
    /// Others may read and write meanwhile: a record is replaced only as it was read.
    /// Whatever ends it, to call it again goes on where it was. To change a key, first
    /// give the new one to every node, then make it primary on every node, then call
    /// this, and take the old one away once it is retired.
    ///
    /// # Errors
    /// - [`RecordError`] when the store cannot read or write. What was done stays done.
    pub async fn rekey(&self) -> Result<Rekeyed, RecordError> {
        let mut done = Rekeyed::default();
        for _ in 0..MAX_PASSES {
            let before = done.resealed;
            self.pass(&mut done).await?;
            if done.resealed > before {
                continue;
            }
            if done.left == 0 {
                done.retired = self.retire().await?;
            }
            break;
        }
        // Where each pass has found something, another node still seals with an old key.
        Ok(done)
    }

    async fn pass(&self, done: &mut Rekeyed) -> Result<(), RecordError> {
        done.left = 0;
        let mut after = None;
        loop {
            let page = self.inner.list(&Prefix::all(), after, PAGE).await?;
            for (key, _) in page.items {
                match self.reseal(&key).await? {
                    Resealed::Already => {}
                    Resealed::Done => done.resealed += 1,
                    Resealed::Left => done.left += 1,
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn reseal(&self, key: &Key) -> Result<Resealed, RecordError> {
        if key.as_str() == manifest::KEY {
            return Ok(Resealed::Already);
        }
        for _ in 0..MAX_ATTEMPTS {
            let record = match self.inner.get(key).await {
                Ok(Some(record)) => record,
                Ok(None) => return Ok(Resealed::Already),
                Err(RecordError::Corrupt { .. }) => return Ok(Resealed::Left),
                Err(error) => return Err(error),
            };
            let Some(envelope) = Envelope::parse(&record.value) else {
                return Ok(Resealed::Left);
            };
            if envelope.id == self.ring.primary().id() {
                return Ok(Resealed::Already);
            }
            let opened = envelope.open(&self.ring, self.place(key));
            let (Kind::Durable, Ok(value)) = (envelope.kind, opened) else {
                return Ok(Resealed::Left);
            };
            let sealed = self.seal(key, Life::Durable, &value)?;
            let expected = record.version.into();
            match self.inner.put(key, sealed, expected, Life::Durable).await {
                Ok(_) => return Ok(Resealed::Done),
                Err(WriteError::Conflict) => {}
                Err(WriteError::Store(error)) => return Err(error),
                Err(WriteError::TooLarge { .. }) => return Ok(Resealed::Left),
            }
        }
        Ok(Resealed::Left)
    }

    /// Says that only the primary key is needed any more.
    async fn retire(&self) -> Result<Vec<String>, RecordError> {
        let key = super::manifest_key();
        let Some(record) = self.inner.get(&key).await? else {
            return Ok(Vec::new());
        };
        let corrupt = || RecordError::Corrupt { key: key.clone() };
        let mut manifest = Manifest::parse(&record.value).ok_or_else(corrupt)?;
        let retired = manifest.retire_all_but(self.ring.primary());
        if retired.is_empty() {
            return Ok(retired);
        }
        let (value, expected) = (manifest.to_bytes(), record.version.into());
        match self.inner.put(&key, value, expected, Life::Durable).await {
            Ok(_) => Ok(retired),
            // Another node begins or retires just now: the next call sees it.
            Err(WriteError::Conflict | WriteError::TooLarge { .. }) => Ok(Vec::new()),
            Err(WriteError::Store(error)) => Err(error),
        }
    }
}
