//! The engine: one task that knows every name and decides; doers do.

mod looking;
mod names;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use acme_messages::{ServerName, Timestamp};
use acme_store::{BoxStream, CertificateBundle, StoreError, StoreEvent};
use futures_util::StreamExt;
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::{self, JoinError, JoinSet},
};

use crate::{
    InitialCheck, IssueError, RenewalPolicy, ServiceEvent, ServiceHandle,
    handle::{Command, Waiter},
    job::{Failure, Means, Stored},
    scan::Findings,
};

use names::Names;

/// How many events a slow subscriber may be behind.
const EVENTS: usize = 256;

/// The shortest sleep: a clock at the end of its time is no reason to spin.
const MIN_SLEEP: Duration = Duration::from_millis(100);

/// The longest sleep: the wall clock is looked at again, since it may have jumped
/// while the machine slept.
const MAX_SLEEP: Duration = Duration::from_secs(10 * 60);

type JobResult = Result<Stored, Failure>;

#[derive(Debug)]
pub(crate) struct Engine {
    means: Arc<Means>,
    policy: RenewalPolicy,
    check_interval: Duration,
    parallel: usize,
    names: Names,
    jobs: JoinSet<JobResult>,
    running: HashMap<task::Id, ServerName>,
    waiters: HashMap<ServerName, Vec<Waiter>>,
    scans: JoinSet<Result<Findings, StoreError>>,
    /// Names to look at once the scan under way is done.
    to_scan: BTreeSet<ServerName>,
    /// Whether the store has said that anything may have changed.
    rescan: bool,
    /// Whether the look under way is one that the schedule asked for.
    scheduled: bool,
    next_check: Timestamp,
    /// When a store that failed is looked through again.
    retry: Option<Timestamp>,
    /// The latest time the clock has shown since it was last set back.
    latest: Timestamp,
    events: broadcast::Sender<ServiceEvent>,
    ready: watch::Sender<Option<Arc<InitialCheck>>>,
    /// The names that the initial check waits for; `None` before the first scan.
    awaited: Option<BTreeSet<ServerName>>,
    initial: InitialCheck,
}

impl Engine {
    pub(crate) fn start(
        means: Arc<Means>,
        policy: RenewalPolicy,
        check_interval: Duration,
        parallel: usize,
    ) -> ServiceHandle {
        let (commands, receiver) = mpsc::channel(16);
        let (ready, ready_receiver) = watch::channel(None);
        let events = broadcast::Sender::new(EVENTS);
        let handle = ServiceHandle {
            commands,
            ready: ready_receiver,
            events: events.downgrade(),
        };
        let now = means.clock.now();
        let engine = Self {
            rescan: false,
            scheduled: false,
            next_check: now,
            retry: None,
            latest: now,
            means,
            policy,
            check_interval,
            parallel,
            names: Names::default(),
            jobs: JoinSet::new(),
            running: HashMap::new(),
            waiters: HashMap::new(),
            scans: JoinSet::new(),
            to_scan: BTreeSet::new(),
            events,
            ready,
            awaited: None,
            initial: InitialCheck::default(),
        };
        tokio::spawn(engine.run(receiver));
        handle
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut hints = self.means.store.watch();
        let mut handles_left = true;
        loop {
            self.look_at_the_clock();
            self.begin_scan();
            let pause = self.begin_jobs();
            let clock = self.means.clock.clone();
            tokio::select! {
                command = commands.recv(), if handles_left => match command {
                    Some(Command::Issue(name, waiter)) => self.issue(name, waiter),
                    Some(Command::Shutdown(grace, done)) => {
                        return self.shut_down(grace, commands, done).await;
                    }
                    None => handles_left = false,
                },
                hint = next_hint(&mut hints) => self.hinted(hint),
                Some(found) = self.scans.join_next() => self.scanned(found),
                Some(done) = self.jobs.join_next_with_id() => self.job_done(done),
                () = clock.sleep(pause) => {}
            }
        }
    }

    /// Starts what is due, the most urgent first, and says how long nothing else is.
    fn begin_jobs(&mut self) -> Duration {
        let now = self.means.clock.now();
        while self.running.len() < self.parallel {
            let Some(name) = self.names.pop_due(now, &self.policy) else {
                break;
            };
            self.begin_job(name, now);
        }
        // While somebody looks at the store, the next look cannot begin.
        let mut wake = match self.scans.is_empty() {
            true => self
                .retry
                .map_or(self.next_check, |at| at.min(self.next_check)),
            false => Timestamp::MAX,
        };
        if self.running.len() < self.parallel
            && let Some(at) = self.names.next()
        {
            wake = wake.min(at);
        }
        match Duration::try_from(wake.duration_since(now)) {
            Ok(pause) if !pause.is_zero() => pause.min(MAX_SLEEP),
            _ => MIN_SLEEP,
        }
    }

