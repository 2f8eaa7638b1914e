//! Every name, what is known of it, and the order in which they fall due.

use std::collections::{BTreeSet, HashMap, HashSet};

use acme_client::Error;
use acme_messages::{CertificateInfo, ServerName, Timestamp};
use acme_store::{CertificateBundle, Version};

use crate::{
    RenewalPolicy,
    decide::{Decision, Holding, Record},
    scan::Findings,
};

/// All names of the store, and those somebody asked for.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: HashMap<ServerName, Tracked>,
    /// When each name falls due, the first first; none that is running or damaged.
    queue: BTreeSet<(Timestamp, ServerName)>,
}

#[derive(Debug)]
struct Tracked {
    version: Option<Version>,
    record: Record,
    at: Option<Timestamp>,
    running: bool,
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
    const fn new(version: Option<Version>, holding: Holding) -> Self {
        Self {
            version,
            record: Record::new(holding),
            at: None,
            running: false,
            unstored: None,
        }
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

    /// Notes what the store holds for a name now. Somebody changed it, so failures are forgotten.
    pub(super) fn set(
        &mut self,
        name: ServerName,
        version: Version,
        holding: Holding,
        now: Timestamp,
        policy: &RenewalPolicy,
    ) {
        let tracked = self
            .all
            .entry(name.clone())
            .or_insert_with(|| Tracked::new(None, holding));
        if tracked.version.as_ref() == Some(&version) {
            return;
        }
        tracked.version = Some(version);
        tracked.record = Record::new(holding);
        self.queue_up(&name, now, policy);
    }

    /// Notes that a name is damaged: it is known, and never due.
    pub(super) fn set_damaged(&mut self, name: ServerName, version: Version) {
        self.unqueue(&name);
        let tracked = self
            .all
            .entry(name)
            .or_insert_with(|| Tracked::new(None, Holding::Nothing));
        tracked.version = Some(version);
    }

    /// Forgets the names that a complete look did not find.
    pub(super) fn retain(&mut self, findings: &Findings) {
        let changed = findings.changed.iter().map(|(name, ..)| name);
        let found: HashSet<_> = findings.same.iter().chain(changed).collect();
        let lost = |(name, it): (&ServerName, &Tracked)| {
            let gone = !it.running && !found.contains(name);
            gone.then(|| name.clone())
        };
        for name in self.all.iter().filter_map(lost).collect::<Vec<_>>() {
            self.remove(&name);
        }
    }

    /// Forgets a name, unless an attempt for it is under way.
    pub(super) fn remove(&mut self, name: &ServerName) {
        if !self.is_running(name) {
            self.unqueue(name);
            self.all.remove(name);
        }
    }

    /// The moment at which the next name falls due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes the name that is most overdue.
    pub(super) fn pop_due(&mut self, now: Timestamp, policy: &RenewalPolicy) -> Option<ServerName> {
        while self.next()? <= now {
            let (_, name) = self.queue.pop_first()?;
            let tracked = self.all.get_mut(&name)?;
            tracked.at = None;
            if let Decision::Issue { .. } = tracked.record.decide(now, policy) {
                return Some(name);
            }
            self.queue_up(&name, now, policy);
        }
        None
    }

    /// Notes that an attempt begins; gives what an earlier one could not store.
    pub(super) fn begin(&mut self, name: &ServerName) -> Option<CertificateBundle> {
        self.unqueue(name);
        let tracked = self
            .all
            .entry(name.clone())
            .or_insert_with(|| Tracked::new(None, Holding::Nothing));
        tracked.running = true;
        tracked.unstored.clone()
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
        if let Some(tracked) = self.all.get_mut(name) {
            tracked.running = false;
            tracked.unstored = None;
            tracked.version = Some(version);
            tracked
                .record
                .succeeded(now, leaf.not_before, leaf.not_after);
        }
        self.queue_up(name, now, policy);
    }

    /// Notes that an attempt failed.
    pub(super) fn failed(
        &mut self,
        name: &ServerName,
        unstored: Option<CertificateBundle>,
        error: Option<&Error>,
        now: Timestamp,
        policy: &RenewalPolicy,
    ) -> AfterFailure {
        let tracked = self
            .all
            .entry(name.clone())
            .or_insert_with(|| Tracked::new(None, Holding::Nothing));
        tracked.running = false;
        tracked.unstored = unstored;
        let next_attempt = tracked.record.failed(now, error);
        let outcome = AfterFailure {
            failures: tracked.record.failures,
            next_attempt,
            alarming: tracked.record.is_alarming(now, policy),
        };
        self.queue_up(name, now, policy);
        outcome
    }

    /// Puts a name where it belongs in the queue; what is urgent goes first.
    fn queue_up(&mut self, name: &ServerName, now: Timestamp, policy: &RenewalPolicy) {
        self.unqueue(name);
        let Some(tracked) = self.all.get_mut(name) else {
            return;
        };
        if tracked.running {
            return;
        }
        let at = match tracked.record.decide(now, policy) {
            Decision::Issue { urgent: true } => Timestamp::MIN,
            Decision::Issue { urgent: false } => now,
            Decision::Wait(at) => at,
        };
        tracked.at = Some(at);
        self.queue.insert((at, name.clone()));
    }

    fn unqueue(&mut self, name: &ServerName) {
        if let Some(tracked) = self.all.get_mut(name)
            && let Some(at) = tracked.at.take()
        {
            self.queue.remove(&(at, name.clone()));
        }
    }
}
