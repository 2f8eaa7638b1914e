//! C: what every certificate store must do, asked of any.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use acme_messages::{ServerName, jose::BoxFuture};
use futures_core::stream::BoxStream;
use futures_util::StreamExt;

use super::{
    BoxError, CheckReport, Outcome, Report, Suite,
    ground::{Halt, Made, ensure, failed, join, told},
};
use crate::{
    CertificateBundle, CertificateStore, CertificateStoreExt, EntryState, Expect, PutError,
    StoreEvent, Version,
};

type Opened = BoxFuture<'static, Result<Arc<dyn CertificateStore>, BoxError>>;

/// The checks for one certificate store.
///
/// ```
/// use std::sync::Arc;
/// use acme_store::{
///     CertificateBundle, CertificateStore, MemoryStore, conformance::CertificateSuite,
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// # let pem = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/www.example.com.pem"));
/// let bundle = CertificateBundle::from_pem(pem)?;
/// let suite = CertificateSuite::new(
///     "MemoryStore",
///     |name| {
///         let store = MemoryStore::new();
///         store.request(name);
///         let store: Arc<dyn CertificateStore> = Arc::new(store);
///         Box::pin(async { Ok(store) })
///     },
///     // A real suite makes one for each name: with `TestPki::issue_server` of
///     // `acme-testing`, and `CertificateBundle::new` of its chain and key.
///     move |_| bundle.clone(),
/// );
/// let report = suite.only(&["C1", "C2", "C4"]).run().await;
/// assert!(report.is_conformant(), "{report}");
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CertificateSuite {
    name: String,
    only: Option<Vec<String>>,
    bound: Duration,
    open: Arc<dyn Fn(ServerName) -> Opened + Send + Sync>,
    bundle: Arc<dyn Fn(&ServerName) -> CertificateBundle + Send + Sync>,
}

impl CertificateSuite {
    /// Checks for the store that `open` opens.
    ///
    /// Each call gives a store that holds nothing but a request for the name it is
    /// given. `bundle` makes a new bundle for a name, each time another.
    pub fn new(
        name: impl Into<String>,
        open: impl Fn(ServerName) -> Opened + Send + Sync + 'static,
        bundle: impl Fn(&ServerName) -> CertificateBundle + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            only: None,
            bound: Suite::DEFAULT_BOUND,
            open: Arc::new(open),
            bundle: Arc::new(bundle),
        }
    }

    /// How long an event may take; [`Suite::DEFAULT_BOUND`].
    #[must_use]
    pub const fn bound(mut self, bound: Duration) -> Self {
        self.bound = bound;
        self
    }

    /// Makes only the checks with these ids, each of them whole: `"C1"` is not `"C10"`.
    #[must_use]
    pub fn only(mut self, ids: &[&str]) -> Self {
        self.only = Some(ids.iter().map(|it| (*it).to_owned()).collect());
        self
    }

    /// Makes the checks, one after another.
    ///
    /// It needs tokio's timer. A check that panics, or takes longer than
    /// [`Suite::CHECK_LIMIT`], has failed; the others are made all the same.
    pub async fn run(&self) -> Report {
        let mut checks = Vec::new();
        for check in CHECKS {
            let only = self.only.as_ref();
            if only.is_some_and(|only| !only.iter().any(|it| it == check.id)) {
                continue;
            }
            let begun = std::time::Instant::now();
            let made = tokio::spawn((check.make)(self.clone()));
            let abort = made.abort_handle();
            let outcome = match tokio::time::timeout(Suite::CHECK_LIMIT, made).await {
                Ok(Ok(Ok(()))) => Outcome::Passed,
                Ok(Ok(Err(halt))) => halt.into(),
                Ok(Err(panic)) => Halt::Failed(panic.to_string()).into(),
                Err(_) => {
                    abort.abort();
                    Halt::Failed(format!("it took longer than {:?}", Suite::CHECK_LIMIT)).into()
                }
            };
            checks.push(CheckReport {
                id: check.id,
                title: check.title,
                outcome,
                took: begun.elapsed(),
            });
        }
        let store = self.name.clone();
        Report { store, checks }
    }

    async fn store(&self) -> Result<Arc<dyn CertificateStore>, Halt> {
        let open = (self.open)(asked()?).await;
        open.map_err(failed("a store could not be opened"))
    }

    fn bundle(&self, name: &ServerName) -> CertificateBundle {
        (self.bundle)(name)
    }

    async fn next(&self, events: &mut BoxStream<'static, StoreEvent>) -> Result<StoreEvent, Halt> {
        let event = tokio::time::timeout(self.bound, events.next()).await;
        let late = |_| Halt::Failed(format!("no event came in {:?}", self.bound));
        event
            .map_err(late)?
            .ok_or_else(|| Halt::Failed("the watch has ended".to_owned()))
    }
}

impl fmt::Debug for CertificateSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateSuite")
            .field("name", &self.name)
            .field("only", &self.only)
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

