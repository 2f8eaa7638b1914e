//! From the store to the snapshot that handshakes read: parsed here, off their path.

use std::{sync::Arc, time::Duration};

use acme_messages::{Clock, ServerName};
use acme_service::ServiceEvent;
use acme_store::{
    BoxFuture, BoxStream, CertificateStore, CertificateStoreExt, Entry, EntryState, StoreEvent,
};
use futures_util::StreamExt;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::serving::{Seen, Serving};

/// How many certificates are parsed before others get the thread.
const BATCH: usize = 64;

/// The first pause before a store that failed is read again; each further one is
/// twice as long.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// The longest such pause.
const LAST_RETRY: Duration = Duration::from_secs(10 * 60);

/// Keeps a resolver's snapshot like a store.
///
/// What cannot be read or used leaves what is served as it is; only a name that
/// is certainly gone is taken out.
#[derive(Debug)]
pub(crate) struct Sync {
    pub(crate) store: Arc<dyn CertificateStore>,
    pub(crate) serving: Serving,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Whether a look has seen what it looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Complete,
    /// Something could not be read, and may be later.
    TryAgain,
}

impl Sync {
    /// Follows the store until the service, whose events these are, ends.
    ///
    /// Beside the store's own hints, each of the service's checks is an occasion
    /// to look: a store need not be able to tell what has changed.
    pub(crate) async fn run(self, mut events: broadcast::Receiver<ServiceEvent>) {
        let mut hints = self.store.watch();
        let mut retry: Option<BoxFuture<'static, ()>> = None;
        let mut pause = FIRST_RETRY;
        loop {
            let one = tokio::select! {
                hint = next_hint(&mut hints) => match hint {
                    StoreEvent::Changed(name) => Some(name),
                    _ => None,
                },
                event = events.recv() => match event {
                    Ok(ServiceEvent::Checked { .. }) | Err(RecvError::Lagged(_)) => None,
                    Ok(_) => continue,
                    Err(RecvError::Closed) => return,
                },
                () = due(&mut retry) => None,
            };
            let everything = one.is_none();
            let look = match one {
                Some(name) => self.look_at(vec![name]).await,
                None => self.look_at_all().await,
            };
            match look {
                Look::Complete if everything => {
                    retry = None;
                    pause = FIRST_RETRY;
                }
                Look::TryAgain if everything || retry.is_none() => {
                    retry = Some(self.clock.sleep(pause));
                    pause = (2 * pause).min(LAST_RETRY);
                }
                _ => {}
            }
        }
    }

    /// Reads every entry that has changed.
    pub(crate) async fn look_at_all(&self) -> Look {
        self.serving.begin_look();
        match self.store.list_all().await {
            Ok(listed) => self.look_at(self.serving.compare(listed)).await,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "the store cannot be listed; what was served is served on");
                Look::TryAgain
            }
        }
    }

    /// Reads these entries, and swaps the snapshot once.
    async fn look_at(&self, mut names: Vec<ServerName>) -> Look {
        let mut look = Look::Complete;
        while !names.is_empty() {
            self.serving.begin_look();
            let mut seen = Vec::with_capacity(names.len());
            for (at, name) in names.into_iter().enumerate() {
                if at % BATCH == BATCH - 1 {
                    tokio::task::yield_now().await;
                }
                match self.store.get(&name).await {
                    Ok(entry) => seen.push(self.see(name, entry)),
                    Err(error) => {
                        let cause = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::warn!(%name, %error, cause, "an entry cannot be read; what was served is served on");
                        if error.is_transient() {
                            look = Look::TryAgain;
                        }
                    }
                }
            }
            names = self.serving.apply(seen);
        }
        look
    }

    fn see(&self, name: ServerName, entry: Option<Entry>) -> Seen {
        let (version, contents) = match entry {
            Some(entry) => (Some(entry.version), Some(entry.contents)),
            None => (None, None),
        };
        let key = match contents {
            Some(EntryState::Bundle(bundle)) => self
                .serving
                .load(&bundle)
                .inspect_err(
                    |error| tracing::warn!(%name, %error, "a certificate cannot be served"),
                )
                .ok(),
            _ => None,
        };
        Seen { name, version, key }
    }
}

/// The next hint; a stream that ends has nothing more to say.
async fn next_hint(hints: &mut BoxStream<'static, StoreEvent>) -> StoreEvent {
    match hints.next().await {
        Some(hint) => hint,
        None => std::future::pending().await,
    }
}

/// The end of a pause, if there is one.
async fn due(retry: &mut Option<BoxFuture<'static, ()>>) {
    match retry {
        Some(pause) => {
            pause.await;
            *retry = None;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
