//! Our certificate stores pass the suite for certificate stores; broken ones do not.

use std::sync::Arc;

use acme_store::{
    BoxFuture, BoxStream, CertificateBundle, CertificateStore, Cursor, Entry, Expect, Listed,
    MemoryRecords, MemoryStore, Page, PutError, RecordCertificates, StoreError, StoreEvent,
    Version,
    conformance::{CertificateSuite, Outcome},
    messages::ServerName,
};
use futures_util::{StreamExt, stream};

use crate::{clock::TestClock, conformance::done, pki::PKI};

fn bundle(name: &ServerName) -> CertificateBundle {
    PKI.bundle(&name.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory() {
    let open = |name| {
        let store = MemoryStore::new();
        store.request(name);
        done(Arc::new(store) as Arc<dyn CertificateStore>)
    };
    let report = CertificateSuite::new("MemoryStore", open, bundle)
        .run()
        .await;
    crate::conformance::check(&report, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records() {
    let open = |name| -> BoxFuture<'static, _> {
        Box::pin(async move {
            let records = MemoryRecords::new(Arc::new(TestClock::default()));
            let store = RecordCertificates::new(records);
            store.request(&name).await?;
            Ok(Arc::new(store) as Arc<dyn CertificateStore>)
        })
    };
    let name = "RecordCertificates over MemoryRecords";
    let report = CertificateSuite::new(name, open, bundle).run().await;
    crate::conformance::check(&report, &[]);
}

#[cfg(unix)]
mod files {
    use std::sync::Mutex;

    use acme_store::{DirectoryOptions, DirectoryStore};
    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::clock::Impatient;

    /// Directories that stay until all checks are made.
    fn keep(kept: &Mutex<Vec<TempDir>>) -> std::path::PathBuf {
        let directory = tempdir().unwrap();
        let path = directory.path().to_owned();
        kept.lock().unwrap().push(directory);
        path
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn files_of_records() {
        let kept = Mutex::default();
        let open = move |name| -> BoxFuture<'static, _> {
            let path = keep(&kept).join("state");
            Box::pin(async move {
                let records = crate::file_records::open(&path, &TestClock::default()).await;
                let store = RecordCertificates::new(records);
                store.request(&name).await?;
                Ok(Arc::new(store) as Arc<dyn CertificateStore>)
            })
        };
        let name = "RecordCertificates over FileRecords";
        let report = CertificateSuite::new(name, open, bundle).run().await;
        crate::conformance::check(&report, &[]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn directory() {
        let kept = Mutex::default();
        let open = move |name: ServerName| -> BoxFuture<'static, _> {
            let path = keep(&kept);
            Box::pin(async move {
                std::fs::write(path.join(format!("{name}.pem")), "")?;
                let mut options = DirectoryOptions::default();
                options.clock = Arc::new(Impatient::default());
                let store = DirectoryStore::open_with(&path, options).await?;
                Ok(Arc::new(store) as Arc<dyn CertificateStore>)
            })
        };
        let report = CertificateSuite::new("DirectoryStore", open, bundle)
            .run()
            .await;
        crate::conformance::check(&report, &[]);
    }
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mutation {
    MissingIsBlank,
    NothingIsListed,
    PutIsBlind,
    PutIsGetThenPut,
    PutIsForgotten,
    VersionsAreEqual,
    NamesAreOne,
    WatchCannotTell,
    WatchIsSilent,
    WatchIsLate,
}

use Mutation as M;

#[derive(Debug)]
struct Mutant(Mutation, MemoryStore);

impl Mutant {
    fn name(&self, name: &ServerName) -> ServerName {
        let text = name.to_string();
        match (self.0, text.strip_prefix("aa.")) {
            (M::NamesAreOne, Some(rest)) => format!("a.{rest}").parse().unwrap(),
            _ => name.clone(),
        }
    }
}

impl CertificateStore for Mutant {
    fn list(
        &self,
        after: Option<Cursor>,
    ) -> BoxFuture<'_, Result<Page<Listed, Cursor>, StoreError>> {
        if self.0 == M::NothingIsListed {
            return Box::pin(async { Ok(Page::last(vec![])) });
        }
        self.1.list(after)
    }

    fn get<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<Option<Entry>, StoreError>> {
        Box::pin(async move {
            let got = self.1.get(&self.name(name)).await?;
            Ok(match self.0 {
                M::MissingIsBlank => got.or(Some(Entry::blank(Version::new(*b"0")))),
                M::VersionsAreEqual => got.map(|it| Entry::new(it.contents, Version::new(*b"1"))),
                _ => got,
            })
        })
    }

    fn put<'a>(
        &'a self,
        name: &'a ServerName,
        bundle: &'a CertificateBundle,
        expected: Expect,
    ) -> BoxFuture<'a, Result<Version, PutError>> {
        Box::pin(async move {
            let name = self.name(name);
            let current = self.1.get(&name).await?;
            let current = current.map_or(Expect::Absent, |it| it.version.into());
            match self.0 {
                M::PutIsBlind => self.1.put(&name, bundle, current).await,
                M::PutIsForgotten => Ok(Version::new(*b"1")),
                M::PutIsGetThenPut => {
                    if current != expected {
                        return Err(PutError::Conflict);
                    }
                    tokio::task::yield_now().await;
                    let now = self.1.get(&name).await?;
                    let now = now.map_or(Expect::Absent, |it| it.version.into());
                    self.1.put(&name, bundle, now).await
                }
                M::VersionsAreEqual => {
                    self.1.put(&name, bundle, current).await?;
                    Ok(Version::new(*b"1"))
                }
                _ => self.1.put(&name, bundle, expected).await,
            }
        })
    }

    fn accepts<'a>(&'a self, name: &'a ServerName) -> BoxFuture<'a, Result<(), StoreError>> {
        self.1.accepts(name)
    }

    fn watch(&self) -> BoxStream<'static, StoreEvent> {
        match self.0 {
            M::WatchCannotTell => Box::pin(stream::pending()),
            M::WatchIsSilent => Box::pin(self.1.watch().take(1).chain(stream::pending())),
            M::WatchIsLate => Box::pin(self.1.watch().skip(1)),
            _ => self.1.watch(),
        }
    }
}

/// A suite for a store with this peculiarity.
fn suite_of(mutation: M) -> CertificateSuite {
    let open = move |name| {
        let store = MemoryStore::new();
        store.request(name);
        done(Arc::new(Mutant(mutation, store)) as Arc<dyn CertificateStore>)
    };
    let suite = CertificateSuite::new(format!("{mutation:?}"), open, bundle);
    suite.bound(std::time::Duration::from_millis(300))
}

// What the trait allows to stores that cannot tell is not seen, and no failure.
#[tokio::test]
async fn a_watch_that_cannot_tell_is_skipped() {
    let report = suite_of(M::WatchCannotTell).only(&["C9"]).run().await;
    let skipped = matches!(report.outcome("C9"), Some(Outcome::Skipped { .. }));
    assert!(skipped && report.is_conformant(), "{report}");
}

#[tokio::test]
async fn a_report_of_nothing_is_not_conformant() {
    let report = suite_of(M::WatchCannotTell).only(&["C"]).run().await;
    assert!(
        report.checks.is_empty() && !report.is_conformant(),
        "{report}"
    );
}

#[tokio::test]
async fn broken_ones_fail() {
    for (mutation, ids) in [
        (M::MissingIsBlank, &["C1"][..]),
        (M::NothingIsListed, &["C2", "C3", "C8"]),
        (M::PutIsBlind, &["C4", "C6", "C7"]),
        (M::PutIsGetThenPut, &["C6", "C7"]),
        (M::PutIsForgotten, &["C3", "C4", "C8"]),
        (M::VersionsAreEqual, &["C2", "C5"]),
        (M::NamesAreOne, &["C8"]),
        (M::WatchIsSilent, &["C9"]),
        (M::WatchIsLate, &["C9"]),
    ] {
        let report = suite_of(mutation).only(ids).run().await;
        for id in ids {
            let failed = matches!(report.outcome(id), Some(Outcome::Failed { .. }));
            assert!(failed, "{id} sees nothing\n{report}");
        }
    }
}
