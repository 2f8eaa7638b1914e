//! Every name, what is known of it, and the order in which they fall due.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};

use acme_client::Error;
use acme_messages::{CertificateInfo, ServerName, Timestamp};
use acme_store::{CertificateBundle, Version};

use crate::{
    RenewalPolicy,
    decide::{Decision, Holding, Record},
    job::Attempt,
    policy::after,
    scan::Findings,
};

/// Where in the queue names stand that somebody waits for.
const ASKED_FOR: Timestamp = Timestamp::MIN;

/// All names of the store, and those somebody asked for.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: HashMap<ServerName, Tracked>,
    /// When each name falls due, the first first; none that is running or damaged.
    queue: BTreeSet<(Timestamp, ServerName)>,
}

#[derive(Debug)]
struct Tracked {
    /// What the store holds, if it holds anything.
    version: Option<Version>,
    /// Whether the store ever held it.
    kept: bool,
    record: Record,
    /// Its place in the queue.
    at: Option<Timestamp>,
    asked_for: bool,
    damaged: bool,
    running: bool,
    /// A certificate that was issued and could not be stored.
    unstored: Option<CertificateBundle>,
}

/// What a failure led to.
#[derive(Debug)]
pub(super) struct AfterFailure {
    pub(super) failures: u32,
    pub(super) next_attempt: Timestamp,
    pub(super) alarming: bool,
}

impl Tracked {
    const fn new() -> Self {
        Self {
            version: None,
            kept: false,
            record: Record::new(Holding::Nothing),
            at: None,
            asked_for: false,
            damaged: false,
            running: false,
            unstored: None,
        }
    }

    /// Whether it stays although the store does not hold it.
    const fn is_wanted(&self) -> bool {
        self.running || self.asked_for || (!self.kept && self.unstored.is_some())
    }

    fn place(&self, now: Timestamp, policy: &RenewalPolicy) -> Option<Timestamp> {
        if self.running {
            return None;
        }
        if self.asked_for {
            return Some(ASKED_FOR);
        }
        if self.damaged {
            return None;
        }
        Some(match self.record.decide(now, policy) {
            Decision::Issue { urgent: true, .. } => after(ASKED_FOR, Duration::from_secs(1)),
            Decision::Issue { since, .. } => since,
            Decision::Wait(at) => at,
        })
    }
}

impl Names {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The versions that are known, so that they need not be read again.
    pub(super) fn versions(&self) -> HashMap<ServerName, Version> {
        let known = |(name, it): (&ServerName, &Tracked)| Some((name.clone(), it.version.clone()?));
        self.all.iter().filter_map(known).collect()
    }

    /// How many names are due: those that would be an alarm, and the others.
    pub(super) fn due(&self, now: Timestamp, policy: &RenewalPolicy) -> (usize, usize) {
        let due = self.queue.iter().take_while(|(at, _)| *at <= now);
        let (overdue, expiring): (Vec<_>, Vec<_>) =
            due.partition(|(_, name)| self.all[name].record.is_alarming(now, policy));
        (overdue.len(), expiring.len())
    }

    /// The names that have nothing to serve and will be tried at once.
    pub(super) fn urgent(&self, now: Timestamp) -> BTreeSet<ServerName> {
        let due = self.queue.iter().take_while(|(at, _)| *at <= now);
        let running = self.all.iter().filter(|(_, it)| it.running);
        due.map(|(_, name)| name)
            .chain(running.map(|(name, _)| name))
            .filter(|name| self.all[*name].record.is_urgent(now))
            .cloned()
            .collect()
    }

    /// Whether an attempt for a name is under way, or comes at once.
    pub(super) fn will_be_tried(&self, name: &ServerName, now: Timestamp) -> bool {
        self.all
            .get(name)
            .is_some_and(|it| it.running || it.at.is_some_and(|at| at <= now))
    }

    /// Notes what the store holds for a name now.
    pub(super) fn set(
        &mut self,
        name: ServerName,
        version: Version,
        holding: Holding,
        now: Timestamp,
        policy: &RenewalPolicy,
    ) {
        let tracked = self.track(&name);
        if tracked.version.as_ref() == Some(&version) {
            return;
        }
        tracked.version = Some(version);
        tracked.kept = true;
        tracked.damaged = false;
        tracked.record.changed(holding);
        // What somebody else stored may be better than what we could not store.
        let theirs = tracked.record.end();
        tracked
            .unstored
            .take_if(|ours| theirs.is_some_and(|end| end >= ours.chain().leaf().not_after));
        self.queue_up(&name, now, policy);
    }

    /// Notes that a name is damaged: it is known, and never due by itself.
    pub(super) fn set_damaged(
        &mut self,
        name: ServerName,
        version: Version,
        now: Timestamp,
        policy: &RenewalPolicy,
    ) {
        let tracked = self.track(&name);
        tracked.version = Some(version);
        tracked.kept = true;
        tracked.damaged = true;
        self.queue_up(&name, now, policy);
    }

