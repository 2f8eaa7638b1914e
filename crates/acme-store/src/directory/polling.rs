//! Watching the directory by looking at it again and again.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use acme_messages::ServerName;
use futures_core::stream::BoxStream;
use futures_util::stream;

use super::{DirectoryOptions, DirectoryStore};
use crate::{CertificateStoreExt, Listed, StoreEvent, Version};

/// The part of the time that looking may take: a twentieth.
const REST: u32 = 20;

/// More changes than this are told as one [`StoreEvent::Resync`].
const MAX_CHANGES: usize = 1024;

pub(super) fn watch(
    store: DirectoryStore,
    options: DirectoryOptions,
) -> BoxStream<'static, StoreEvent> {
    let watcher = Watcher {
        store,
        options,
        seen: None,
        events: VecDeque::new(),
        pause: Duration::ZERO,
    };
    Box::pin(stream::unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await;
        Some((event, watcher))
    }))
}

struct Watcher {
    store: DirectoryStore,
    options: DirectoryOptions,
    /// What was there at the last look; `None` before the first, and after one that failed.
    seen: Option<BTreeMap<ServerName, Version>>,
    events: VecDeque<StoreEvent>,
    pause: Duration,
}

impl Watcher {
    async fn next(&mut self) -> StoreEvent {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            if !self.pause.is_zero() {
                self.options.clock.sleep(self.pause).await;
            }
            self.look().await;
        }
    }

    async fn look(&mut self) {
        let began = Instant::now();
        let listed = self.store.list_all().await;
        let took = began.elapsed();
        self.pause = self.options.poll_interval.max(took * REST);
        match listed {
            Ok(listed) => {
                let new = listed
                    .into_iter()
                    .map(|Listed { name, version }| (name, version));
                let new: BTreeMap<_, _> = new.collect();
                self.events = changes(self.seen.as_ref(), &new);
                self.seen = Some(new);
            }
            Err(error) => {
                if self.seen.take().is_some() {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, "the certificate directory cannot be read any more");
                }
            }
        }
    }
}

fn changes(
    old: Option<&BTreeMap<ServerName, Version>>,
    new: &BTreeMap<ServerName, Version>,
) -> VecDeque<StoreEvent> {
    let resync = || VecDeque::from([StoreEvent::Resync]);
    let Some(old) = old else {
        return resync();
    };
    let came = new
        .iter()
        .filter(|(name, version)| old.get(*name) != Some(*version));
    let went = old.iter().filter(|(name, _)| !new.contains_key(*name));
    let changed: VecDeque<_> = came
        .chain(went)
        .take(MAX_CHANGES + 1)
        .map(|(name, _)| StoreEvent::Changed(name.clone()))
        .collect();
    if changed.len() > MAX_CHANGES {
        return resync();
    }
    changed
}