struct Check {
    id: &'static str,
    title: &'static str,
    make: fn(CertificateSuite) -> BoxFuture<'static, Made>,
}

macro_rules! check {
    ($id:literal, $title:literal, $make:path) => {
        Check {
            id: $id,
            title: $title,
            make: |suite| Box::pin($make(suite)),
        }
    };
}

const CHECKS: &[Check] = &[
    check!("C1", "what is missing is none, and no error", missing),
    check!("C2", "a request is blank, listed and accepted", blank),
    check!("C3", "what was put is read back, and listed", read_back),
    check!("C4", "a put is conditional", conditional),
    check!(
        "C5",
        "equal bundles have versions of their own",
        equal_bundles
    ),
    check!("C6", "of racing writers one wins", racing),
    check!("C7", "contended writers lose nothing", contended),
    check!("C8", "every name is its own", own_names),
    check!(
        "C9",
        "the watch begins with `Resync`, and tells changes",
        watched
    ),
    check!("C10", "what was read does not change", snapshots),
];

/// The name that each store begins with.
fn asked() -> Result<ServerName, Halt> {
    Ok("www.example.com".parse()?)
}

async fn seen(store: &dyn CertificateStore, name: &ServerName) -> Result<Expect, Halt> {
    let entry = store.get(name).await?;
    Ok(entry.map_or(Expect::Absent, |it| it.version.into()))
}

fn refused(what: &str, put: &Result<Version, PutError>) -> Made {
    ensure!(matches!(put, Err(PutError::Conflict)), "{what}: {put:?}");
    Ok(())
}

async fn missing(suite: CertificateSuite) -> Made {
    let store = suite.store().await?;
    let label = |letter: &str, length| letter.repeat(length);
    let longest = [
        label("a", 63),
        label("b", 63),
        label("c", 63),
        label("d", 61),
    ]
    .join(".");
    for name in [
        "example.com",
        "*.example.com",
        "192.0.2.1",
        "2001:db8::1",
        &longest,
    ] {
        let got = store.get(&name.parse()?).await;
        let got = got.map_err(|error| Halt::Failed(format!("for {name}: {}", told(&error))))?;
        ensure!(got.is_none(), "for {name} there is {got:?}");
    }
    Ok(())
}

async fn blank(suite: CertificateSuite) -> Made {
    let (store, name) = (suite.store().await?, asked()?);
    let listed = store.list_all().await?;
    let [only] = &listed[..] else {
        return Err(Halt::Failed(format!("of one entry, {listed:?} are listed")));
    };
    ensure!(only.name == name, "{} is listed for {name}", only.name);
    let entry = store.get(&name).await?;
    let is_blank = entry
        .as_ref()
        .is_some_and(|it| it.contents == EntryState::Blank && it.version == only.version);
    ensure!(is_blank, "a request is {entry:?}, listed as {only:?}");
    Ok(store.accepts(&name).await?)
}

async fn read_back(suite: CertificateSuite) -> Made {
    let store = suite.store().await?;
    for name in [
        asked()?,
        "new.example.com".parse()?,
        "*.example.com".parse()?,
    ] {
        let bundle = suite.bundle(&name);
        store.accepts(&name).await?;
        let expected = seen(&store, &name).await?;
        let version = store.put(&name, &bundle, expected).await?;
        let entry = store.get(&name).await?;
        let same = entry.as_ref().is_some_and(|it| {
            let pem = it.bundle().is_some_and(|it| it.to_pem() == bundle.to_pem());
            pem && it.version == version
        });
        ensure!(same, "{name} reads back as {entry:?}");
        let listed = store.list_all().await?;
        let listed = listed
            .iter()
            .any(|it| it.name == name && it.version == version);
        ensure!(listed, "{name} is not listed as it is");
    }
    Ok(())
}

async fn conditional(suite: CertificateSuite) -> Made {
    let (store, name) = (suite.store().await?, asked()?);
    let (old, new) = (suite.bundle(&name), suite.bundle(&name));
    let blank = seen(&store, &name).await?;
    let foreign = Version::new(*b"no version of any store");
    for wrong in [Expect::Absent, foreign.clone().into()] {
        refused("a put over a request", &store.put(&name, &old, wrong).await)?;
    }
    let version = store.put(&name, &old, blank.clone()).await?;
    refused("a put over a bundle", &store.put(&name, &new, blank).await)?;
    let entry = store.get(&name).await?;
    let kept = entry.is_some_and(|it| it.bundle() == Some(&old) && it.version == version);
    ensure!(kept, "a refused put has changed the entry");
    store.put(&name, &new, version.into()).await?;
    let other: ServerName = "absent.example.com".parse()?;
    let put = store.put(&other, &old, foreign.into()).await;
    refused("a put over what is missing", &put)?;
    ensure!(
        store.get(&other).await?.is_none(),
        "a refused put has made an entry"
    );
    Ok(())
}

