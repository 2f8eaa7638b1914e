//! A directory of a thousand, ten thousand and a hundred thousand certificates.
//!
//! `cargo bench -p acme-store --bench directory`

#![allow(missing_docs, reason = "criterion's macros make a function without")]

#[cfg(unix)]
mod caches;

use criterion::{criterion_group, criterion_main};

#[cfg(unix)]
use of_many::directory;

#[cfg(not(unix))]
fn directory(_: &mut criterion::Criterion) {}

#[cfg(unix)]
mod of_many {
    use std::{fs, hint::black_box, path::Path};

    use crate::caches::Caches;
    use acme_store::{
        CertificateBundle, CertificateStore, CertificateStoreExt, DirectoryStore, Listed,
    };
    use criterion::{BenchmarkId, Criterion, Throughput};
    use rustix::fs::{AtFlags, statat};
    use tokio::runtime::{Builder, Runtime};

    const PEM: &[u8] = include_bytes!("../tests/data/www.example.com.pem");

    const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

    pub(super) fn directory(criterion: &mut Criterion) {
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime");
        for size in SIZES {
            let folder = tempfile::tempdir().expect("a directory");
            for at in 0..size {
                let file = folder.path().join(format!("host-{at}.example.com.pem"));
                fs::write(file, PEM).expect("a file");
            }
            whole(criterion, &runtime, folder.path(), size);
            single(criterion, &runtime, folder.path(), size);
            say_memory(size);
        }
    }

    /// The most memory that the process has had so far, of which the list is a part.
    #[expect(clippy::print_stdout, reason = "a person reads it")]
    fn say_memory(size: usize) {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(peak) = status.lines().find(|it| it.starts_with("VmHWM")) {
            println!("with {size} entries: {peak}");
        }
    }

    /// What touches every entry: its cost is that of one, times their number.
    fn whole(criterion: &mut Criterion, runtime: &Runtime, folder: &Path, size: usize) {
        let mut group = criterion.benchmark_group("whole");
        group.sample_size(10);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::new("open", size), |bencher| {
            bencher.iter(|| runtime.block_on(DirectoryStore::open(folder)));
        });
        let store = open(runtime, folder);
        group.bench_function(BenchmarkId::new("list", size), |bencher| {
            bencher.iter(|| list(runtime, &store).len());
        });
        group.bench_function(BenchmarkId::new("system", size), |bencher| {
            bencher.iter(|| system(folder));
        });
        let mut caches = Caches::new();
        group.bench_function(BenchmarkId::new("open, caches empty", size), |bencher| {
            bencher.iter_custom(|times| {
                caches.without(times, || {
                    let opened = runtime.block_on(DirectoryStore::open(folder));
                    black_box(opened.expect("a directory"));
                })
            });
        });
        group.bench_function(BenchmarkId::new("list, caches empty", size), |bencher| {
            bencher.iter_custom(|times| {
                caches.without(times, || {
                    black_box(list(runtime, &store));
                })
            });
        });
        group.bench_function(BenchmarkId::new("system, caches empty", size), |bencher| {
            bencher.iter_custom(|times| caches.without(times, || system(folder)));
        });
        group.finish();
    }

    /// What the system alone takes for a list: to give the names, and to look at each.
    fn system(folder: &Path) {
        let directory = fs::File::open(folder).expect("a directory");
        for file in fs::read_dir(folder).expect("a directory") {
            let name = file.expect("a file").file_name();
            let look = statat(&directory, &name, AtFlags::SYMLINK_NOFOLLOW);
            black_box(look.expect("a file"));
        }
    }

    /// What touches one entry: the others must not matter.
    fn single(criterion: &mut Criterion, runtime: &Runtime, folder: &Path, size: usize) {
        let mut group = criterion.benchmark_group("single");
        group.sample_size(50);
        let store = open(runtime, folder);
        let mut listed = list(runtime, &store);
        let bundle = CertificateBundle::from_pem(PEM).expect("a bundle");
        let mut at = 0;
        group.bench_function(BenchmarkId::new("get", size), |bencher| {
            bencher.iter(|| {
                at = (at + 7) % size;
                black_box(runtime.block_on(store.get(&listed[at].name)))
            });
        });
        let mut caches = Caches::new();
        group.bench_function(BenchmarkId::new("get, caches empty", size), |bencher| {
            bencher.iter_custom(|times| {
                caches.without(times, || {
                    at = (at + 7) % size;
                    let got = runtime.block_on(store.get(&listed[at].name));
                    black_box(got.expect("an entry"));
                })
            });
        });
        group.bench_function(BenchmarkId::new("put", size), |bencher| {
            bencher.iter(|| {
                at = (at + 7) % size;
                let Listed { name, version, .. } = &mut listed[at];
                let expected = version.clone().into();
                let put = runtime.block_on(store.put(name, &bundle, expected));
                *version = put.expect("nobody else writes");
            });
        });
        group.finish();
    }

    fn open(runtime: &Runtime, folder: &Path) -> DirectoryStore {
        let opened = runtime.block_on(DirectoryStore::open(folder));
        opened.expect("a directory")
    }

    fn list(runtime: &Runtime, store: &DirectoryStore) -> Vec<Listed> {
        runtime.block_on(store.list_all()).expect("a list")
    }
}

criterion_group!(benches, directory);
criterion_main!(benches);
