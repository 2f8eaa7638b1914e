//! What goes wrong in memory, and when: so that callers are tried with every failure.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::RecordError;

/// What goes wrong with a [`MemoryRecords`](super::MemoryRecords), and when.
///
/// Clones share their plan, which may be changed while the store is at work.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use acme_store::{BoxFuture, messages::{Clock, Timestamp}};
/// use acme_store::{Expect, Fault, Key, Life, MemoryRecords, Operation, RecordStore, WriteError};
/// # #[derive(Debug)]
/// # struct StoppedClock;
/// # impl Clock for StoppedClock {
/// #     fn now(&self) -> Timestamp { Timestamp::UNIX_EPOCH }
/// #     fn monotonic(&self) -> Duration { Duration::ZERO }
/// #     fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> { Box::pin(std::future::pending()) }
/// # }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = MemoryRecords::new(Arc::new(StoppedClock));
/// // The next put succeeds, and the answer of the one behind it is lost.
/// store.faults().inject(Operation::Put, 1, Fault::AppliedThenUnavailable);
///
/// let key: Key = "k".parse()?;
/// let version = store.put(&key, "1".into(), Expect::Absent, Life::Durable).await?;
/// let lost = store.put(&key, "2".into(), version.into(), Life::Durable).await;
/// assert!(matches!(lost, Err(WriteError::Store(error)) if error.is_maybe_applied()));
/// assert_eq!(store.get(&key).await?.expect("it was put").value, "2");
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FaultPlan {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    plan: Mutex<Plan>,
    /// How many operations wait, and how often they were let go.
    stalls: watch::Sender<(usize, u64)>,
}

#[derive(Debug, Default)]
struct Plan {
    planned: Vec<Planned>,
    counts: HashMap<Operation, usize>,
    outage: bool,
}

#[derive(Debug)]
struct Planned {
    operation: Option<Operation>,
    after: usize,
    fault: Fault,
}

/// A kind of operation on a record store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the method of the same name")]
pub enum Operation {
    Acquire,
    Commit,
    Delete,
    Get,
    List,
    Now,
    Put,
    Release,
    Renew,
}

/// What goes wrong with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is done, and the answer does not come before [`resume`](FaultPlan::resume).
    AppliedThenStall,
    /// It is done, and the answer is lost.
    AppliedThenUnavailable,
    /// It is refused.
    Denied,
    /// It is done after [`resume`](FaultPlan::resume), and not at all if its future
    /// is dropped before.
    Stall,
    /// It is not done.
    Unavailable,
}

impl FaultPlan {
    pub(super) fn new() -> Self {
        let shared = Shared {
            plan: Mutex::default(),
            stalls: watch::Sender::new((0, 0)),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Lets an operation of this kind go wrong, once, when `after` more have gone
    /// their way.
    pub fn inject(&self, operation: Operation, after: usize, fault: Fault) {
        self.plan(Some(operation), after, fault);
    }

    /// Lets an operation of whatever kind go wrong, once, when `after` more have gone
    /// their way.
    pub fn inject_any(&self, after: usize, fault: Fault) {
        self.plan(None, after, fault);
    }

    /// Takes everything planned back, and lets go what waits.
    pub fn clear(&self) {
        let mut plan = self.lock();
        plan.planned.clear();
        plan.outage = false;
        drop(plan);
        self.resume();
    }

    /// Whether each operation is unavailable from now on.
    pub fn set_outage(&self, outage: bool) {
        self.lock().outage = outage;
    }

    /// Lets every operation go on that waits.
    pub fn resume(&self) {
        self.shared.stalls.send_modify(|it| it.1 += 1);
    }

    /// Waits until at least `count` operations wait.
    pub async fn wait_for_stalled(&self, count: usize) {
        let mut stalls = self.shared.stalls.subscribe();
        // The sender lives as long as this plan: there is no error to meet.
        let _ = stalls.wait_for(|it| it.0 >= count).await;
    }

    /// How many operations of a kind have begun.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        self.lock().counts.get(&operation).copied().unwrap_or(0)
    }

    /// Whether a fault that was planned has not come yet.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        !self.lock().planned.is_empty()
    }

    fn plan(&self, operation: Option<Operation>, after: usize, fault: Fault) {
        self.lock().planned.push(Planned {
            operation,
            after,
            fault,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        // Nothing below panics half-way through a change.
        self.shared
            .plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to the operation that begins now.
    fn next(&self, operation: Operation) -> Option<Fault> {
        let mut plan = self.lock();
        *plan.counts.entry(operation).or_default() += 1;
        if plan.outage {
            return Some(Fault::Unavailable);
        }
        let mut due = None;
        for (at, planned) in plan.planned.iter_mut().enumerate() {
            if planned.operation.is_some_and(|it| it != operation) {
                continue;
            }
            if planned.after == 0 && due.is_none() {
                due = Some(at);
            }
            planned.after = planned.after.saturating_sub(1);
        }
        due.map(|at| plan.planned.remove(at).fault)
    }

    /// Does an operation, or what was planned for it.
    pub(super) async fn apply<T, E: From<RecordError>>(
        &self,
        operation: Operation,
        work: impl FnOnce() -> Result<T, E> + Send,
    ) -> Result<T, E>
    where
        Result<T, E>: Send,
    {
        let unavailable = |maybe_applied| {
            E::from(RecordError::unavailable(
                maybe_applied,
                "a fault was planned",
            ))
        };
        match self.next(operation) {
            None => work(),
            Some(Fault::AppliedThenStall) => {
                let result = work();
                self.stall().await;
                result
            }
            Some(Fault::AppliedThenUnavailable) => {
                // Whatever came of it, nobody is told.
                drop(work());
                Err(unavailable(true))
            }
            Some(Fault::Denied) => Err(RecordError::denied("a refusal was planned").into()),
            Some(Fault::Stall) => {
                self.stall().await;
                work()
            }
            Some(Fault::Unavailable) => Err(unavailable(false)),
        }
    }

    async fn stall(&self) {
        let mut stalls = self.shared.stalls.subscribe();
        let let_go = stalls.borrow().1;
        let _waiting = Waiting::new(&self.shared.stalls);
        let _ = stalls.wait_for(|it| it.1 > let_go).await;
    }
}

/// One operation that waits, counted until it is done or dropped.
struct Waiting<'a>(&'a watch::Sender<(usize, u64)>);

impl<'a> Waiting<'a> {
    fn new(stalls: &'a watch::Sender<(usize, u64)>) -> Self {
        stalls.send_modify(|it| it.0 += 1);
        Self(stalls)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|it| it.0 -= 1);
    }
}
