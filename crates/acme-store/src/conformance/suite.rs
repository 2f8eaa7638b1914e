//! The checks, and what they are given to work with.

use std::{
    error::Error,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use acme_messages::{Clock, jose::BoxFuture};

use super::{
    CheckReport, Outcome, Report, failing,
    ground::{Check, Ground, Halt},
    guarding, keys, leasing, listing, reading, sealing, versions, watching,
};
use crate::{Key, Operation, RecordStore};

/// What went wrong in a hook.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A hook: what it is given, and what it gives.
pub(super) type Hook<A, R = ()> =
    Arc<dyn Fn(A) -> BoxFuture<'static, Result<R, BoxError>> + Send + Sync>;

/// The checks for one store.
///
/// Every check has a namespace of its own; a hook is told which, since an engine may
/// have several. The hooks' failures fail the check.
#[derive(Clone)]
pub struct Suite {
    name: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ttl: Duration,
    pub(super) bound: Duration,
    pub(super) keys: usize,
    pub(super) changes: usize,
    only: Option<Vec<String>>,
    pub(super) open: Hook<String, Arc<dyn RecordStore>>,
    pub(super) pass: Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>,
    pub(super) hooks: Hooks,
}

/// What must not show, and how somebody without the right credentials comes in.
pub(super) type Intruder = (Vec<String>, Hook<String, Arc<dyn RecordStore>>);

/// What only a store's author can do to its engine.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    pub(super) damage: Option<Hook<(String, Key)>>,
    pub(super) disconnect: Option<Hook<String>>,
    pub(super) hang: Option<(Duration, Hook<(String, bool)>)>,
    #[cfg(unix)]
    pub(super) helper: Option<Arc<dyn Fn(String) -> std::process::Command + Send + Sync>>,
    pub(super) intruder: Option<Intruder>,
    pub(super) lose_answer: Option<Hook<(String, Operation)>>,
    pub(super) outage: Option<Hook<(String, bool)>>,
    pub(super) restart: Option<Hook<String>>,
    pub(super) sessions: Option<Hook<String, usize>>,
    pub(super) set_wall: Option<Hook<i64>>,
}

impl Suite {
    /// 2 s: longer than a round trip anywhere, short enough to wait for.
    pub const DEFAULT_TTL: Duration = Duration::from_secs(2);

    /// 5 s: what an engine nearby never takes.
    pub const DEFAULT_BOUND: Duration = Duration::from_secs(5);

    /// Keys that are listed: more than any page.
    pub const DEFAULT_KEYS: usize = 10_000;

    /// Changes that a slow watcher does not read: more than any buffer.
    pub const DEFAULT_CHANGES: usize = 20_000;

    /// 5 min: a check that takes longer has failed.
    pub const CHECK_LIMIT: Duration = Duration::from_secs(300);

    /// Checks for the store that `open` opens a handle of.
    ///
    /// Each call gives a handle that shares no memory with the others, on the
    /// namespace that it is given; namespaces are up to 63 letters, digits and `-`, and
    /// new ones are empty. The clock is the one that the handles were given.
    pub fn new(
        name: impl Into<String>,
        clock: Arc<dyn Clock>,
        open: impl Fn(String) -> BoxFuture<'static, Result<Arc<dyn RecordStore>, BoxError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let sleeping = Arc::clone(&clock);
        Self {
            name: name.into(),
            clock,
            ttl: Self::DEFAULT_TTL,
            bound: Self::DEFAULT_BOUND,
            keys: Self::DEFAULT_KEYS,
            changes: Self::DEFAULT_CHANGES,
            only: None,
            open: Arc::new(open),
            pass: Arc::new(move |span| sleeping.sleep(span)),
            hooks: Hooks::default(),
        }
    }

    /// The span of leases and short lives; [`DEFAULT_TTL`](Self::DEFAULT_TTL).
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How long something may take that should happen at once, such as an event, or a
    /// watch that sees changes again after an outage;
    /// [`DEFAULT_BOUND`](Self::DEFAULT_BOUND).
    #[must_use]
    pub const fn bound(mut self, bound: Duration) -> Self {
        self.bound = bound;
        self
    }

