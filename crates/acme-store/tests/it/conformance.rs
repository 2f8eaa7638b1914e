//! Our record stores pass the suite for record stores.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use acme_store::{
    BoxFuture, Fault, MemoryRecords, RecordStore,
    conformance::{BoxError, Report, Suite},
    messages::{Clock, Timestamp},
};

use crate::clock::TestClock;

/// What a hook gives that has done its work.
pub(crate) fn done<T: Send + 'static>(value: T) -> BoxFuture<'static, Result<T, BoxError>> {
    Box::pin(async { Ok(value) })
}

/// A suite whose time is the test's.
pub(crate) fn suite(
    name: &str,
    clock: &TestClock,
    open: impl Fn(String) -> BoxFuture<'static, Result<Arc<dyn RecordStore>, BoxError>>
    + Send
    + Sync
    + 'static,
) -> Suite {
    let passing = clock.clone();
    let setting = clock.clone();
    Suite::new(name, Arc::new(clock.clone()), open)
        .ttl(Duration::from_secs(60))
        .pass(move |span| {
            passing.advance(span);
            Box::pin(std::future::ready(()))
        })
        .set_wall(move |seconds| {
            let now = Clock::now(&setting).as_second() + seconds;
            setting.set_wall(Timestamp::from_second(now).unwrap());
            done(())
        })
}

#[track_caller]
#[expect(clippy::print_stderr, reason = "a report is for people")]
pub(crate) fn check(report: &Report, skipped: &[&str]) {
    assert!(report.is_conformant(), "{report}");
    let seen: Vec<_> = report.skipped().map(|it| it.id).collect();
    assert_eq!(seen, skipped, "{report}");
    // Shown with `--nocapture`: what a store's author publishes.
    eprintln!("{report}");
}

/// Stores in memory, by namespace.
#[derive(Clone)]
pub(crate) struct Memory {
    clock: TestClock,
    stores: Arc<Mutex<HashMap<String, MemoryRecords>>>,
}

impl Memory {
    pub(crate) fn new(clock: &TestClock) -> Self {
        Self {
            clock: clock.clone(),
            stores: Arc::default(),
        }
    }

    pub(crate) fn at(&self, namespace: &str) -> MemoryRecords {
        let mut stores = self.stores.lock().unwrap();
        let new = || MemoryRecords::new(Arc::new(self.clock.clone()));
        let store = stores.entry(namespace.to_owned()).or_insert_with(new);
        store.clone()
    }

