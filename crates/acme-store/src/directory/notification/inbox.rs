//! What was told and nobody has heard yet: bounded, whatever happens.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use acme_messages::ServerName;
use tokio::sync::Notify;

use super::Told;
use crate::directory::watch::MAX_CHANGES;

/// Where one leaves news and another waits for them.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    news: Mutex<News>,
    some: Notify,
}

/// What has happened since somebody last asked.
#[derive(Debug, Default)]
pub(super) struct News {
    changed: BTreeSet<ServerName>,
    too_much: bool,
    /// Whether nothing more will come.
    pub(super) lost: bool,
}

impl News {
    /// An entry has changed, come or gone.
    pub(super) fn changed(&mut self, name: ServerName) {
        if self.too_much {
            return;
        }
        self.changed.insert(name);
        if self.changed.len() > MAX_CHANGES {
            self.too_much();
        }
    }

    /// Anything may have changed.
    pub(super) fn too_much(&mut self) {
        self.too_much = true;
        self.changed.clear();
    }

    pub(super) fn take(&mut self) -> Option<Told> {
        if self.lost {
            return Some(Told::Lost);
        }
        let Self {
            changed, too_much, ..
        } = std::mem::take(self);
        if too_much {
            return Some(Told::TooMuch);
        }
        (!changed.is_empty()).then(|| Told::Changed(changed.into_iter().collect()))
    }
}

impl Inbox {
    pub(super) fn news(&self) -> MutexGuard<'_, News> {
        // Each change is whole: a panic elsewhere leaves none half done.
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that there may be something new.
    pub(super) fn tell(&self) {
        self.some.notify_one();
    }

    /// Waits until something was told. It may be dropped at any point.
    pub(super) async fn told(self: &Arc<Self>) -> Told {
        loop {
            if let Some(told) = self.news().take() {
                return told;
            }
            // What comes between the two is kept for us.
            self.some.notified().await;
        }
    }
}

#[cfg(test)]
mod tests;
