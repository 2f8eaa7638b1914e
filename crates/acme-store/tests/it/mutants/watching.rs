//! What mutants tell their watchers.

use std::{future::ready, sync::Arc, task::Poll};

use acme_store::{BoxStream, Prefix, RecordError, RecordEvent, RecordStore};
use futures_util::{FutureExt, StreamExt, stream};

use super::mutant::{Mutant, Mutation as M};
use crate::records::{self, key, prefix};

pub(super) fn watch(
    mutant: &Mutant,
    below: &Prefix,
) -> BoxStream<'static, Result<RecordEvent, RecordError>> {
    let mutation = mutant.mutation;
    let wild = below.as_str().find(['_', '%', '*', '?', '[']);
    let below = match (mutation, wild) {
        (M::EverythingIsTold, _) => prefix(""),
        (M::WatchedPrefixIsAPattern, Some(wild)) => prefix(&below.as_str()[..wild]),
        _ => below.clone(),
    };
    let inner = mutant.inner().watch(&below);
    let extra = stream::unfold(mutant.shared.extra.subscribe(), |mut extra| async {
        Some((Ok(extra.recv().await.ok()?), extra))
    });
    if mutation == M::WatchLeaks {
        let leaked = mutant.inner().watch(&below).map(drop);
        mutant.shared.leaked.lock().unwrap().push(Box::pin(leaked));
    }
    if mutation == M::SyncedBeforeLive {
        // It subscribes with the second poll.
        let shared = Arc::clone(&mutant.shared);
        let first = stream::once(ready(Ok(RecordEvent::Synced)));
        let later = stream::once(async move {
            tokio::task::yield_now().await;
            shared.inner.watch(&below).skip(1)
        });
        return Box::pin(first.chain(later.flatten()));
    }
    if mutation == M::WatchEndsInAnOutage {
        let (shared, mut inner, mut ended) = (Arc::clone(&mutant.shared), inner, false);
        return Box::pin(stream::poll_fn(move |cx| {
            let probe = shared.inner.get(&key("probe")).now_or_never();
            ended |= probe.is_some_and(|it| it.is_err());
            if ended {
                return Poll::Pending;
            }
            inner.poll_next_unpin(cx)
        }));
    }
    let shared = Arc::clone(&mutant.shared);
    let mut first_version = None;
    let events = stream::select(inner, extra).filter_map(move |event| {
        let event = event.map(|event| match (mutation, event) {
            (M::DeletesAreSilent, RecordEvent::Changed { version: None, .. })
            | (M::LossIsSilent | M::OverflowIsSilent, RecordEvent::Resync)
            | (M::NoSynced, RecordEvent::Synced) => None,
            (M::CommitIsSilent, RecordEvent::Changed { key, .. })
                if shared.silent.lock().unwrap().contains(&key) =>
            {
                None
            }
            (M::WatchedKeysAreLines, RecordEvent::Changed { key, version }) => {
                let line = key.as_str().lines().next().unwrap_or("-");
                let key = records::key(line);
                Some(RecordEvent::Changed { key, version })
            }
            (M::VersionsGoBack, RecordEvent::Changed { key, version }) => {
                let first = first_version.get_or_insert_with(|| version.clone()).clone();
                let even = version.as_ref().is_some_and(|it| it.as_bytes()[7] % 2 == 0);
                let version = if even { first } else { version };
                Some(RecordEvent::Changed { key, version })
            }
            (_, event) => Some(event),
        });
        ready(event.transpose())
    });
    Box::pin(events)
}
