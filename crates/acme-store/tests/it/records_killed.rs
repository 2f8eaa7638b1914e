//! Writers of records that are killed: every record stays whole, and commits too.

use std::{
    env, fs,
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use acme_store::{
    Acquired, CommitError, Expect, FileRecords, Key, Life, Op, Record, RecordStore, WriteError,
};
use tempfile::tempdir;

use crate::{
    clock::RealClock,
    other_process::{OtherProcess, say},
    records::{all, key},
};

/// How many writers are killed, unless this variable says another number.
const KILLS: usize = 40;
const KILLS_VARIABLE: &str = "ACME_STORE_KILLS";

/// Writers at once, who take turns and get into each other's way.
const WRITERS: usize = 3;

/// What a value looks like: a number, many times. Half of one is none.
fn text(number: u64) -> String {
    format!("{number:020}").repeat(200)
}

#[track_caller]
fn number(record: &Record) -> u64 {
    let value = std::str::from_utf8(&record.value).unwrap();
    let number = value[..20].parse().unwrap();
    assert_eq!(value, text(number));
    number
}

async fn open(path: &Path) -> FileRecords {
    let clock = Arc::new(RealClock::new());
    FileRecords::open(path, clock).await.unwrap()
}

/// What a writer does until it is killed.
pub(crate) async fn write_for_ever(path: &Path) {
    let store = open(path).await;
    let pid = std::process::id();
    let own = key(&format!("own/{pid}"));
    let job = key(&format!("job/{pid}"));
    let node = "writer".parse().unwrap();
    let hour = Duration::from_secs(3600);
    let Acquired::Granted(mut lease) = store.acquire(&job, &node, hour).await.unwrap() else {
        panic!("nobody else has this number")
    };
    loop {
        increment(&store, &key("counter")).await;
        let (left, right) = (next(&store, "left").await, next(&store, "right").await);
        match store.commit(&lease, vec![left, right]).await {
            Ok(_) | Err(CommitError::Conflict { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
        let put = store
            .put(&own, text(1).into(), Expect::Absent, Life::Durable)
            .await;
        store.delete(&own, put.unwrap()).await.unwrap();
        lease = store.renew(&lease).await.unwrap();
        say("put");
    }
}

async fn increment(store: &FileRecords, counter: &Key) {
    let record = store.get(counter).await.unwrap().unwrap();
    let value = text(number(&record) + 1).into();
    match store
        .put(counter, value, record.version.into(), Life::Durable)
        .await
    {
        Ok(_) | Err(WriteError::Conflict) => {}
        Err(other) => panic!("{other:?}"),
    }
}

async fn next(store: &FileRecords, name: &str) -> Op {
    let key = key(name);
    let record = store.get(&key).await.unwrap().unwrap();
    Op::Put {
        value: text(number(&record) + 1).into(),
        expected: record.version.into(),
        life: Life::Durable,
        key,
    }
}

/// Reads everything, as one does who knows nothing of the writers.
async fn read_all(store: &FileRecords) {
    let get = async |name| store.get(&key(name)).await.unwrap().unwrap();
    number(&get("counter").await);
    let (left, right, again) = (get("left").await, get("right").await, get("left").await);
    let (left_number, right_number) = (number(&left), number(&right));
    if left.version == again.version {
        assert_eq!(left_number, right_number, "half a commit");
    }
    let listed = all(store, "", 3).await;
    for name in ["counter", "left", "right"] {
        assert!(
            listed.iter().any(|it| it.0 == key(name)),
            "{name} is not listed"
        );
    }
    for (name, _) in listed {
        if let Some(record) = store.get(&name).await.unwrap() {
            number(&record);
        }
    }
}

struct Writer {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Writer {
    fn new(path: &Path) -> Self {
        let mut process = OtherProcess::new("records for ever", path, "022");
        let mut child = process.command().spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    /// Kills it while it writes: it has written at least once, and goes on until it is dead.
    fn kill(mut self, path: &Path) {
        assert!(self.said.any(|it| it.is_ok_and(|it| it == "said: put")));
        let mut random = [0];
        getrandom::fill(&mut random).unwrap();
        // How far it is in a write by the time that some reads have taken, chance decides.
        for _ in 0..random[0] {
            fs::read(path.join("records").join("counter")).unwrap();
        }
        assert_eq!(self.child.try_wait().unwrap(), None, "it has failed");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn kill_at_any_point_leaves_every_record_whole() {
    let kills = env::var(KILLS_VARIABLE).map_or(KILLS, |it| it.parse().unwrap());
    let directory = tempdir().unwrap();
    let path = directory.path().join("state");
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().build().unwrap()
    };
    runtime().block_on(async {
        let store = open(&path).await;
        for name in ["counter", "left", "right"] {
            let put = text(0).into();
            store
                .put(&key(name), put, Expect::Absent, Life::Durable)
                .await
                .unwrap();
        }
    });
    let (stop, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            runtime().block_on(async {
                let store = open(&path).await;
                while !stop.load(Ordering::Relaxed) {
                    read_all(&store).await;
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        });
        let killer = scope.spawn(|| {
            let mut writers: Vec<_> = (0..WRITERS).map(|_| Writer::new(&path)).collect();
            for at in 0..kills {
                writers.swap_remove(at % WRITERS).kill(&path);
                runtime().block_on(async { read_all(&open(&path).await).await });
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
    assert!(reads > 0);
    runtime().block_on(async {
        let store = open(&path).await;
        read_all(&store).await;
        let record = store.get(&key("counter")).await.unwrap().unwrap();
        let written = number(&record);
        assert!(written > 0);
        println!("{kills} writers killed; {reads} readings, {written} writes of one record");
    });
    for left in ["journal", "ready0", "ready1"] {
        assert!(!path.join(left).exists(), "{left}");
    }
}
