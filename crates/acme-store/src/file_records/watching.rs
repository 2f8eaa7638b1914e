//! The watch: looks at the file of changes now and then.

use std::{collections::VecDeque, sync::Arc};

use futures_core::stream::BoxStream;
use futures_util::stream;

use super::{
    Call, FileRecords,
    changes::{News, Place},
    files::Wanted,
};
use crate::{Prefix, RecordError, RecordEvent};

/// How many changes at once are told one by one: more are one `Resync`.
const MAX_CHANGES: usize = 1024;

struct Watcher {
    store: FileRecords,
    prefix: Prefix,
    /// Up to where it has told; `None` before the first look, and after an error.
    place: Option<Place>,
    /// Whether trouble was told already: it may last long.
    told: bool,
    /// What is said once changes are seen.
    first: RecordEvent,
    waiting: VecDeque<RecordEvent>,
}

/// What a look has found.
struct Look {
    place: Place,
    lost: bool,
    changes: VecDeque<RecordEvent>,
}

pub(super) fn watch(store: FileRecords, prefix: Prefix) -> BoxStream<'static, Event> {
    let watcher = Watcher {
        store,
        prefix,
        place: None,
        told: false,
        first: RecordEvent::Synced,
        waiting: VecDeque::new(),
    };
    Box::pin(stream::unfold(watcher, |mut watcher| async {
        Some((watcher.next().await, watcher))
    }))
}

type Event = Result<RecordEvent, RecordError>;

impl Watcher {
    async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(event);
            }
            let before = self.place.clone();
            let prefix = self.prefix.clone();
            let look = self
                .store
                .blocking(Call::Look, move |store, wanted| {
                    store.look_for_changes(before.as_ref(), &prefix, wanted)
                })
                .await;
            match look {
                Ok(Look {
                    place,
                    lost,
                    changes,
                }) => {
                    let begins = self.place.is_none();
                    self.told = false;
                    self.place = Some(place);
                    if begins {
                        let first = RecordEvent::Resync;
                        return Ok(std::mem::replace(&mut self.first, first));
                    }
                    if lost {
                        return Ok(RecordEvent::Resync);
                    }
                    if !changes.is_empty() {
                        self.waiting = changes;
                        continue;
                    }
                }
                Err(error) => {
                    self.place = None;
                    if !std::mem::replace(&mut self.told, true) {
                        return Err(error);
                    }
                }
            }
            let interval = self.store.options().poll_interval;
            self.store.timeline().clock().sleep(interval).await;
        }
    }
}

impl FileRecords {
    fn look_for_changes(
        &self,
        since: Option<&Place>,
        prefix: &Prefix,
        wanted: &Wanted,
    ) -> Result<Look, RecordError> {
        let files = self.files();
        let look = |place, lost| Look {
            place,
            lost,
            changes: VecDeque::new(),
        };
        let end = files.end_of_changes()?;
        let (Some(end), Some(since)) = (end, since) else {
            // Somebody has removed the file: nobody could tell what changes.
            let turn = self.turn_to_write(wanted)?;
            let mut end = files.end_of_changes()?;
            if end.is_none() {
                files.begin_changes(&turn, "")?;
                end = files.end_of_changes()?;
            }
            let gone = || RecordError::unavailable(false, "the file of changes is gone");
            return Ok(look(end.ok_or_else(gone)?, true));
        };
        if end == *since {
            return Ok(look(end, false));
        }
        let turn = self.turn_to_read(wanted)?;
        let (keys, place) = match files.news(&turn, since)? {
            Some(News::Keys(keys, place)) => (keys, place),
            Some(News::Lost(place)) => return Ok(look(place, true)),
            None => return Ok(look(since.clone(), false)),
        };
        if keys.len() > MAX_CHANGES {
            return Ok(look(place, true));
        }
        let mut look = look(place, false);
        for key in keys.into_iter().filter(|it| prefix.matches(it)) {
            let known = files.known(&key)?;
            let live = known.filter(|it| !it.has_ended(self.timeline()));
            let version = live.map(|it| it.version);
            look.changes
                .push_back(RecordEvent::Changed { key, version });
        }
        Ok(look)
    }
}

/// One watcher keeps its store open.
impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let store = Arc::as_ptr(&self.store.shared);
        f.debug_struct("Watcher").field("store", &store).finish()
    }
}
