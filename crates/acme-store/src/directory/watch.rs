//! Watching the directory: the system tells of changes where it can, and looking finds the others.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use acme_messages::{ServerName, jose::BoxFuture};
use futures_core::stream::BoxStream;
use futures_util::{
    future::{Either, select},
    stream,
};

use super::{
    DirectoryOptions, DirectoryStore, Folder, listing, look,
    notification::{Notifier, Told},
};
use crate::{Cursor, Listed, StoreError, StoreEvent};

/// The part of the time that looking may take: a twentieth.
const REST: u32 = 20;

/// The shortest pause, should somebody choose none at all.
const MIN_PAUSE: Duration = Duration::from_millis(1);

/// More changes than this are told as one [`StoreEvent::Resync`].
pub(super) const MAX_CHANGES: usize = 1024;

/// How many intervals go by between two looks, while the system tells of changes:
/// a minute's worth, for what it does not tell of, such as the other machines of
/// a disk that is shared unknown to us.
const QUIET: u32 = 60;

pub(super) fn watch(
    store: DirectoryStore,
    options: DirectoryOptions,
) -> BoxStream<'static, StoreEvent> {
    let watcher = Watcher {
        store,
        options,
        hasher: RandomState::new(),
        notifier: None,
        seen: None,
        links: false,
        readable: false,
        events: VecDeque::new(),
        pause: Duration::ZERO,
        sleep: None,
        until_look: 0,
        until_connect: 0,
    };
    Box::pin(stream::unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await;
        Some((event, watcher))
    }))
}

struct Watcher {
    store: DirectoryStore,
    options: DirectoryOptions,
    hasher: RandomState,
    /// `None` where the system cannot tell, or cannot just now.
    notifier: Option<Notifier>,
    /// What was there at the last look, each version as its hash; `None` before
    /// the first look, and after one that failed.
    seen: Option<BTreeMap<ServerName, u64>>,
    /// Whether there were links, of whose targets no system tells.
    links: bool,
    /// Whether the last look went well; that one does not any more is said once.
    readable: bool,
    events: VecDeque<StoreEvent>,
    /// How long the next sleep is; zero before the first look.
    pause: Duration,
    /// The sleep that goes on, whatever is told meanwhile.
    sleep: Option<BoxFuture<'static, ()>>,
    /// Intervals until the next look at everything.
    until_look: u32,
    /// Looks until the system is asked again to tell of changes.
    until_connect: u32,
}

impl Watcher {
    async fn next(&mut self) -> StoreEvent {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            match self.wake().await {
                None => self.tick().await,
                Some(Told::Changed(names)) => self.look_at(names).await,
                Some(Told::Lost) => self.forget(),
                Some(Told::TooMuch) => self.seen = None,
            }
        }
    }

    /// Waits until there is something to do: what was told, or nothing but time.
    async fn wake(&mut self) -> Option<Told> {
        if self.pause.is_zero() {
            // The first time there is nothing to wait for.
            return None;
        }
        let clock = &self.options.clock;
        let sleep = self.sleep.get_or_insert_with(|| clock.sleep(self.pause));
        // What is told before the next look at everything is a part of that.
        if let (Some(notifier), Some(_)) = (&self.notifier, &self.seen) {
            let told = std::pin::pin!(notifier.told());
            if let Either::Right((told, _)) = select(&mut *sleep, told).await {
                return Some(told);
            }
        } else {
            sleep.await;
        }
        self.sleep = None;
        None
    }

    async fn tick(&mut self) {
        if let Some(notifier) = &self.notifier {
            let watched = notifier.directory();
            let same = move |folder: &Folder| Ok(folder.identity()? == watched);
            // The path may lead to another directory now: nobody tells of that.
            if !matches!(self.store.blocking("look at", same).await, Ok(true)) {
                self.forget();
            }
            self.until_look = self.until_look.saturating_sub(1);
            if self.seen.is_some() && self.until_look > 0 && !self.links {
                return self.rest(Duration::ZERO);
            }
        }
        self.look().await;
    }

    /// Whatever was known is of another directory, or of none.
    fn forget(&mut self) {
        self.notifier = None;
        self.seen = None;
        self.until_connect = 0;
    }

    /// Looks at everything, with somebody who tells of what changes from now on.
    async fn look(&mut self) {
        let began = self.options.clock.monotonic();
        self.connect().await;
        let listed = self.list().await;
        match listed {
            Ok((new, links)) => {
                self.events = changes(self.seen.as_ref(), &new);
                self.seen = Some(new);
                self.links = links;
                self.readable = true;
                self.until_look = QUIET;
            }
            Err(error) => {
                self.forget();
                if std::mem::take(&mut self.readable) {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, "the certificate directory cannot be read any more");
                }
            }
        }
        let took = self.options.clock.monotonic().saturating_sub(began);
        self.rest(took);
    }

    fn rest(&mut self, after: Duration) {
        let pause = self.options.poll_interval.max(after * REST);
        self.pause = pause.max(MIN_PAUSE);
        self.sleep = None;
    }

    async fn connect(&mut self) {
        if self.notifier.is_some() || !self.options.notifications {
            return;
        }
        if self.until_connect > 0 {
            self.until_connect -= 1;
            return;
        }
        match self.store.blocking("watch", Notifier::new).await {
            Ok(notifier) => self.notifier = Some(notifier),
            // Looking will say so, and finds out when it is back.
            Err(StoreError::DirectoryMissing { .. } | StoreError::NotADirectory { .. }) => {}
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::debug!(
                    %error, cause,
                    "nobody tells of changes to the certificate directory: looking for them instead",
                );
                self.until_connect = QUIET;
            }
        }
    }

    async fn list(&mut self) -> Result<(BTreeMap<ServerName, u64>, bool), StoreError> {
        let mut all = BTreeMap::new();
        let mut any_links = false;
        let mut after: Option<Cursor> = None;
        loop {
            let page = move |folder: &Folder| listing::page(folder, after.as_ref());
            let listing::Looked { page, links } = self.store.blocking("list", page).await?;
            any_links |= links;
            let items = page.items.into_iter();
            all.extend(items.map(|it| (it.name, self.hasher.hash_one(it.version))));
            after = page.next;
            if after.is_none() {
                return Ok((all, any_links));
            }
        }
    }

    /// Looks at what was told of: what is no entry, and was none, is nobody's business.
    async fn look_at(&mut self, names: Vec<ServerName>) {
        let looked = self.store.blocking("look at", move |folder| {
            let mut look = look::Look::new(folder)?;
            let entries = names.into_iter().map(|name| {
                let entry = look.entry(&name)?;
                Ok((name, entry))
            });
            let entries = entries.collect::<Result<Vec<_>, StoreError>>()?;
            Ok((entries, look.links))
        });
        let (Ok((entries, links)), Some(seen)) = (looked.await, &mut self.seen) else {
            return self.forget();
        };
        self.links |= links;
        for (name, entry) in entries {
            let known = match entry {
                Some(Listed { version, .. }) => {
                    seen.insert(name.clone(), self.hasher.hash_one(version));
                    true
                }
                None => seen.remove(&name).is_some(),
            };
            if known {
                self.events.push_back(StoreEvent::Changed(name));
            }
        }
    }
}

fn changes(
    old: Option<&BTreeMap<ServerName, u64>>,
    new: &BTreeMap<ServerName, u64>,
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
