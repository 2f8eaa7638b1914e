//! What records and certificates cost, and that it does not grow with their number.
//!
//! `cargo bench -p acme-store --bench records`

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that meets what it did not expect is to fail"
)]

mod caches;

use std::{
    hint::black_box,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use acme_store::{
    BoxFuture, CertificateBundle, CertificateStore, CertificateStoreExt, Expect, FileRecords, Key,
    Life, MemoryRecords, Prefix, RecordCertificates, RecordStore,
    messages::{Clock, ServerName, Timestamp},
};
use caches::Caches;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tempfile::TempDir;
use tokio::runtime::Runtime;

#[derive(Debug)]
struct SystemClock(Instant);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}

/// About what a certificate with its key takes.
const VALUE: &[u8] = &[b'x'; 4096];

/// How many keys a page of a listing has.
const PAGE: usize = 1000;

fn key(at: usize) -> Key {
    format!("v1/jobs/n{at:06}.example.com").parse().unwrap()
}

fn name(at: usize) -> ServerName {
    format!("n{at:06}.example.com").parse().unwrap()
}

/// A directory whose syncs cost nothing, so that many records are soon there.
fn quick_directory() -> TempDir {
    TempDir::new_in("/dev/shm")
        .or_else(|_| TempDir::new())
        .unwrap()
}

async fn files(directory: &Path) -> FileRecords {
    let clock = Arc::new(SystemClock(Instant::now()));
    FileRecords::open(directory.join("state"), clock)
        .await
        .unwrap()
}

fn memory() -> MemoryRecords {
    MemoryRecords::new(Arc::new(SystemClock(Instant::now())))
}

async fn fill(store: &impl RecordStore, count: usize) {
    for at in 0..count {
        let put = store
            .put(&key(at), VALUE.into(), Expect::Absent, Life::Durable)
            .await;
        put.unwrap();
    }
}

async fn list(store: &impl RecordStore) -> usize {
    let (all, mut after, mut count) = (Prefix::all(), None, 0);
    loop {
        let page = store.list(&all, after, PAGE).await.unwrap();
        count += page.items.len();
        after = page.next;
        if after.is_none() {
            return count;
        }
    }
}

fn records(c: &mut Criterion, store: &str, runtime: &Runtime, open: impl Fn(usize) -> Opened) {
    let mut caches = Caches::new();
    let mut group = c.benchmark_group(store);
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(3));
    for count in [1_000, 10_000, 100_000] {
        let (records, _kept) = open(count);
        runtime.block_on(fill(&records, count));
        let next = AtomicUsize::new(0);
        // A step through all of them, in no order that a cache would like.
        let any = || next.fetch_add(7919, Ordering::Relaxed) % count;
        group.bench_function(BenchmarkId::new("get", count), |b| {
            b.iter(|| {
                let got = runtime.block_on(async { records.get(&key(any())).await });
                black_box(got.unwrap().unwrap())
            });
        });
        group.bench_function(BenchmarkId::new("put", count), |b| {
            b.iter(|| {
                runtime.block_on(async {
                    let key = key(any());
                    let version = records.get(&key).await.unwrap().unwrap().version;
                    let put = records.put(&key, VALUE.into(), version.into(), Life::Durable);
                    black_box(put.await.unwrap())
                })
            });
        });
        assert_eq!(runtime.block_on(list(&records)), count);
        group.bench_function(BenchmarkId::new("list", count), |b| {
            b.iter(|| black_box(runtime.block_on(list(&records))));
        });
        group.bench_function(BenchmarkId::new("get, caches empty", count), |b| {
            b.iter_custom(|times| {
                caches.without(times, || {
                    let got = runtime.block_on(async { records.get(&key(any())).await });
                    black_box(got.unwrap().unwrap());
                })
            });
        });
        group.bench_function(BenchmarkId::new("put, caches empty", count), |b| {
            b.iter_custom(|times| {
                caches.without(times, || {
                    runtime.block_on(async {
                        let key = key(any());
                        let version = records.get(&key).await.unwrap().unwrap().version;
                        let put = records.put(&key, VALUE.into(), version.into(), Life::Durable);
                        black_box(put.await.unwrap());
                    });
                })
            });
        });
        group.bench_function(BenchmarkId::new("list, caches empty", count), |b| {
            b.iter_custom(|times| {
                caches.without(times, || {
                    black_box(runtime.block_on(list(&records)));
                })
            });
        });
    }
    group.finish();
}

type Opened = (Arc<dyn RecordStore>, Option<TempDir>);

fn certificates(c: &mut Criterion, runtime: &Runtime) {
    let pem = include_bytes!("../tests/data/www.example.com.pem");
    let bundle = CertificateBundle::from_pem(pem).unwrap();
    let mut group = c.benchmark_group("RecordCertificates over FileRecords");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(3));
    for count in [1_000, 10_000] {
        let directory = quick_directory();
        let store = RecordCertificates::new(runtime.block_on(files(directory.path())));
        runtime.block_on(async {
            for at in 0..count {
                store.put(&name(at), &bundle, Expect::Absent).await.unwrap();
            }
        });
        let next = AtomicUsize::new(0);
        let any = || next.fetch_add(7919, Ordering::Relaxed) % count;
        group.bench_function(BenchmarkId::new("get", count), |b| {
            b.iter(|| {
                let got = runtime.block_on(async { store.get(&name(any())).await });
                black_box(got.unwrap().unwrap())
            });
        });
        group.bench_function(BenchmarkId::new("put", count), |b| {
            b.iter(|| {
                runtime.block_on(async {
                    let name = name(any());
                    let version = store.get(&name).await.unwrap().unwrap().version;
                    black_box(store.put(&name, &bundle, version.into()).await.unwrap())
                })
            });
        });
        group.bench_function(BenchmarkId::new("list", count), |b| {
            b.iter(|| black_box(runtime.block_on(store.list_all()).unwrap()));
        });
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().build().unwrap();
    records(c, "MemoryRecords", &runtime, |_| (Arc::new(memory()), None));
    records(c, "FileRecords", &runtime, |_| {
        let directory = quick_directory();
        let store = runtime.block_on(files(directory.path()));
        (Arc::new(store), Some(directory))
    });
    certificates(c, &runtime);

    // With its syncs, on whatever disk the temporary directory is.
    let directory = TempDir::new().unwrap();
    let store = runtime.block_on(files(directory.path()));
    runtime.block_on(fill(&store, 1));
    c.bench_function("FileRecords, on the disk/put", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let version = store.get(&key(0)).await.unwrap().unwrap().version;
                let put = store
                    .put(&key(0), VALUE.into(), version.into(), Life::Durable)
                    .await;
                black_box(put.unwrap())
            })
        });
    });
}

criterion_group!(benches, all);
criterion_main!(benches);
