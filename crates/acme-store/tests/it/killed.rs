//! Writers that are killed, or whose writes fail: every file stays whole, whatever others do.

use std::{
    env, fs,
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use acme_store::{CertificateBundle, DirectoryStore};
use tempfile::tempdir;

use crate::{
    directory::{files, name},
    other_process::OtherProcess,
    pki::PKI,
};

/// How many writers are killed, unless this variable says another number.
const KILLS: usize = 50;
const KILLS_VARIABLE: &str = "ACME_STORE_KILLS";

/// Writers at once, who take turns and get into each other's way.
const WRITERS: usize = 3;

const NAMES: [&str; 2] = ["a.example.com", "b.example.com"];

/// Reads every entry, as a server that starts just now would.
fn read_all(directory: &Path) {
    for file in NAMES {
        let text = fs::read(directory.join(format!("{file}.pem"))).unwrap();
        let bundle = CertificateBundle::from_pem(&text).unwrap();
        assert!(bundle.chain().leaf().is_valid_for(&name(file)));
    }
}

/// Nothing is there but entries and what writers have under their hands.
fn list_all(directory: &Path) {
    let entries = NAMES.map(|name| format!("{name}.pem"));
    for file in files(directory) {
        let temporary = file.starts_with('.') && file.ends_with(".tmp");
        assert!(temporary || entries.contains(&file), "{file}");
    }
}

/// A number below the limit.
fn random(below: usize) -> usize {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).unwrap();
    usize::try_from(u32::from_ne_bytes(bytes)).unwrap() % below
}

struct Writer {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Writer {
    fn new(directory: &Path) -> Self {
        let mut process = OtherProcess::new("put for ever", directory, "022");
        let mut child = process.command().spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    /// Kills it while it writes: it has written at least once, and goes on until it is dead.
    fn kill(mut self, directory: &Path) {
        assert!(self.said.any(|it| it.is_ok_and(|it| it == "said: put")));
        // How far it is in a write by the time that some reads have taken, chance decides.
        for _ in 0..random(200) {
            fs::read(directory.join(format!("{}.pem", NAMES[0]))).unwrap();
        }
        assert_eq!(self.child.try_wait().unwrap(), None, "it has failed");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

// S9, D6; CertMagic and others lose the pair.
#[test]
fn kill_at_any_point_leaves_a_loadable_pair() {
    let kills = env::var(KILLS_VARIABLE).map_or(KILLS, |it| it.parse().unwrap());
    let directory = tempdir().unwrap();
    let path: PathBuf = directory.path().into();
    for name in NAMES {
        let bundle = PKI.bundle(name);
        fs::write(path.join(format!("{name}.pem")), bundle.to_pem().as_bytes()).unwrap();
    }
    let (stop, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                read_all(&path);
                list_all(&path);
                reads.fetch_add(1, Ordering::Relaxed);
            }
        });
        let killer = scope.spawn(|| {
            let mut writers: Vec<_> = (0..WRITERS).map(|_| Writer::new(&path)).collect();
            for _ in 0..kills {
                writers.swap_remove(random(WRITERS)).kill(&path);
                read_all(&path);
                writers.push(Writer::new(&path));
            }
            writers.into_iter().for_each(|it| it.kill(&path));
        });
        let killed = killer.join();
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        killed.unwrap();
    });
    let reads = reads.into_inner();
    println!("{kills} writers killed; every file was whole in {reads} readings");
    assert!(reads > 0);

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(DirectoryStore::open(&path)).unwrap();
    assert_eq!(
        files(&path),
        NAMES.map(|name| format!("{name}.pem")),
        "swept"
    );
    read_all(&path);
}

// S9: the file system fails in the middle of a file.
#[test]
fn a_write_cut_short_keeps_the_old_pair() {
    let directory = tempdir().unwrap();
    let path = directory.path();
    let old = PKI.bundle("a.example.com");
    fs::write(path.join("a.example.com.pem"), old.to_pem().as_bytes()).unwrap();
    let limited = "trap '' XFSZ; ulimit -f 1";
    let said = OtherProcess::with_shell("put once", path, limited).run();
    assert_eq!(said, ["file too large"]);
    assert_eq!(files(path), ["a.example.com.pem"]);
    let text = fs::read(path.join("a.example.com.pem")).unwrap();
    assert_eq!(CertificateBundle::from_pem(&text).unwrap(), old);
    let said = OtherProcess::new("put once", path, "022").run();
    assert_eq!(said, ["put"]);
}
