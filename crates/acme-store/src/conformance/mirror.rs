//! A watcher as callers write it: it lists when told to, gets what has changed, and
//! so knows in the end what the store knows.

use std::{collections::BTreeMap, time::Duration};

use futures_core::stream::BoxStream;
use futures_util::StreamExt;

use super::ground::{Ground, Halt, Handle, ensure, key, list, prefix, put};
use crate::{Expect, Key, RecordError, RecordEvent, Version};

/// A watch, and what is known by it.
pub(super) struct Watcher {
    ground: Ground,
    store: Handle,
    below: String,
    events: BoxStream<'static, Result<RecordEvent, RecordError>>,
    pub(super) known: BTreeMap<Key, Version>,
    pub(super) resyncs: usize,
    /// What came while nobody could heed it.
    waiting: Vec<RecordEvent>,
}

impl Watcher {
    /// Begins to watch; nothing was told yet.
    pub(super) fn new(ground: &Ground, store: &Handle, below: &str) -> Result<Self, Halt> {
        Ok(Self {
            ground: ground.clone(),
            store: store.clone(),
            below: below.to_owned(),
            events: store.watch(&prefix(below)?),
            known: BTreeMap::new(),
            resyncs: 0,
            waiting: Vec::new(),
        })
    }

    /// Begins to watch, and waits until changes are seen.
    pub(super) async fn synced(ground: &Ground, store: &Handle, below: &str) -> Result<Self, Halt> {
        let mut watcher = Self::new(ground, store, below)?;
        let first = watcher.next().await?;
        ensure!(
            first == RecordEvent::Synced,
            "the first event was {first:?}"
        );
        Ok(watcher)
    }

    /// Reads what comes in a span, and heeds it later: the store is down.
    pub(super) async fn pass(&mut self, span: Duration) -> Result<(), Halt> {
        let (events, waiting) = (&mut self.events, &mut self.waiting);
        let reading = async {
            while let Some(event) = events.next().await {
                waiting.extend(event.ok());
            }
        };
        match tokio::time::timeout(span, reading).await {
            Ok(()) => Err(Halt::Failed("the watch has ended".to_owned())),
            Err(_) => Ok(()),
        }
    }

    /// The next event, which must come. An error is none: it ends nothing.
    pub(super) async fn next(&mut self) -> Result<RecordEvent, Halt> {
        let bound = self.ground.bound();
        let events = &mut self.events;
        let event = tokio::time::timeout(bound, async {
            loop {
                match events.next().await {
                    Some(Ok(event)) => return Some(event),
                    Some(Err(_)) => {}
                    None => return None,
                }
            }
        });
        let event = event
            .await
            .map_err(|_| Halt::Failed(format!("no event came in {bound:?}")))?;
        let event = event.ok_or_else(|| Halt::Failed("the watch has ended".to_owned()))?;
        self.resyncs += usize::from(event == RecordEvent::Resync);
        Ok(event)
    }

    /// Takes an event into account.
    async fn heed(&mut self, event: RecordEvent) -> Result<(), Halt> {
        match event {
            RecordEvent::Changed { key, .. } => {
                match self.store.get(&key).await? {
                    Some(record) => self.known.insert(key, record.version),
                    None => self.known.remove(&key),
                };
            }
            RecordEvent::Resync | RecordEvent::Synced => {
                let all = list(&self.store, &self.below, 1000).await?;
                self.known = all.into_iter().collect();
            }
        }
        Ok(())
    }

    /// Heeds what comes until a record is known at a version.
    pub(super) async fn until_known(&mut self, name: &str, version: &Version) -> Result<(), Halt> {
        let name = key(name)?;
        for event in std::mem::take(&mut self.waiting) {
            self.heed(event).await?;
        }
        while self.known.get(&name) != Some(version) {
            let event = self.next().await?;
            self.heed(event).await?;
        }
        Ok(())
    }

    /// The changes that are told until two more writes, one after the other, are told.
    ///
    /// What was changed before them was told by then.
    pub(super) async fn until_marked(
        &mut self,
        writer: &Handle,
        mark: &str,
    ) -> Result<Vec<(Key, Option<Version>)>, Halt> {
        let mut told = Vec::new();
        for nth in 1..=2 {
            let name = format!("{}{mark}{nth}", self.below);
            put(writer, &name, "", Expect::Absent).await?;
            let name = key(&name)?;
            loop {
                match self.next().await? {
                    RecordEvent::Changed { key, .. } if key == name => break,
                    RecordEvent::Changed { key, version } => told.push((key, version)),
                    other => ensure!(false, "nothing was lost, and the watch told {other:?}"),
                }
            }
        }
        let mark = format!("{}{mark}", self.below);
        told.retain(|it| !it.0.as_str().starts_with(&mark));
        Ok(told)
    }
}
