//! This test binary again, as another process: another user, another umask, one to kill.

use std::{
    env,
    fs::{self, Permissions},
    io::Write,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use acme_store::{
    Acquired, CertificateStore, CertificateStoreExt, DirectoryOptions, DirectoryStore, Expect,
    FileRecords, FileRecordsError, Life, Listed, Op, PutError, RecordError, RecordStore,
    StoreError, load_or_create_account_key, messages::ServerName,
};
use tempfile::TempDir;

#[cfg(target_os = "linux")]
use crate::notification;
#[cfg(all(target_os = "linux", feature = "conformance"))]
use crate::outage;
use crate::{
    clock::RealClock,
    pki::PKI,
    records::{all as all_records, key, put as put_record},
    records_killed,
};

const TASK: &str = "ACME_STORE_TEST_TASK";
const DIRECTORY: &str = "ACME_STORE_TEST_DIRECTORY";

/// Nobody, as most systems have it.
pub(crate) const NOBODY: u32 = 65534;

/// Whether this process is root's: only then can it be somebody else.
pub(crate) fn is_root() -> bool {
    let file = tempfile::tempfile().unwrap();
    file.metadata().unwrap().uid() == 0
}

/// What another process does in a directory.
pub(crate) struct OtherProcess {
    command: Command,
    /// The program, where nobody may run it.
    copy: Option<TempDir>,
}

impl OtherProcess {
    pub(crate) fn new(task: &str, directory: &Path, umask: &str) -> Self {
        Self::with_shell(task, directory, &format!("umask {umask}"))
    }

    /// A process that begins with what this line of a shell has made of it.
    pub(crate) fn with_shell(task: &str, directory: &Path, line: &str) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{line}; exec \"$PROGRAM\" \"$@\""), "sh"])
            .args([
                "--exact",
                "other_process::task",
                "--nocapture",
                "--test-threads=1",
            ])
            .env("PROGRAM", this_program())
            .env(TASK, task)
            .env(DIRECTORY, directory)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        Self {
            command,
            copy: None,
        }
    }

    pub(crate) fn nobody(self) -> Self {
        self.user(NOBODY)
    }

    pub(crate) fn user(mut self, user: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let copy = folder.path().join("it");
        // Were it written by this process, a child that another test forks meanwhile would
        // keep it open for writing, and then nobody can run it.
        let mut cp = Command::new("cp");
        let copied = cp.arg(this_program()).arg(&copy).status().unwrap();
        assert!(copied.success());
        self.command.env("PROGRAM", copy).uid(user).gid(user);
        self.copy = Some(folder);
        self
    }

    pub(crate) const fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// Runs it to its end, and gives the lines it has said.
    pub(crate) fn run(mut self) -> Vec<String> {
        let output = self.command.output().unwrap();
        drop(self.copy);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        let said = said.lines().filter_map(|it| it.strip_prefix("said: "));
        said.map(str::to_owned).collect()
    }
}

/// The program that runs, even if its file has been replaced by a new build meanwhile.
fn this_program() -> PathBuf {
    if cfg!(target_os = "linux") {
        PathBuf::from(format!("/proc/{}/exe", std::process::id()))
    } else {
        env::current_exe().unwrap()
    }
}

#[expect(clippy::print_stdout, reason = "the test that has started us reads it")]
pub(crate) fn say(what: &str) {
    // The harness has written the beginning of a line.
    println!("\nsaid: {what}");
    std::io::stdout().flush().unwrap();
}

/// The other process begins here; within the suite there is nothing to do.
#[tokio::test]
async fn task() {
    let Ok(task) = env::var(TASK) else { return };
    let path = PathBuf::from(env::var_os(DIRECTORY).unwrap());
    match &*task {
        "put all" => put_all(&path).await,
        "put once" => put_once(&path).await,
        "put for ever" => put_for_ever(&path).await,
        "account key" => {
            let key = load_or_create_account_key(&path).await.unwrap();
            say(&key.thumbprint().to_string());
        }
        "open" => open(&path).await,
        "be shut out" => be_shut_out(&path).await,
        #[cfg(feature = "conformance")]
        "assist" => {
            let clock = Arc::new(RealClock::new());
            let store = FileRecords::open(&path, clock).await.unwrap();
            let (input, output) = (std::io::stdin().lock(), std::io::stdout());
            // The suite kills us when it likes.
            let _ = acme_store::conformance::assist(Arc::new(store), input, output).await;
        }
        #[cfg(all(target_os = "linux", feature = "conformance"))]
        "run out of threads" => {
            let beside = std::thread::spawn(move || outage::run_out_of_threads(&path));
            beside.join().unwrap();
        }
        "records for ever" => records_killed::write_for_ever(&path).await,
        "records denied" => {
            let opened = FileRecords::open(&path, Arc::new(RealClock::new())).await;
            let Err(FileRecordsError::Io { source, .. }) = opened else {
                panic!("{opened:?}")
            };
            assert!(matches!(source, RecordError::Denied { .. }), "{source:?}");
            say("denied");
        }
        "records once" => records_once(&path).await,
        "records unreadable" => records_unreadable(&path).await,
        #[cfg(target_os = "linux")]
        "watch and go" => notification::watch_and_go(&path).await,
        #[cfg(target_os = "linux")]
        "watch without a watch left" => notification::watch_without_a_watch_left(&path).await,
        other => panic!("{other}"),
    }
}

