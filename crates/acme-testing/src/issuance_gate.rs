//! A gate that holds a fake CA's issuances back until a test lets them go.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use acme_client::Error;
use tokio::sync::{oneshot, watch};

/// Holds issuances back, counts them, and lets them go or fail.
///
/// Clones are one gate. Who gives up waiting is not counted any more.
///
/// ```
/// use acme_testing::IssuanceGate;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let gate = IssuanceGate::new(true);
/// let issuance = tokio::spawn({
///     let gate = gate.clone();
///     async move { gate.pass().await }
/// });
/// gate.wait_for_pending(1).await;
/// assert_eq!(gate.pending(), 1);
///
/// gate.resume();
/// issuance.await??;
/// gate.pass().await?; // It is open now.
/// # Ok(())
/// # }
/// ```
#[doc(alias = "FakeClientController")]
#[derive(Clone)]
pub struct IssuanceGate {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    pending: watch::Sender<usize>,
}

struct State {
    paused: bool,
    waiting: BTreeMap<u64, oneshot::Sender<Result<(), Error>>>,
    next: u64,
}

impl IssuanceGate {
    /// A gate that is closed, or open.
    #[must_use]
    pub fn new(paused: bool) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    paused,
                    waiting: BTreeMap::new(),
                    next: 0,
                }),
                pending: watch::Sender::new(0),
            }),
        }
    }

    /// Closes the gate: from now on issuances wait.
    pub fn pause(&self) {
        self.shared.lock().paused = true;
    }

    /// Opens the gate and lets all who wait go on.
    pub fn resume(&self) {
        self.resume_with(|| Ok(()));
    }

    /// Opens the gate and gives each who waits an outcome of its own.
    ///
    /// ```
    /// use acme_testing::{IssuanceGate, client::{Error, ErrorKind, Operation}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let gate = IssuanceGate::new(true);
    /// let fail = async {
    ///     gate.wait_for_pending(1).await;
    ///     gate.resume_with(|| Err(Error::new(ErrorKind::OrderFailed, Operation::Finalize)));
    /// };
    /// let (outcome, ()) = tokio::join!(gate.pass(), fail);
    /// assert_eq!(outcome.unwrap_err().kind(), ErrorKind::OrderFailed);
    /// # }
    /// ```
    pub fn resume_with(&self, outcome: impl FnMut() -> Result<(), Error>) {
        self.release(false, outcome);
    }

    /// Lets all who wait go on, and leaves the gate as it is: those who come later wait.
    ///
    /// This is what txacme's `resume` did.
    pub fn release_pending(&self) {
        let paused = self.is_paused();
        self.release(paused, || Ok(()));
    }

    /// Whether the gate is closed.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.shared.lock().paused
    }

    /// How many issuances wait.
    #[doc(alias = "count")]
    #[must_use]
    pub fn pending(&self) -> usize {
        *self.shared.pending.borrow()
    }

    /// Waits until at least `count` issuances wait.
    pub async fn wait_for_pending(&self, count: usize) {
        let mut pending = self.shared.pending.subscribe();
        // The sender lives as long as this gate: there is no error to meet.
        let _ = pending.wait_for(|now| *now >= count).await;
    }

    /// Completes when an issuance may go on; at once while the gate is open.
    ///
    /// # Errors
    /// - What [`resume_with`](Self::resume_with) gives.
    #[doc(alias = "issue")]
    pub async fn pass(&self) -> Result<(), Error> {
        let Some(mut waiter) = self.enter() else {
            return Ok(());
        };
        match (&mut waiter.outcome).await {
            Ok(outcome) => outcome,
            // Only a panic in a test's own outcome leaves one without.
            Err(_) => std::future::pending().await,
        }
    }

    fn enter(&self) -> Option<Waiter<'_>> {
        let mut state = self.shared.lock();
        if !state.paused {
            return None;
        }
        let (sender, outcome) = oneshot::channel();
        let key = state.next;
        state.next += 1;
        state.waiting.insert(key, sender);
        self.shared.pending.send_replace(state.waiting.len());
        Some(Waiter {
            shared: &self.shared,
            key,
            outcome,
        })
    }

    fn release(&self, paused: bool, mut outcome: impl FnMut() -> Result<(), Error>) {
        let waiting = {
            let mut state = self.shared.lock();
            state.paused = paused;
            self.shared.pending.send_replace(0);
            std::mem::take(&mut state.waiting)
        };
        for waiter in waiting.into_values() {
            // Who has gone meanwhile needs no outcome.
            let _ = waiter.send(outcome());
        }
    }
}

impl Default for IssuanceGate {
    /// An open gate.
    fn default() -> Self {
        Self::new(false)
    }
}

impl fmt::Debug for IssuanceGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuanceGate")
            .field("paused", &self.is_paused())
            .field("pending", &self.pending())
            .finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits, and is forgotten when it goes.
struct Waiter<'a> {
    shared: &'a Shared,
    key: u64,
    outcome: oneshot::Receiver<Result<(), Error>>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if state.waiting.remove(&self.key).is_some() {
            self.shared.pending.send_replace(state.waiting.len());
        }
    }
}
