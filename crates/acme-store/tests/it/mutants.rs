//! Stores that are broken in one way each fail the checks for it: the suite can fail.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use acme_store::{
    RecordStore,
    conformance::{Outcome, Report},
};
use mutant::{Mutant, Mutation, Mutation as M, Shared};

use crate::{
    clock::TestClock,
    conformance::{Memory, done, suite},
};

mod committing;
mod mutant;
mod watching;

async fn report(mutation: Mutation, ids: &[&str]) -> Report {
    let clock = TestClock::default();
    let memory = Memory::new(&clock);
    let shared = Arc::new(Mutex::new(HashMap::<String, Arc<Shared>>::new()));
    let opening = memory.clone();
    let given = clock.clone();
    let open = move |namespace: String| {
        let namespace = match mutation {
            M::OneNamespace => "all".to_owned(),
            _ => namespace,
        };
        let mut shared = shared.lock().unwrap();
        let shared = shared.entry(namespace.clone()).or_insert_with(|| {
            Arc::new(Shared {
                inner: opening.at(&namespace),
                hashes: Mutex::default(),
                cancelled: Mutex::default(),
                last: Mutex::default(),
                locked: Mutex::default(),
                silent: Mutex::default(),
                lives: Mutex::default(),
                ends: Mutex::default(),
                leaked: Mutex::default(),
                extra: tokio::sync::broadcast::Sender::new(16),
            })
        });
        Mutant {
            mutation,
            clock: given.clone(),
            shared: Arc::clone(shared),
            cache: Mutex::default(),
        }
    };
    let opened = open.clone();
    let suite = suite(&format!("{mutation:?}"), &clock, move |namespace| {
        done(Arc::new(open(namespace)) as Arc<dyn RecordStore>)
    });
    let suite = suite.intruder(&["hunter2"], move |namespace| {
        done(Arc::new(opened(namespace)) as Arc<dyn RecordStore>)
    });
    // An event that does not come is waited for.
    let suite = memory
        .hooked(suite)
        .bound(Duration::from_millis(300))
        .keys(100)
        .changes(2_000);
    suite.only(ids).run().await
}

/// Each of these checks must fail.
async fn check(mutation: Mutation, ids: &[&str]) {
    let report = report(mutation, ids).await;
    for id in ids {
        let failed = matches!(report.outcome(id), Some(Outcome::Failed { .. }));
        assert!(failed, "{id} sees nothing\n{report}");
    }
}

#[tokio::test]
async fn of_keys_and_values() {
    check(M::MissingIsAnError, &["K1"]).await;
    check(M::ValuesAreTrimmed, &["K2"]).await;
    check(M::AnyLengthIsKept, &["K2"]).await;
    check(M::CaseIsFolded, &["K3"]).await;
    check(M::PrefixIsAPattern, &["K4"]).await;
    check(M::PrefixIsADirectory, &["K4"]).await;
    check(M::OneNamespace, &["K5", "G5"]).await;
}

#[tokio::test]
async fn of_versions() {
    check(M::PutIsBlind, &["V1", "V2", "V4", "V6"]).await;
    check(M::DeleteIsBlind, &["V3"]).await;
    check(M::VersionsAreHashes, &["V4", "V5"]).await;
    check(M::PutIsGetThenPut, &["V1", "V6"]).await;
    check(M::RefusedPutIsTold, &["V7"]).await;
    check(M::DroppedWriterLocks, &["V8"]).await;
}

#[tokio::test]
async fn of_listing_and_reading() {
    check(M::ListIsBackwards, &["L1"]).await;
    check(M::PagesAreOffsets, &["L2"]).await;
    check(M::ListLosesTheLast, &["L1", "L2"]).await;
    check(M::ListIsStale, &["L3"]).await;
    check(M::NoneIsListedOfNone, &["L4"]).await;
    check(M::LargeLimitsAreRefused, &["L4"]).await;
    check(M::ReadsAreCached, &["R1"]).await;
}

#[tokio::test]
async fn of_watching() {
    check(M::SyncedBeforeLive, &["W1"]).await;
    check(M::NoSynced, &["W1", "W2"]).await;
    check(M::DeletesAreSilent, &["W3"]).await;
    check(M::EverythingIsTold, &["W4"]).await;
    check(M::LossIsSilent, &["W5"]).await;
    check(M::OverflowIsSilent, &["W6"]).await;
    check(M::WatchLeaks, &["W7"]).await;
    check(M::VersionsGoBack, &["W8"]).await;
    check(M::WatchedPrefixIsAPattern, &["W4"]).await;
    check(M::WatchedKeysAreLines, &["W2"]).await;
    check(M::CommitIsSilent, &["W9"]).await;
    check(M::WatchEndsInAnOutage, &["W10"]).await;
}

#[tokio::test]
async fn of_leases() {
    check(M::NobodyIsRefused, &["T1", "T2", "T3"]).await;
    check(M::OwnerMayReenter, &["T2"]).await;
    check(M::LeaseNeverEnds, &["T3", "T6", "T9"]).await;
    check(M::LeaseIsNotRenewed, &["T3"]).await;
    check(M::EpochsStand, &["T5"]).await;
    check(M::AnybodyMayRelease, &["T6"]).await;
    check(M::CancelledAskersStay, &["T7"]).await;
    check(M::LeaseEndsByTheWall, &["T8"]).await;
    check(M::LifeEndsByTheWall, &["T8"]).await;
    check(M::OwnersMayRelease, &["T6"]).await;
    check(M::ReleaseIsTwoSteps, &["T12"]).await;
    check(M::WhatHasEndedIsRenewed, &["T10"]).await;
    check(M::LongSpansAreRefused, &["T11", "F8"]).await;
}

#[tokio::test]
async fn of_guards() {
    check(M::NoGuard, &["G1-late", "G2", "G5"]).await;
    check(M::CommitIsBlind, &["G1-late", "G2", "G4"]).await;
    check(M::GuardAlone, &["G2"]).await;
    check(M::CommitIsOneByOne, &["G3-refused"]).await;
    check(M::ForeignLeasesGuard, &["G1-late", "G5"]).await;
    check(M::CommitOfNothingIsFree, &["G2"]).await;
    check(M::GuardComesFirst, &["G6"]).await;
    check(M::CommitDeletesBlindly, &["G2"]).await;
    check(M::RefusedCommitIsTold, &["W9"]).await;
}

#[tokio::test]
async fn of_failing() {
    check(M::DownIsMissing, &["F1"]).await;
    check(M::DamageHidesAll, &["F3"]).await;
    check(M::DamageIsNotListed, &["F3"]).await;
    check(M::DebugShowsSecret, &["F4"]).await;
    check(M::NothingEnds, &["F6"]).await;
    check(M::AllEnds, &["F6"]).await;
    check(M::LostAnswersAreFailures, &["F7"]).await;
    check(M::LostWritesAreRepeated, &["F7"]).await;
    check(M::FirstLifeCounts, &["F8"]).await;
    check(M::CommitsLiveForEver, &["F8"]).await;
}

#[cfg(feature = "sealed")]
#[tokio::test]
async fn of_what_sealing_needs() {
    check(M::PutIsBlind, &["S1"]).await;
}
