//! What a check stands on: a namespace of its own, and ways to say what went wrong.

use std::{
    error::Error,
    fmt::Write,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use acme_messages::jose::BoxFuture;

use super::{
    Outcome, Suite,
    suite::{BoxError, Hooks},
};
use crate::{
    Acquired, CommitError, Expect, Key, Lease, Life, NodeId, Op, Prefix, RecordStore, Version,
    WriteError,
};

/// One check.
#[derive(Clone, Copy)]
pub(super) struct Check {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) make: fn(Ground) -> BoxFuture<'static, Made>,
}

/// A handle of the store.
pub(super) type Handle = Arc<dyn RecordStore>;

/// What came of a check.
pub(super) type Made = Result<(), Halt>;

/// Why a check was not passed.
#[derive(Debug)]
pub(super) enum Halt {
    Failed(String),
    Skipped(String),
}

/// Whatever a check does not expect fails it.
impl<E: Error> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(told(&error))
    }
}

/// An error with its causes.
pub(super) fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        let _ = write!(text, ": {it}");
        cause = it.source();
    }
    text
}

impl From<Halt> for Outcome {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Failed(reason) => Self::Failed { reason },
            Halt::Skipped(reason) => Self::Skipped { reason },
        }
    }
}

/// Fails the check unless something holds.
macro_rules! ensure {
    ($holds:expr, $($reason:tt)+) => {
        if !$holds {
            return Err($crate::conformance::ground::Halt::Failed(format!($($reason)+)));
        }
    };
}

/// Declares a check: its id, what is asked, and the function that asks.
macro_rules! check {
    ($id:literal, $title:literal, $make:path) => {
        $crate::conformance::ground::Check {
            id: $id,
            title: $title,
            make: |ground| Box::pin($make(ground)),
        }
    };
}

pub(super) use {check, ensure};

/// What a check works with.
#[derive(Clone)]
pub(super) struct Ground {
    pub(super) suite: Suite,
    pub(super) namespace: String,
}

impl Ground {
    pub(super) fn new(suite: &Suite, id: &str) -> Result<Self, Halt> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let random = u64::from_be_bytes(random);
        Ok(Self {
            suite: suite.clone(),
            namespace: format!("{}-{random:016x}", id.to_ascii_lowercase()),
        })
    }

    pub(super) fn hooks(&self) -> &Hooks {
        &self.suite.hooks
    }

    /// A ground beside this one.
    pub(super) fn other(&self) -> Self {
        Self {
            suite: self.suite.clone(),
            namespace: format!("{}-other", self.namespace),
        }
    }

    pub(super) async fn open(&self) -> Result<Handle, Halt> {
        (self.suite.open)(self.namespace.clone())
            .await
            .map_err(failed("a handle could not be opened"))
    }

    /// Three handles, as three nodes have them.
    pub(super) async fn three(&self) -> Result<[Handle; 3], Halt> {
        Ok([self.open().await?, self.open().await?, self.open().await?])
    }

    pub(super) async fn pass(&self, span: Duration) {
        (self.suite.pass)(span).await;
    }

    pub(super) const fn ttl(&self) -> Duration {
        self.suite.ttl
    }

    pub(super) const fn bound(&self) -> Duration {
        self.suite.bound
    }

    /// Asks for a lease again and again while `span` passes.
    pub(super) async fn granted_within(
        &self,
        store: &Handle,
        name: &str,
        span: Duration,
    ) -> Result<Lease, Halt> {
        let step = self.ttl() / 20;
        let mut passed = Duration::ZERO;
        loop {
            if let Acquired::Granted(lease) = acquire(store, name, "b", self.ttl()).await? {
                return Ok(lease);
            }
            ensure!(passed <= span, "{name} was not granted within {span:?}");
            self.pass(step).await;
            passed += step;
        }
    }
}

/// A skip for want of a hook.
pub(super) fn missing(hook: &str) -> Halt {
    Halt::Skipped(format!("the hook `{hook}` was not given"))
}

/// A skip for want of atomic commits.
pub(super) fn one_record_only() -> Halt {
    Halt::Skipped("the store guards single records".to_owned())
}

/// A failure outside the store's own errors.
pub(super) fn failed(what: &str) -> impl FnOnce(BoxError) -> Halt {
    move |error| Halt::Failed(format!("{what}: {}", told(&*error)))
}

/// A key that is certainly one.
pub(super) fn key(text: &str) -> Result<Key, Halt> {
    Ok(text.parse()?)
}

pub(super) fn prefix(text: &str) -> Result<Prefix, Halt> {
    Ok(text.parse()?)
}

pub(super) fn node(text: &str) -> Result<NodeId, Halt> {
    Ok(text.parse()?)
}

