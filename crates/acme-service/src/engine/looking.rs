//! Looking: when the store is looked through, what that teaches, and whom the
//! first look waits for.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use acme_messages::{ServerName, Timestamp};
use acme_store::{StoreError, StoreEvent};
use jiff::SignedDuration;
use tokio::task::JoinError;

use super::Engine;
use crate::{
    ServiceEvent,
    policy::after,
    scan::{Findings, Found, Scope, scan},
};

/// How far the clock may be set back before anyone cares.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(1);

/// The pause before a store that failed is looked through again.
const STORE_RETRY: Duration = Duration::from_secs(60);

impl Engine {
    /// A clock that was set back leaves nothing waiting for the future it has left.
    pub(super) fn look_at_the_clock(&mut self) {
        let now = self.means.clock.now();
        if self.latest.duration_since(now) <= CLOCK_SLACK {
            self.latest = self.latest.max(now);
            return;
        }
        tracing::warn!(from = %self.latest, to = %now, "the clock was set back");
        self.latest = now;
        self.next_check = self.next_check.min(after(now, self.check_interval));
        self.retry = self.retry.map(|at| at.min(after(now, STORE_RETRY)));
        self.names.clock_went_back(now, &self.policy);
        self.settle_awaited(now);
    }

    /// Looks at the store, if it is time and nobody is looking.
    pub(super) fn begin_scan(&mut self) {
        if !self.scans.is_empty() {
            return;
        }
        let now = self.means.clock.now();
        self.scheduled = now >= self.next_check || self.retry.is_some_and(|at| now >= at);
        let scope = if self.scheduled {
            tracing::info!("Starting scheduled check for expired certificates.");
            if now >= self.next_check {
                self.next_check = next_tick(self.next_check, self.check_interval, now);
            }
            self.everything()
        } else if self.rescan {
            self.everything()
        } else if self.to_scan.is_empty() {
            return;
        } else {
            Scope::Names(std::mem::take(&mut self.to_scan))
        };
        let (store, clock) = (self.means.store.clone(), self.means.clock.clone());
        self.scans
            .spawn(async move { scan(&*store, &*clock, scope).await });
    }

    fn everything(&mut self) -> Scope {
        self.rescan = false;
        self.retry = None;
        self.to_scan.clear();
        Scope::All(self.names.versions())
    }

    pub(super) fn hinted(&mut self, hint: StoreEvent) {
        match hint {
            StoreEvent::Changed(name) => {
                self.to_scan.insert(name);
            }
            _ => self.rescan = true,
        }
    }

    pub(super) fn scanned(&mut self, found: Result<Result<Findings, StoreError>, JoinError>) {
        let found = found.unwrap_or_else(|error| Err(StoreError::Unavailable(error.into())));
        let now = self.means.clock.now();
        match found {
            Ok(findings) => self.learn(findings, now),
            Err(error) => {
                self.store_failed(error, now);
                // Whoever waits for the first check learns that it failed.
                self.awaited.get_or_insert_default();
            }
        }
        self.settle_initial_check();
    }

    fn store_failed(&mut self, error: StoreError, now: Timestamp) {
        let error = Arc::new(error);
        tracing::error!(
            error = &*error as &dyn std::error::Error,
            "Error in scheduled certificate check."
        );
        self.retry = Some(after(now, STORE_RETRY));
        self.initial.store_error = Some(error.clone());
        self.report(ServiceEvent::StoreFailed { error });
    }

    fn learn(&mut self, findings: Findings, now: Timestamp) {
        if findings.complete {
            self.names.retain(&findings);
        }
        for name in &findings.gone {
            self.names.remove(name);
            self.settle_one(name, now);
        }
        for (name, version, found) in findings.changed {
            if self.to_scan.contains(&name) {
                continue; // It has changed again since it was read.
            }
            match found {
                Found::Managed(holding) => {
                    self.names
                        .set(name.clone(), version, holding, now, &self.policy);
                }
                Found::Damaged(reason) => {
                    let cause = std::error::Error::source(&reason).map(ToString::to_string);
                    tracing::warn!(%name, %reason, cause, "an entry is damaged and left alone");
                    self.names
                        .set_damaged(name.clone(), version, now, &self.policy);
                }
            }
            self.settle_one(&name, now);
        }
        if let Some(error) = findings.unread {
            self.store_failed(error, now);
        }
        if !findings.complete {
            return;
        }
        if self.scheduled {
            let (overdue, expiring) = self.names.due(now, &self.policy);
            let names = self.names.len();
            tracing::info!(
                overdue,
                expiring,
                names,
                "Found {overdue} overdue / expired and {expiring} expiring certificates."
            );
            self.report(ServiceEvent::Checked {
                names,
                overdue,
                expiring,
            });
        }
        match self.awaited {
            None => self.awaited = Some(self.names.urgent(now)),
            Some(_) => self.settle_awaited(now),
        }
    }

    /// Ends the wait for names that nobody will try any more: they were removed,
    /// or somebody else has seen to them.
    fn settle_awaited(&mut self, now: Timestamp) {
        if self.ready.borrow().is_some() {
            return;
        }
        if let Some(awaited) = &mut self.awaited {
            awaited.retain(|name| self.names.will_be_tried(name, now));
        }
        self.settle_initial_check();
    }

    /// As [`settle_awaited`](Self::settle_awaited), for one name.
    fn settle_one(&mut self, name: &ServerName, now: Timestamp) {
        if let Some(awaited) = &mut self.awaited
            && !self.names.will_be_tried(name, now)
        {
            awaited.remove(name);
        }
    }

    /// Says that the first check is over, once it is.
    pub(super) fn settle_initial_check(&self) {
        let over = self.awaited.as_ref().is_some_and(BTreeSet::is_empty);
        if over && self.ready.borrow().is_none() {
            self.ready
                .send_replace(Some(Arc::new(self.initial.clone())));
        }
    }
}

/// The first moment of a schedule that lies ahead: what was missed is skipped.
fn next_tick(tick: Timestamp, interval: Duration, now: Timestamp) -> Timestamp {
    let late = Duration::try_from(now.duration_since(tick)).unwrap_or_default();
    let over = late.as_nanos() % interval.as_nanos().max(1);
    let over = Duration::from_nanos(u64::try_from(over).unwrap_or_default());
    after(now, interval.saturating_sub(over))
}
