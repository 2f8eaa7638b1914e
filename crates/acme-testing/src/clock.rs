//! A clock that stands still until a test moves it.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use acme_messages::{Clock, Timestamp, jose::BoxFuture};
use tokio::sync::watch;

/// A clock that a test moves by hand, so that a year passes in no time.
///
/// Clones share one time.
/// A sleeper counts from the call of [`sleep`](Clock::sleep) until its future
/// is done or dropped; it wakes when [`advance`](Self::advance) passes its
/// deadline, in the order of deadlines.
///
/// ```
/// use std::time::Duration;
/// use acme_testing::{ManualClock, messages::Clock};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = ManualClock::new("2026-11-23T00:00:00Z".parse()?);
/// let sleeper = tokio::spawn(clock.sleep(Duration::from_secs(60 * 60 * 24)));
/// clock.wait_for_sleepers(1).await;
/// clock.advance(Duration::from_secs(60 * 60 * 24));
/// sleeper.await?;
/// assert_eq!(clock.now(), "2026-11-24T00:00:00Z".parse()?);
/// assert_eq!(clock.sleepers(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ManualClock {
    shared: Arc<Shared>,
}

struct Shared {
    face: Mutex<Face>,
    sleepers: watch::Sender<usize>,
}

struct Face {
    wall: Timestamp,
    /// How far the clock was moved since it was made; never falls.
    elapsed: Duration,
    /// Who sleeps, by deadline and then by the order of falling asleep.
    sleepers: BTreeMap<(Duration, u64), Option<Waker>>,
    next: u64,
}

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self {
            shared: Arc::new(Shared {
                face: Mutex::new(Face {
                    wall: start,
                    elapsed: Duration::ZERO,
                    sleepers: BTreeMap::new(),
                    next: 0,
                }),
                sleepers: watch::Sender::new(0),
            }),
        }
    }

    /// Moves the time on and wakes each sleeper whose deadline is reached.
    ///
    /// What a woken task does, it does after this call: one that sleeps again
    /// sleeps from the new time on. To let it act at its very deadline, move
    /// with [`advance_to_next`](Self::advance_to_next).
    pub fn advance(&self, span: Duration) {
        let mut face = self.shared.lock();
        face.elapsed = face.elapsed.saturating_add(span);
        face.wall = later(face.wall, span);
        let elapsed = face.elapsed;
        let mut due = Vec::new();
        while let Some(entry) = face.sleepers.first_entry()
            && entry.key().0 <= elapsed
        {
            due.extend(entry.remove());
        }
        let left = face.sleepers.len();
        drop(face);
        self.shared.sleepers.send_replace(left);
        due.into_iter().for_each(Waker::wake);
    }

    /// Moves the time to the nearest deadline and wakes who waits for it.
    ///
    /// Returns how far that was; `None`, and no move, when no one sleeps.
    pub fn advance_to_next(&self) -> Option<Duration> {
        let span = {
            let face = self.shared.lock();
            let (deadline, _) = *face.sleepers.keys().next()?;
            deadline.saturating_sub(face.elapsed)
        };
        self.advance(span);
        Some(span)
    }

    /// Sets the wall clock, forwards or backwards, and wakes no one: what an
    /// operator or a time server does to a machine.
    pub fn set_wall(&self, now: Timestamp) {
        self.shared.lock().wall = now;
    }

    /// How many sleep now.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        *self.shared.sleepers.borrow()
    }

    /// Waits until at least `count` sleep.
    pub async fn wait_for_sleepers(&self, count: usize) {
        let mut sleepers = self.shared.sleepers.subscribe();
        // The sender lives as long as this clock: there is no error to meet.
        let _ = sleepers.wait_for(|now| *now >= count).await;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.shared.lock().wall
    }

    /// How far the clock was moved since it was made; [`set_wall`](Self::set_wall)
    /// does not count.
    fn monotonic(&self) -> Duration {
        self.shared.lock().elapsed
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        let mut face = self.shared.lock();
        let key = (face.elapsed.saturating_add(span), face.next);
        face.next += 1;
        if !span.is_zero() {
            face.sleepers.insert(key, None);
        }
        let count = face.sleepers.len();
        drop(face);
        self.shared.sleepers.send_replace(count);
        Box::pin(Sleep {
            shared: Arc::clone(&self.shared),
            key,
        })
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock")
            .field("now", &self.now())
            .field("sleepers", &self.sleepers())
            .finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Face> {
        self.face.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn later(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// One sleeper: done when its key is gone from the clock's face.
struct Sleep {
    shared: Arc<Shared>,
    key: (Duration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.shared.lock().sleepers.get_mut(&self.key) {
            Some(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut face = self.shared.lock();
        if face.sleepers.remove(&self.key).is_some() {
            let count = face.sleepers.len();
            drop(face);
            self.shared.sleepers.send_replace(count);
        }
    }
}