async fn equal_bundles(suite: CertificateSuite) -> Made {
    let (store, name) = (suite.store().await?, asked()?);
    let bundle = suite.bundle(&name);
    let mut versions = HashSet::new();
    for _ in 0..10 {
        let expected = seen(&store, &name).await?;
        let version = store.put(&name, &bundle, expected).await?;
        ensure!(versions.insert(version), "a version was given again");
    }
    Ok(())
}

async fn racing(suite: CertificateSuite) -> Made {
    let store = suite.store().await?;
    let new: ServerName = "race.example.com".parse()?;
    for name in [new, asked()?] {
        let (bundle, expected) = (suite.bundle(&name), seen(&store, &name).await?);
        let racers = (0..16).map(|_| {
            let (store, name, bundle) = (Arc::clone(&store), name.clone(), bundle.clone());
            let expected = expected.clone();
            let racer: BoxFuture<'static, _> = Box::pin(async move {
                match store.put(&name, &bundle, expected).await {
                    Ok(_) => Ok(true),
                    Err(PutError::Conflict) => Ok(false),
                    Err(other) => Err(other.into()),
                }
            });
            racer
        });
        let won = join(racers).await?.into_iter().filter(|it| *it).count();
        ensure!(won == 1, "{won} of 16 have put {name}");
    }
    Ok(())
}

async fn contended(suite: CertificateSuite) -> Made {
    let (store, name) = (suite.store().await?, asked()?);
    let bundle = suite.bundle(&name);
    let writers = (0..4).map(|_| {
        let (store, name, bundle) = (Arc::clone(&store), name.clone(), bundle.clone());
        let writer: BoxFuture<'static, _> = Box::pin(async move {
            let mut replaced = Vec::new();
            while replaced.len() < 10 {
                let expected = seen(&store, &name).await?;
                // Others come in between, even where nothing waits.
                tokio::task::yield_now().await;
                match store.put(&name, &bundle, expected.clone()).await {
                    Ok(_) => replaced.push(expected),
                    Err(PutError::Conflict) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Ok(replaced)
        });
        writer
    });
    let replaced: Vec<_> = join(writers).await?.into_iter().flatten().collect();
    let distinct: HashSet<_> = replaced.iter().collect();
    ensure!(
        distinct.len() == 40,
        "40 puts have replaced {} states",
        distinct.len()
    );
    Ok(())
}

async fn own_names(suite: CertificateSuite) -> Made {
    let store = suite.store().await?;
    let names = [
        "a.example.com",
        "aa.example.com",
        "*.a.example.com",
        "192.0.2.1",
        "2001:db8::1",
    ];
    let mut bundles = Vec::new();
    for name in names {
        let name: ServerName = name.parse()?;
        let bundle = suite.bundle(&name);
        store.put(&name, &bundle, Expect::Absent).await?;
        bundles.push((name, bundle));
    }
    let listed = store.list_all().await?.len();
    ensure!(
        listed == names.len() + 1,
        "of {} names {listed} are listed",
        names.len() + 1
    );
    for (name, bundle) in bundles {
        let entry = store.get(&name).await?;
        let same = entry.is_some_and(|it| it.bundle() == Some(&bundle));
        ensure!(same, "{name} has another's bundle");
    }
    Ok(())
}

async fn watched(suite: CertificateSuite) -> Made {
    let store = suite.store().await?;
    let mut events = store.watch();
    let first = tokio::time::timeout(suite.bound, events.next()).await;
    let is_silent = first.is_err();
    if let Ok(first) = first {
        let resync = first == Some(StoreEvent::Resync);
        ensure!(resync, "the first event was {first:?}, and not `Resync`");
    }
    let mut silent = vec![asked()?, "new.example.com".parse()?];
    for name in &silent {
        let expected = seen(&store, name).await?;
        store.put(name, &suite.bundle(name), expected).await?;
    }
    if is_silent {
        let event = tokio::time::timeout(suite.bound, events.next()).await;
        ensure!(
            event.is_err(),
            "nothing came in {:?}, and then {event:?}",
            suite.bound
        );
        return Err(Halt::Skipped(
            "the watch is silent, which is for stores that cannot tell".to_owned(),
        ));
    }
    while !silent.is_empty() {
        match suite.next(&mut events).await? {
            StoreEvent::Changed(name) => silent.retain(|it| *it != name),
            // Whoever lists now sees all that was put.
            StoreEvent::Resync => silent.clear(),
        }
    }
    Ok(())
}

async fn snapshots(suite: CertificateSuite) -> Made {
    let (store, name) = (suite.store().await?, asked()?);
    let before = store.get_all().await?;
    let expected = seen(&store, &name).await?;
    store.put(&name, &suite.bundle(&name), expected).await?;
    let kept = before
        .get(&name)
        .is_some_and(|it| it.as_ref().is_ok_and(|it| it.contents == EntryState::Blank));
    ensure!(kept, "what was read has changed");
    Ok(())
}
