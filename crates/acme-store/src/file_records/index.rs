//! All keys with their versions, kept up to date by the file of changes.
//!
//! To list costs what has changed since the last time, however many records there are.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    FileRecords,
    changes::{News, Place},
    file_name,
    files::{Failed, Turn, Wanted},
    record::Known,
};
use crate::{Key, KeyPage, Page, Prefix, RecordError, table::Table};

/// 10 min: what somebody has changed by hand, past the file of changes, is seen by then.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// How many that have ended are removed at a time.
const MAX_REMOVED: usize = 64;

/// What a handle knows of all records.
#[derive(Debug, Default)]
pub(super) struct Index {
    known: Table<Known>,
    /// Up to where; `None` before the first look.
    place: Option<Place>,
    looked: Duration,
}

impl FileRecords {
    pub(super) fn page(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
        wanted: &Wanted,
    ) -> Result<KeyPage, RecordError> {
        let index = self.current_index(wanted)?;
        let mut ended = Vec::new();
        let mut items = Vec::new();
        let mut next = None;
        for (key, known) in index.known.range(prefix, after) {
            if known.has_ended(self.timeline()) {
                ended.push(key.clone());
            } else if items.len() == limit.max(1) {
                next = items.last().map(|(key, _): &(Key, _)| key.clone());
                break;
            } else {
                items.push((key.clone(), known.version.clone()));
            }
        }
        drop(index);
        if !ended.is_empty() {
            ended.truncate(MAX_REMOVED);
            // They count as gone already: that they stay harms nobody.
            if let Err(error) = self.remove_ended(&ended, wanted) {
                tracing::debug!(%error, "records that have ended stay for now");
            }
        }
        Ok(Page { items, next })
    }

    /// Removes some of what has ended, wherever it is.
    pub(super) fn sweep(&self, wanted: &Wanted) -> Result<(), RecordError> {
        let index = self.current_index(wanted)?;
        let all = Prefix::all();
        let ended = index
            .known
            .range(&all, None)
            .filter(|(_, known)| known.has_ended(self.timeline()));
        let ended: Vec<_> = ended.map(|it| it.0.clone()).take(MAX_REMOVED).collect();
        drop(index);
        if ended.is_empty() {
            return Ok(());
        }
        self.remove_ended(&ended, wanted)
    }

    fn current_index(&self, wanted: &Wanted) -> Result<MutexGuard<'_, Index>, RecordError> {
        let files = self.files();
        let mut index = self.index().lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.timeline().clock().monotonic();
        let old = now.saturating_sub(index.looked) >= LOOK_AGAIN;
        if old {
            index.place = None;
        }
        if index.place.is_some() && files.end_of_changes()? == index.place {
            // A writer announces before it writes: nothing new is there or under way.
            return Ok(index);
        }
        let turn = self.turn_to_read(wanted)?;
        let news = match &index.place {
            Some(place) => files.news(&turn, place)?,
            None => None,
        };
        match news {
            Some(News::Keys(keys, place)) => {
                // If it fails half-way, the same keys are looked at again.
                for key in keys {
                    match files.known(&key)? {
                        Some(known) => index.known.insert(key, known),
                        None => index.known.remove(&key),
                    }
                }
                index.place = Some(place);
            }
            Some(News::Lost(_)) | None => {
                index.place = None;
                let place = files.end_of_changes()?;
                index.known = self.look(&turn)?;
                index.looked = now;
                index.place = place;
            }
        }
        Ok(index)
    }

    /// All records, from their files. The caller has a turn.
    fn look(&self, _: &Turn) -> Result<Table<Known>, Failed> {
        let files = self.files();
        let mut all = BTreeMap::new();
        for name in files.record_names()? {
            let key = match file_name::key(&name) {
                Some(key) => Some(key),
                None if file_name::is_digest(&name) => files.key_in(&name)?,
                None => None,
            };
            let Some(key) = key else {
                tracing::warn!(?name, "a file among the records is none");
                continue;
            };
            if let Some(known) = files.known(&key)? {
                all.insert(key, known);
            }
        }
        // In the order of the keys, so that a listing goes through memory straight.
        Ok(all.into_iter().collect())
    }

    /// Waits for the turn to read all, with nothing half done.
    pub(super) fn turn_to_read(&self, wanted: &Wanted) -> Result<Turn, RecordError> {
        let files = self.files();
        loop {
            let turn = files.turn(false, self.options().call_timeout, wanted)?;
            if !files.exists(&files.journal)? {
                return Ok(turn);
            }
            drop(turn);
            drop(self.turn_to_write(wanted)?);
        }
    }
}