/// Replaces each entry and makes a new one; says what became of each.
async fn put_all(path: &Path) {
    let store = DirectoryStore::open(path).await.unwrap();
    let mut names: Vec<_> = store
        .list_all()
        .await
        .unwrap()
        .into_iter()
        .map(|it| it.name)
        .collect();
    names.sort();
    names.push("new.example.com".parse().unwrap());
    for name in names {
        let accepted = store.accepts(&name).await.is_ok();
        let result = put(&store, &name).await;
        assert_eq!(accepted, result.is_ok(), "{name}");
        let result = result.map_or("refused", |()| "put");
        say(&format!("{name}: {result}"));
    }
    load_or_create_account_key(path).await.unwrap();
}

async fn put(store: &DirectoryStore, name: &ServerName) -> Result<(), PutError> {
    let expected = store
        .get(name)
        .await?
        .map_or(Expect::Absent, |it| it.version.into());
    store
        .put(name, &PKI.bundle(&name.to_string()), expected)
        .await
        .map(drop)
}

/// Leaves some of each kind of file.
async fn records_once(path: &Path) {
    let clock = Arc::new(RealClock::new());
    let store = FileRecords::open(path, clock).await.unwrap();
    put_record(&store, "A/b", "1", Expect::Absent).await;
    let ttl = Duration::from_secs(60);
    let acquired = store
        .acquire(&key("job"), &"node".parse().unwrap(), ttl)
        .await;
    let Ok(Acquired::Granted(lease)) = acquired else {
        panic!("{acquired:?}")
    };
    let put = |text: &str| Op::Put {
        key: key(text),
        value: "1".into(),
        expected: Expect::Absent,
        life: Life::Durable,
    };
    store
        .commit(&lease, vec![put("c"), put("d")])
        .await
        .unwrap();
}

/// Lists all, says so, and replaces what cannot be read.
async fn records_unreadable(path: &Path) {
    let clock = Arc::new(RealClock::new());
    let store = FileRecords::open(path, clock).await.unwrap();
    for (name, version) in all_records(&store, "", 10).await {
        say(name.as_str());
        match store.get(&name).await {
            Ok(Some(_)) => {}
            Err(RecordError::Denied { .. }) => {
                put_record(&store, name.as_str(), "2", version.into()).await;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Replaces entry after entry, beside others who do the same.
async fn put_for_ever(path: &Path) {
    let store = DirectoryStore::open(path).await.unwrap();
    let listed = store.list_all().await.unwrap();
    for Listed { name, .. } in listed.iter().cycle() {
        match put(&store, name).await {
            Ok(()) => say("put"),
            Err(PutError::Conflict) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Replaces the first entry, and says what the file system has to say.
async fn put_once(path: &Path) {
    let store = DirectoryStore::open(path).await.unwrap();
    let listed = store.list_all().await.unwrap();
    match put(&store, &listed[0].name).await {
        Ok(()) => say("put"),
        Err(PutError::Store(StoreError::Io { source, .. })) => say(&source.kind().to_string()),
        Err(other) => panic!("{other:?}"),
    }
}

/// Says whether the directory can be opened, and what of it can be read.
async fn open(path: &Path) {
    match DirectoryStore::open(path).await {
        Ok(_) => say("writable"),
        Err(StoreError::NotWritable { path: it }) if it == path => say("not writable"),
        Err(other) => panic!("{other:?}"),
    }
    let mut options = DirectoryOptions::default();
    options.read_only = true;
    let store = DirectoryStore::open_with(path, options).await.unwrap();
    let refused = store.accepts(&"www.example.com".parse().unwrap()).await;
    assert!(matches!(refused, Err(StoreError::NotWritable { .. })));
    for (name, entry) in store.get_all().await.unwrap() {
        let entry = match entry {
            Ok(entry) => {
                if entry.bundle().is_some() {
                    "bundle"
                } else {
                    "no bundle"
                }
            }
            Err(StoreError::Io { .. }) => "unreadable",
            Err(other) => panic!("{other:?}"),
        };
        say(&format!("{name}: {entry}"));
    }
}

/// Closes its own directory, to entering and listing or to entering alone, and says what it gets.
async fn be_shut_out(path: &Path) {
    let store = DirectoryStore::open(path).await.unwrap();
    let name = "www.example.com".parse().unwrap();
    let bundle = PKI.bundle("www.example.com");
    for mode in [0o000, 0o400] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let put = match store.put(&name, &bundle, Expect::Absent).await {
            Err(PutError::Store(error)) => Err(error),
            other => panic!("{other:?}"),
        };
        for (question, answer) in [
            ("list", store.list_all().await.map(drop)),
            ("get", store.get(&name).await.map(drop)),
            ("accepts", store.accepts(&name).await),
            ("put", put),
        ] {
            let answer = match answer {
                Err(StoreError::NotWritable { .. }) => "not writable",
                Err(StoreError::Io { source, .. })
                    if source.kind() == std::io::ErrorKind::PermissionDenied =>
                {
                    "denied"
                }
                other => panic!("{question}: {other:?}"),
            };
            say(&format!("{question}: {answer}"));
        }
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
}