    /// All hooks that memory can have.
    pub(crate) fn hooked(&self, suite: Suite) -> Suite {
        let hooks = std::array::from_fn::<_, 5, _>(|_| self.clone());
        let [cutting, damaging, failing, losing, counting] = hooks;
        suite
            .disconnect(move |namespace| {
                let store = cutting.at(&namespace);
                store.set_watches_cut(true);
                Box::pin(async move {
                    tokio::task::yield_now().await;
                    store.set_watches_cut(false);
                    Ok(())
                })
            })
            .damage(move |namespace, key| {
                damaging.at(&namespace).damage(&key);
                done(())
            })
            .outage(move |namespace, down| {
                failing.at(&namespace).faults().set_outage(down);
                done(())
            })
            .lose_answer(move |namespace, operation| {
                let store = losing.at(&namespace);
                let fault = Fault::AppliedThenUnavailable;
                store.faults().inject(operation, 0, fault);
                done(())
            })
            .sessions(move |namespace| done(counting.at(&namespace).watchers()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_in_memory() {
    let clock = TestClock::default();
    let memory = Memory::new(&clock);
    let opening = memory.clone();
    let suite = suite("MemoryRecords", &clock, move |namespace| {
        done(Arc::new(opening.at(&namespace)) as Arc<dyn RecordStore>)
    });
    let report = memory.hooked(suite).run().await;
    // Memory does not outlive its process, is in no other, waits for nobody, and
    // knows no credentials.
    let skipped = ["R2", "T4", "T5-restart", "G1", "G3", "F2", "F4"];
    check(&report, &without_sealed(&skipped));
}

/// What is skipped in a build without sealing too.
fn without_sealed(skipped: &[&'static str]) -> Vec<&'static str> {
    let mut skipped = skipped.to_vec();
    if cfg!(not(feature = "sealed")) {
        skipped.push("S1");
    }
    skipped
}

#[cfg(feature = "sealed")]
mod sealed {
    use acme_store::{Expect, KeyRing, Life, SealedRecords, SealingKey};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn records_in_memory_sealed() {
        let clock = TestClock::default();
        let memory = Memory::new(&clock);
        let ring = KeyRing::new(SealingKey::generate("k").unwrap());
        let (opening, damaging) = (memory.clone(), memory.clone());
        let suite = suite(
            "SealedRecords over MemoryRecords",
            &clock,
            move |namespace| {
                let (inner, ring) = (opening.at(&namespace), ring.clone());
                Box::pin(async move {
                    let sealed = SealedRecords::open(inner, namespace, ring).await?;
                    Ok(Arc::new(sealed) as Arc<dyn RecordStore>)
                })
            },
        );
        let suite = memory.hooked(suite).damage(move |namespace, key| {
            let inner = damaging.at(&namespace);
            Box::pin(async move {
                let version = inner.get(&key).await?.unwrap().version;
                let garbage = "acme-sealed/1 garbage".into();
                let expected = Expect::Version(version);
                inner.put(&key, garbage, expected, Life::Durable).await?;
                Ok(())
            })
        });
        let report = suite.keys(2_000).run().await;
        check(
            &report,
            &["R2", "T4", "T5-restart", "G1", "G3", "F2", "F4", "S1"],
        );
    }
}

#[cfg(unix)]
mod files {
    use std::{env, fs, path::Path, process::Command};

    use acme_store::{EndsBy, FileRecords, FileRecordsOptions};
    use tempfile::TempDir;

    use super::*;
    use crate::clock::RealClock;

    /// A directory whose syncs cost nothing, where there is one: what survives a loss
    /// of power is not seen here anyway.
    pub(crate) fn quick_directory() -> TempDir {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() {
            TempDir::new_in(memory).unwrap()
        } else {
            TempDir::new().unwrap()
        }
    }

    fn open_files(
        root: &Path,
        namespace: &str,
        clock: Arc<dyn Clock>,
        ends_by: EndsBy,
    ) -> BoxFuture<'static, Result<Arc<dyn RecordStore>, BoxError>> {
        let path = root.join(namespace);
        let mut options = FileRecordsOptions::default();
        options.call_timeout = Duration::from_secs(2);
        options.poll_interval = Duration::from_millis(5);
        options.ends_by = ends_by;
        Box::pin(async move {
            let store = FileRecords::open_with(path, clock, options).await?;
            Ok(Arc::new(store) as Arc<dyn RecordStore>)
        })
    }

    /// The files below a directory that this process has open.
    fn open_count(directory: &Path) -> usize {
        let Ok(open) = fs::read_dir("/proc/self/fd") else {
            return 0;
        };
        let paths = open.filter_map(|it| fs::read_link(it.ok()?.path()).ok());
        paths.filter(|it| it.starts_with(directory)).count()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn records_in_files() {
        let clock = TestClock::default();
        let kept = quick_directory();
        let root = kept.path().to_owned();
        let [opening, damaging, losing, failing, hanging, counting] =
            std::array::from_fn(|_| root.clone());
        let given = clock.clone();
        let held = Arc::new(Mutex::new(HashMap::new()));
        let suite = suite("FileRecords", &clock, move |namespace| {
            open_files(&opening, &namespace, Arc::new(given.clone()), EndsBy::Clock)
        })
        .damage(move |namespace, key| {
            let file = damaging.join(namespace).join("records").join(key.as_str());
            fs::write(file, "garbage").unwrap();
            done(())
        })
        .disconnect(move |namespace| {
            // Somebody may have just begun a new one.
            let _ = fs::remove_file(losing.join(namespace).join("changes"));
            done(())
        })
        .outage(move |namespace, down| {
            let (here, away) = (
                failing.join(&namespace),
                failing.join(format!("{namespace}-away")),
            );
            let (from, to) = if down { (here, away) } else { (away, here) };
            fs::rename(from, to).unwrap();
            done(())
        })
        .hang(Duration::from_secs(2), move |namespace, hangs| {
            let mut held = held.lock().unwrap();
            if hangs {
                let lock = hanging.join(&namespace).join("lock");
                let lock = fs::File::options().write(true).open(lock).unwrap();
                lock.lock().unwrap();
                held.insert(namespace, lock);
            } else {
                held.remove(&namespace);
            }
            done(())
        })
        // More than are told one by one.
        .changes(2_000)
        .restart(|_| done(()))
        .sessions(move |namespace| done(open_count(&counting.join(namespace))));
        let report = suite.run().await;
        // The file system loses no answers; who is refused depends on who runs this.
        check(
            &report,
            &without_sealed(&["T4", "T9", "G1", "G3", "F4", "F7"]),
        );
    }

    #[cfg(feature = "sealed")]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn records_in_files_sealed() {
        use acme_store::{KeyRing, SealedRecords, SealingKey};

        let clock = TestClock::default();
        let kept = quick_directory();
        let (opening, damaging) = (kept.path().to_owned(), kept.path().to_owned());
        let ring = KeyRing::new(SealingKey::generate("k").unwrap());
        let given = Arc::new(clock.clone());
        let suite = suite("SealedRecords over FileRecords", &clock, move |namespace| {
            let inner = open_files(&opening, &namespace, given.clone(), EndsBy::Clock);
            let ring = ring.clone();
            Box::pin(async move {
                let sealed = SealedRecords::open(inner.await?, namespace, ring).await?;
                Ok(Arc::new(sealed) as Arc<dyn RecordStore>)
            })
        });
        let suite = suite
            .damage(move |namespace, key| {
                let file = damaging.join(namespace).join("records").join(key.as_str());
                fs::write(file, "garbage").unwrap();
                done(())
            })
            .restart(|_| done(()))
            .keys(500)
            .changes(2_000);
        let skipped = [
            "W5", "W7", "W10", "T4", "T9", "G1", "G3", "F1", "F2", "F4", "F5", "F7", "S1",
        ];
        check(&suite.run().await, &skipped);
    }

    /// What needs another process, and so the machine's own time.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn records_in_files_of_several_processes() {
        let kept = quick_directory();
        let (opening, helping) = (kept.path().to_owned(), kept.path().to_owned());
        let clock = Arc::new(RealClock::new());
        let given = clock.clone();
        let suite = Suite::new("FileRecords", clock, move |namespace| {
            open_files(&opening, &namespace, given.clone(), EndsBy::Machine)
        });
        let report = suite
            .helper(move |namespace| {
                let mut command = Command::new(env::current_exe().unwrap());
                command
                    .args([
                        "--exact",
                        "other_process::task",
                        "--nocapture",
                        "--test-threads=1",
                    ])
                    .env("ACME_STORE_TEST_TASK", "assist")
                    .env("ACME_STORE_TEST_DIRECTORY", helping.join(namespace));
                command
            })
            .only(&["T4", "G1", "G3"])
            .run()
            .await;
        check(&report, &[]);
        assert_eq!(report.checks.len(), 5, "{report}");
    }
}