pub(super) async fn put(
    store: &Handle,
    name: &str,
    value: &str,
    expected: impl Into<Expect>,
) -> Result<Version, Halt> {
    let value = value.to_owned().into();
    let put = store
        .put(&key(name)?, value, expected.into(), Life::Durable)
        .await;
    put.map_err(|error| Halt::Failed(format!("{name} was not put: {}", told(&error))))
}

/// The value of a record; `None` when there is none.
pub(super) async fn value(store: &Handle, name: &str) -> Result<Option<String>, Halt> {
    let record = store.get(&key(name)?).await?;
    Ok(record.map(|it| String::from_utf8_lossy(&it.value).into_owned()))
}

/// What is there now, to be expected by a write.
pub(super) async fn current(store: &Handle, name: &str) -> Result<Expect, Halt> {
    let record = store.get(&key(name)?).await?;
    Ok(record.map_or(Expect::Absent, |it| it.version.into()))
}

/// All keys below a prefix with their versions, page by page.
pub(super) async fn list(
    store: &Handle,
    below: &str,
    limit: usize,
) -> Result<Vec<(Key, Version)>, Halt> {
    let below = prefix(below)?;
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(&below, after, limit).await?;
        ensure!(
            page.items.len() <= limit,
            "a page of {limit} has {} keys",
            page.items.len()
        );
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

pub(super) async fn acquire(
    store: &Handle,
    name: &str,
    owner: &str,
    ttl: Duration,
) -> Result<Acquired, Halt> {
    Ok(store.acquire(&key(name)?, &node(owner)?, ttl).await?)
}

/// A lease that nobody can have yet.
pub(super) async fn granted(
    store: &Handle,
    name: &str,
    owner: &str,
    ttl: Duration,
) -> Result<Lease, Halt> {
    match acquire(store, name, owner, ttl).await? {
        Acquired::Granted(lease) => Ok(lease),
        Acquired::Held { owner, .. } => Err(Halt::Failed(format!(
            "{name} is free, and was said to be held by {owner}"
        ))),
    }
}

/// Writes one record under a lease.
pub(super) async fn commit(
    store: &Handle,
    guard: &Lease,
    name: &str,
    value: &str,
    expected: impl Into<Expect>,
) -> Result<Result<(), CommitError>, Halt> {
    let op = put_op(name, value, expected)?;
    Ok(store.commit(guard, vec![op]).await.map(drop))
}

pub(super) fn put_op(name: &str, value: &str, expected: impl Into<Expect>) -> Result<Op, Halt> {
    Ok(Op::Put {
        key: key(name)?,
        value: value.to_owned().into(),
        expected: expected.into(),
        life: Life::Durable,
    })
}

/// A write that must be refused as a conflict.
pub(super) fn refused<T>(what: &str, result: Result<T, WriteError>) -> Made {
    match result {
        Err(WriteError::Conflict) => Ok(()),
        Err(other) => Err(Halt::Failed(format!("{what}: {}", told(&other)))),
        Ok(_) => Err(Halt::Failed(format!("{what} was not refused"))),
    }
}

/// Asks again and again, until there is an answer or time is up.
pub(super) async fn within<T, F>(ground: &Ground, ask: impl Fn() -> F) -> Result<T, Halt>
where
    F: Future<Output = Result<T, Halt>>,
{
    let give_up = tokio::time::Instant::now() + ground.bound();
    loop {
        match ask().await {
            Err(_) if tokio::time::Instant::now() < give_up => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            answer => return answer,
        }
    }
}

/// Works on something for so many steps, and drops it if it is not done by then.
pub(super) async fn give_up_after<T>(steps: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = steps;
    poll_fn(|cx| {
        left = left.saturating_sub(1);
        match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Writes over whatever is there, by looking again while others write.
pub(super) async fn overwrite(
    ground: &Ground,
    store: &Handle,
    name: &str,
    value: &str,
) -> Result<Version, Halt> {
    let give_up = tokio::time::Instant::now() + ground.bound();
    let name_of = key(name)?;
    loop {
        let expected = current(store, name).await?;
        let value = value.to_owned().into();
        match store.put(&name_of, value, expected, Life::Durable).await {
            Ok(version) => return Ok(version),
            Err(WriteError::Conflict) if tokio::time::Instant::now() < give_up => {}
            Err(other) => {
                let told = told(&other);
                return Err(Halt::Failed(format!("{name} was not put: {told}")));
            }
        }
    }
}

/// Waits for tasks, each of which is a part of the check.
pub(super) async fn join<T: Send + 'static>(
    tasks: impl IntoIterator<Item = BoxFuture<'static, Result<T, Halt>>>,
) -> Result<Vec<T>, Halt> {
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    let mut done = Vec::with_capacity(tasks.len());
    for task in futures_util::future::join_all(tasks).await {
        done.push(task??);
    }
    Ok(done)
}