    fn begin_job(&mut self, name: ServerName, now: Timestamp) {
        tracing::info!(%name, "Requesting a certificate for {:?}.", name.to_string());
        let attempt = self.names.begin(&name, now, &self.policy);
        let means = self.means.clone();
        let job_name = name.clone();
        let job = async move { means.issue(&job_name, attempt).await };
        let id = self.jobs.spawn(job).id();
        self.running.insert(id, name.clone());
        self.report(ServiceEvent::Requesting { name });
    }

    fn issue(&mut self, name: ServerName, waiter: Waiter) {
        let now = self.means.clock.now();
        self.names.ask_for(&name, now, &self.policy);
        self.waiters.entry(name).or_default().push(waiter);
    }

    fn job_done(&mut self, done: Result<(task::Id, JobResult), JoinError>) {
        let (id, result) = match done {
            Ok(done) => done,
            Err(error) => (error.id(), Err(IssueError::Panicked.into())),
        };
        let Some(name) = self.running.remove(&id) else {
            return;
        };
        // What a scan under way has read may be older; and a name that the store
        // does not hold is not tried again unless it does by now.
        if !self.scans.is_empty() || !self.names.is_kept(&name) {
            self.to_scan.insert(name.clone());
        }
        let result = match result {
            Ok(stored) => Ok(self.succeeded(&name, stored)),
            Err(failure) => Err(self.failed(&name, failure)),
        };
        if let Some(awaited) = &mut self.awaited
            && awaited.remove(&name)
        {
            let outcome = result.as_ref().map(drop).map_err(Clone::clone);
            self.initial.attempted.push((name.clone(), outcome));
            self.settle_initial_check();
        }
        for waiter in self.waiters.remove(&name).unwrap_or_default() {
            // A waiter that has left is no concern of the others.
            waiter.send(result.clone()).ok();
        }
    }

    fn succeeded(&mut self, name: &ServerName, stored: Stored) -> CertificateBundle {
        let leaf = stored.bundle.chain().leaf();
        tracing::info!(
            %name,
            serial = leaf.serial_hex(),
            not_after = %leaf.not_after,
            "Received certificate for {:?}.", name.to_string()
        );
        let now = self.means.clock.now();
        self.names
            .succeeded(name, stored.version, leaf, now, &self.policy);
        self.report(ServiceEvent::Issued {
            name: name.clone(),
            bundle: stored.bundle.clone(),
        });
        stored.bundle
    }

    fn failed(&mut self, name: &ServerName, failure: Failure) -> IssueError {
        let Failure { error, unstored } = failure;
        let now = self.means.clock.now();
        let outcome = self
            .names
            .failed(name, unstored, error.authority(), now, &self.policy);
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        if outcome.alarming {
            tracing::error!(
                severity = "critical", %name, %error, cause, next_attempt = %outcome.next_attempt,
                "PANIC! Unable to renew certificate for: {:?}", name.to_string()
            );
        } else {
            tracing::warn!(
                %name, %error, cause, next_attempt = %outcome.next_attempt,
                "Error issuing certificate for: {:?}", name.to_string()
            );
        }
        self.report(ServiceEvent::Failed {
            name: name.clone(),
            error: error.clone(),
            failures: outcome.failures,
            next_attempt: outcome.next_attempt,
            alarming: outcome.alarming,
        });
        error
    }

    fn report(&self, event: ServiceEvent) {
        // Nobody need listen.
        self.events.send(event).ok();
    }

    async fn shut_down(
        mut self,
        grace: Duration,
        commands: mpsc::Receiver<Command>,
        done: oneshot::Sender<()>,
    ) {
        drop(commands);
        // What has not begun will not begin.
        self.waiters.retain(|name, _| self.names.is_running(name));
        let end = self.means.clock.sleep(grace);
        tokio::pin!(end);
        while !self.jobs.is_empty() {
            tokio::select! {
                Some(result) = self.jobs.join_next_with_id() => self.job_done(result),
                () = &mut end => break,
            }
        }
        // Futures that are dropped stop their responders.
        self.jobs.shutdown().await;
        self.scans.shutdown().await;
        self.means.answers.all_down(&*self.means.clock).await;
        drop(self);
        done.send(()).ok();
    }
}

/// The next hint; a stream that ends has nothing more to say.
async fn next_hint(hints: &mut BoxStream<'static, StoreEvent>) -> StoreEvent {
    match hints.next().await {
        Some(hint) => hint,
        None => std::future::pending().await,
    }
}