    /// Forgets the names that a complete look did not find.
    pub(super) fn retain(&mut self, findings: &Findings) {
        let changed = findings.changed.iter().map(|(name, ..)| name);
        let found: HashSet<_> = findings.same.iter().chain(changed).collect();
        let lost = self.all.keys().filter(|name| !found.contains(name));
        for name in lost.cloned().collect::<Vec<_>>() {
            self.remove(&name);
        }
    }

    /// Notes that the store does not hold a name; forgets it unless somebody waits for it.
    pub(super) fn remove(&mut self, name: &ServerName) {
        let Some(tracked) = self.all.get_mut(name) else {
            return;
        };
        tracked.version = None;
        if !tracked.is_wanted() {
            self.unqueue(name);
            self.all.remove(name);
        }
    }

    /// Whether the store holds a name, as far as is known.
    pub(super) fn is_kept(&self, name: &ServerName) -> bool {
        self.all.get(name).is_some_and(|it| it.version.is_some())
    }

    /// The moment at which the next name falls due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes the name that is most urgent, then most overdue.
    pub(super) fn pop_due(&mut self, now: Timestamp, policy: &RenewalPolicy) -> Option<ServerName> {
        // Each is looked at once: one that turns out to wait goes back behind.
        for _ in 0..self.queue.len() {
            if self.next()? > now {
                return None;
            }
            let (_, name) = self.queue.pop_first()?;
            let tracked = self.track(&name);
            tracked.at = None;
            if tracked.asked_for
                || matches!(tracked.record.decide(now, policy), Decision::Issue { .. })
            {
                return Some(name);
            }
            self.queue_up(&name, now, policy);
        }
        None
    }

    /// Notes that somebody waits for an attempt now, due or not.
    pub(super) fn ask_for(&mut self, name: &ServerName, now: Timestamp, policy: &RenewalPolicy) {
        let tracked = self.track(name);
        if !tracked.running {
            tracked.asked_for = true;
            self.queue_up(name, now, policy);
        }
    }

    /// Notes that an attempt begins; gives what it should know of those before.
    pub(super) fn begin(
        &mut self,
        name: &ServerName,
        now: Timestamp,
        policy: &RenewalPolicy,
    ) -> Attempt {
        self.unqueue(name);
        let tracked = self.track(name);
        tracked.running = true;
        tracked.asked_for = false;
        tracked.unstored.take_if(|it| {
            let leaf = it.chain().leaf();
            policy.renew_at(leaf.not_before, leaf.not_after) <= now
        });
        Attempt {
            unstored: tracked.unstored.clone(),
            failures: tracked.record.failures,
        }
    }

    pub(super) fn is_running(&self, name: &ServerName) -> bool {
        self.all.get(name).is_some_and(|it| it.running)
    }

    /// Notes that an attempt has put a certificate into the store.
    pub(super) fn succeeded(
        &mut self,
        name: &ServerName,
        version: Version,
        leaf: &CertificateInfo,
        now: Timestamp,
        policy: &RenewalPolicy,
    ) {
        let tracked = self.track(name);
        tracked.running = false;
        tracked.damaged = false;
        tracked.kept = true;
        tracked.unstored = None;
        tracked.version = Some(version);
        tracked
            .record
            .succeeded(now, leaf.not_before, leaf.not_after);
        self.queue_up(name, now, policy);
    }

    /// Notes that an attempt failed. What an earlier one could not store is kept.
    pub(super) fn failed(
        &mut self,
        name: &ServerName,
        unstored: Option<CertificateBundle>,
        error: Option<&Error>,
        now: Timestamp,
        policy: &RenewalPolicy,
    ) -> AfterFailure {
        let tracked = self.track(name);
        tracked.running = false;
        if unstored.is_some() {
            tracked.unstored = unstored;
        }
        let next_attempt = tracked.record.failed(now, error);
        let outcome = AfterFailure {
            failures: tracked.record.failures,
            next_attempt,
            alarming: tracked.record.is_alarming(now, policy),
        };
        self.queue_up(name, now, policy);
        outcome
    }

    /// Notes that the clock was set back: no pause began in the future.
    pub(super) fn clock_went_back(&mut self, now: Timestamp, policy: &RenewalPolicy) {
        self.queue.clear();
        for (name, tracked) in &mut self.all {
            tracked.record.clock_went_back(now);
            tracked.at = tracked.place(now, policy);
            self.queue.extend(tracked.at.map(|at| (at, name.clone())));
        }
    }

    fn track(&mut self, name: &ServerName) -> &mut Tracked {
        self.all.entry(name.clone()).or_insert_with(Tracked::new)
    }

    /// Puts a name where it belongs in the queue.
    fn queue_up(&mut self, name: &ServerName, now: Timestamp, policy: &RenewalPolicy) {
        self.unqueue(name);
        if let Some(tracked) = self.all.get_mut(name)
            && let Some(at) = tracked.place(now, policy)
        {
            tracked.at = Some(at);
            self.queue.insert((at, name.clone()));
        }
    }

    fn unqueue(&mut self, name: &ServerName) {
        if let Some(tracked) = self.all.get_mut(name)
            && let Some(at) = tracked.at.take()
        {
            self.queue.remove(&(at, name.clone()));
        }
    }
}
