//! Leases: the right to do something until it ends by itself.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

#[cfg(doc)]
use acme_messages::Clock;
use acme_messages::Timestamp;

use super::{InvalidKey, Key};

/// Who asks for leases: a process, by a name that no other process has.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = InvalidKey;

    /// Takes what would be a key.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Key>().map(|it| Self(it.as_str().into()))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// What became of asking for a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The lease is the asker's.
    Granted(Lease),
    /// Somebody has it.
    Held {
        /// Who.
        owner: NodeId,
        /// Since when, by the store's clock if it keeps that.
        since: Option<Timestamp>,
    },
}

/// A lease as its holder knows it.
///
/// The store recognizes it by its nonce. That it is past its deadline is for the
/// holder to see, and to stop: whatever it still commits is fenced.
#[derive(Clone, PartialEq, Eq)]
pub struct Lease {
    name: Key,
    owner: NodeId,
    epoch: u64,
    nonce: [u8; Self::NONCE_LENGTH],
    sent: Duration,
    ttl: Duration,
}

impl Lease {
    /// Random bytes of a nonce: 128 bits, so that none is given twice, even by a
    /// server that has forgotten.
    pub const NONCE_LENGTH: usize = 16;

    /// A lease that a store has granted to a request sent at `sent`.
    ///
    /// The moment of sending counts, by the [monotonic time](Clock::monotonic) of
    /// the holder's clock, since the store may have begun to count the moment it
    /// came.
    #[must_use]
    pub const fn new(
        name: Key,
        owner: NodeId,
        epoch: u64,
        nonce: [u8; Self::NONCE_LENGTH],
        sent: Duration,
        ttl: Duration,
    ) -> Self {
        Self {
            name,
            owner,
            epoch,
            nonce,
            sent,
            ttl,
        }
    }

    /// What the lease is for.
    #[must_use]
    pub const fn name(&self) -> &Key {
        &self.name
    }

    /// Who has it.
    #[must_use]
    pub const fn owner(&self) -> &NodeId {
        &self.owner
    }

    /// How many times it was granted before, for people; a server that has
    /// forgotten counts anew.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What the store recognizes it by.
    #[must_use]
    pub const fn nonce(&self) -> &[u8; Self::NONCE_LENGTH] {
        &self.nonce
    }

    /// The span it was granted for.
    #[must_use]
    pub const fn ttl(&self) -> Duration {
        self.ttl
    }

    /// When it was asked for, by the [monotonic time](Clock::monotonic) of the
    /// holder's clock.
    #[must_use]
    pub const fn sent(&self) -> Duration {
        self.sent
    }

    /// The lease as a store has renewed it, which was asked for at `sent`.
    #[must_use]
    pub fn sent_at(&self, sent: Duration) -> Self {
        Self {
            sent,
            ..self.clone()
        }
    }

    /// When the holder must have stopped, by the [monotonic time](Clock::monotonic)
    /// of its clock: no step of the wall clock moves it.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.sent.saturating_add(self.ttl)
    }

    /// What is left of it at a [monotonic time](Clock::monotonic); nothing once it
    /// has ended.
    ///
    /// ```
    /// use std::time::Duration;
    /// use acme_store::Lease;
    ///
    /// let (sent, ttl) = (Duration::from_secs(100), Duration::from_secs(30));
    /// let lease = Lease::new("job".parse()?, "node".parse()?, 1, [0; 16], sent, ttl);
    /// assert_eq!(lease.remaining(Duration::from_secs(110)), Duration::from_secs(20));
    /// assert_eq!(lease.remaining(Duration::from_secs(130)), Duration::ZERO);
    /// # Ok::<_, acme_store::InvalidKey>(())
    /// ```
    #[must_use]
    pub const fn remaining(&self, now: Duration) -> Duration {
        self.deadline().saturating_sub(now)
    }
}

/// Shows no nonce: it is what entitles.
impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("name", &self.name)
            .field("owner", &self.owner)
            .field("epoch", &self.epoch)
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}