    /// How many keys are listed; [`DEFAULT_KEYS`](Self::DEFAULT_KEYS).
    #[must_use]
    pub const fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        self
    }

    /// How many changes a slow watcher does not read;
    /// [`DEFAULT_CHANGES`](Self::DEFAULT_CHANGES).
    ///
    /// One after another: where each waits long for a disk, some more than the store
    /// keeps for a watcher are enough, and end within [`CHECK_LIMIT`](Self::CHECK_LIMIT).
    #[must_use]
    pub const fn changes(mut self, changes: usize) -> Self {
        self.changes = changes;
        self
    }

    /// Makes only the checks with these ids, or with ids that begin so: `"T"` are all
    /// that are about leases.
    #[must_use]
    pub fn only(mut self, ids: &[&str]) -> Self {
        self.only = Some(ids.iter().map(|it| (*it).to_owned()).collect());
        self
    }

    /// How time passes, for a store whose leases and lives end by a virtual clock.
    /// Without it the clock's sleep is waited for.
    #[must_use]
    pub fn pass(
        mut self,
        pass: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        self.pass = Arc::new(pass);
        self
    }

    /// Overwrites the record of a key, as it lies in the engine, with garbage.
    #[must_use]
    pub fn damage(
        mut self,
        hook: impl Fn(String, Key) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.damage = Some(Arc::new(move |(namespace, key)| hook(namespace, key)));
        self
    }

    /// Breaks the connections of all watchers, and of nobody else; they can be made anew
    /// at once.
    #[must_use]
    pub fn disconnect(
        mut self,
        hook: impl Fn(String) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.disconnect = Some(Arc::new(hook));
        self
    }

    /// Lets the engine accept what it is asked and not answer, or answer again, as a
    /// proxy between handles and engine does. `limit` is how long a call waits at most.
    #[must_use]
    pub fn hang(
        mut self,
        limit: Duration,
        hook: impl Fn(String, bool) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync + 'static,
    ) -> Self {
        let hook: Hook<(String, bool)> = Arc::new(move |(namespace, hangs)| hook(namespace, hangs));
        self.hooks.hang = Some((limit, hook));
        self
    }

    /// A program that opens a handle on the namespace and gives it to
    /// [`assist`](super::assist), with its standard input and output. It is stopped and
    /// killed, so time must be real.
    #[cfg(unix)]
    #[must_use]
    pub fn helper(
        mut self,
        hook: impl Fn(String) -> std::process::Command + Send + Sync + 'static,
    ) -> Self {
        self.hooks.helper = Some(Arc::new(hook));
        self
    }

    /// Opens a handle with wrong credentials, or fails to. None of the secrets may show.
    #[must_use]
    pub fn intruder(
        mut self,
        secrets: &[&str],
        hook: impl Fn(String) -> BoxFuture<'static, Result<Arc<dyn RecordStore>, BoxError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let secrets = secrets.iter().map(|it| (*it).to_owned()).collect();
        self.hooks.intruder = Some((secrets, Arc::new(hook)));
        self
    }

    /// Lets the next operation of this kind be done and its answer be lost, as a proxy
    /// between handles and engine does that passes requests on and, instead of the next
    /// answer, ends the connection. By then one of the kind was done, on a connection that
    /// stands: the next answer is that of the operation.
    #[must_use]
    pub fn lose_answer(
        mut self,
        hook: impl Fn(String, Operation) -> BoxFuture<'static, Result<(), BoxError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.hooks.lose_answer = Some(Arc::new(move |(namespace, it)| hook(namespace, it)));
        self
    }

    /// Takes the engine down, or brings it up again: done when it takes connections.
    #[must_use]
    pub fn outage(
        mut self,
        hook: impl Fn(String, bool) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.outage = Some(Arc::new(move |(namespace, down)| hook(namespace, down)));
        self
    }

    /// Stops the engine and starts it again; for one that lives in its handles, which
    /// are all dropped by then, there may be nothing to do.
    #[must_use]
    pub fn restart(
        mut self,
        hook: impl Fn(String) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.restart = Some(Arc::new(hook));
        self
    }

    /// Counts what handles and watches hold of the engine: its sessions, or files.
    #[must_use]
    pub fn sessions(
        mut self,
        hook: impl Fn(String) -> BoxFuture<'static, Result<usize, BoxError>> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.sessions = Some(Arc::new(hook));
        self
    }

    /// Sets the wall clock of the handles forward by so many seconds, or back; an engine
    /// that has a clock of its own keeps it.
    #[must_use]
    pub fn set_wall(
        mut self,
        hook: impl Fn(i64) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.set_wall = Some(Arc::new(hook));
        self
    }

    /// Makes the checks, one after another.
    ///
    /// It needs tokio's timer. A check that panics, or takes longer than
    /// [`CHECK_LIMIT`](Self::CHECK_LIMIT), has failed; the others are made all the same.
    pub async fn run(&self) -> Report {
        let mut checks = Vec::new();
        for check in all() {
            if self.is_wanted(check.id) {
                let begun = Instant::now();
                let outcome = self.outcome(&check).await;
                checks.push(CheckReport {
                    id: check.id,
                    title: check.title,
                    outcome,
                    took: begun.elapsed(),
                });
            }
        }
        let store = self.name.clone();
        Report { store, checks }
    }

    fn is_wanted(&self, id: &str) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| only.iter().any(|it| id == it || id.starts_with(&**it)))
    }

    async fn outcome(&self, check: &Check) -> Outcome {
        let ground = match Ground::new(self, check.id) {
            Ok(ground) => ground,
            Err(halt) => return halt.into(),
        };
        let made = tokio::spawn((check.make)(ground));
        // Dropping the handle would let it go on.
        let abort = made.abort_handle();
        match tokio::time::timeout(Self::CHECK_LIMIT, made).await {
            Ok(Ok(Ok(()))) => Outcome::Passed,
            Ok(Ok(Err(halt))) => halt.into(),
            Ok(Err(panic)) => Halt::Failed(panic.to_string()).into(),
            Err(_) => {
                abort.abort();
                Halt::Failed(format!("it took longer than {:?}", Self::CHECK_LIMIT)).into()
            }
        }
    }
}

fn all() -> impl Iterator<Item = Check> {
    let all = [
        keys::CHECKS,
        versions::CHECKS,
        listing::CHECKS,
        reading::CHECKS,
        watching::CHECKS,
        leasing::CHECKS,
        guarding::CHECKS,
        failing::CHECKS,
        sealing::CHECKS,
    ];
    all.into_iter().flatten().copied()
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("name", &self.name)
            .field("ttl", &self.ttl)
            .field("bound", &self.bound)
            .field("keys", &self.keys)
            .field("changes", &self.changes)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}
