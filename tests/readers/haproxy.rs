//! HAProxy: reads the whole directory when it starts, and when it is told to reload.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use acme_messages::jose::KeyType;
use acme_store::load_or_create_account_key;
use acme_tests::{Child, free_port};
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::{
    directory::{NAMES, Shared},
    handshake::{comes_to_show, shows, shows_all},
    table::{Checked, Table},
};

const READER: &str = "HAProxy";

/// How often its configuration is checked while certificates are renewed.
const CHECKS: usize = 25;

/// How often it is told to reload while certificates are renewed.
const RELOADS: usize = 5;

/// What it says when it has read everything, and how long that may take.
const LOADED: &str = "Loading success";
const LOADS_WITHIN: Duration = Duration::from_secs(60);

/// How long it is given to reload, and how often it is told.
const HEARS_WITHIN: Duration = Duration::from_secs(5);
const ATTEMPTS: usize = 10;

pub(crate) async fn check(haproxy: &Path, table: &mut Table) {
    let result = all(haproxy, table).await;
    table.note(READER, "starts, and ends when told to", result);
}

async fn all(haproxy: &Path, table: &mut Table) -> Checked {
    let shared = Arc::new(Shared::new().await?);
    load_or_create_account_key(shared.path()).await?;
    let own = tempfile::tempdir()?;
    let configuration = own.path().join("haproxy.cfg");
    let port = free_port();
    fs::write(&configuration, text(port, shared.path()))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));

    let accepted = accepts(haproxy, &configuration);
    table.note(
        READER,
        "-c accepts the directory, client.key in it",
        accepted,
    );

    // `-W`: one process that stays, and others that come and go as it reloads.
    let mut command = Command::new(haproxy);
    command.arg("-W").arg("-f").arg(&configuration);
    let child = Child::spawn("haproxy", &mut command)?;
    let started = child.log().line(LOADED, LOADS_WITHIN).await;
    started.map_err(|error| format!("{error}: {}", error.log()))?;
    for (name, key_type) in NAMES {
        let shown = shows_all(&shared, address, &[name]).await;
        table.note(
            READER,
            format!("serves {key_type}, key and whole chain"),
            shown,
        );
    }
    let wildcard = shared.bundle("*.wild.example.com").await?;
    let host = shows(&shared, address, "host.wild.example.com", wildcard.chain()).await;
    table.note(READER, "serves a wildcard's host", host);
    let renewed = async {
        let chain = shared.renew("p256.example.com", KeyType::EcdsaP256).await?;
        reload(&child).await?;
        comes_to_show(&shared, address, "p256.example.com", &chain).await
    };
    table.note(READER, "sees a renewal when it reloads", renewed.await);

    let loops = while_renewing(haproxy, &configuration, &shared, &child, address, table).await;
    table.note(READER, "serves all the while", loops);
    child.stop().await?;

    shared.ask("blank.example.com")?;
    let refused = match accepts(haproxy, &configuration) {
        Ok(()) => Err("it starts: our documents say it would not".into()),
        Err(_) => Ok(()),
    };
    table.note(READER, "refuses a blank file, as documented (D9)", refused);
    Ok(())
}

fn text(port: u16, directory: &Path) -> String {
    format!(
        "defaults\n\
         \x20   mode http\n\
         \x20   timeout client 20s\n\
         \x20   timeout connect 20s\n\
         \x20   timeout server 20s\n\
         frontend tls\n\
         \x20   bind 127.0.0.1:{port} ssl crt {}/\n\
         \x20   http-request return status 200 content-type text/plain string hello\n",
        directory.display()
    )
}

/// Fails with what HAProxy says unless it would start.
fn accepts(haproxy: &Path, configuration: &Path) -> Checked {
    let output = Command::new(haproxy)
        .args(["-c", "-f"])
        .arg(configuration)
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into())
}

/// Tells the running one, by its own process id, to read everything again, and waits until it has.
///
/// It says so a moment before it listens to signals again: one sent in between is lost.
async fn reload(child: &Child) -> Checked {
    let log = child.log();
    let before = log.count(LOADED);
    let id = i32::try_from(child.id())?;
    let pid = Pid::from_raw(id).ok_or("no process id")?;
    for _ in 0..ATTEMPTS {
        kill_process(pid, Signal::USR2)?;
        if log.nth_line(before + 1, LOADED, HEARS_WITHIN).await.is_ok() {
            return Ok(());
        }
    }
    Err(format!("it did not reload: {}", log.text()).into())
}

/// A task that renews one name after the other until it is told to stop, and how often it has.
struct Renewing {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    task: JoinHandle<Checked>,
}

impl Renewing {
    fn begin(shared: &Arc<Shared>) -> Self {
        let (stop, done) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (stopped, count, shared) = (Arc::clone(&stop), Arc::clone(&done), Arc::clone(shared));
        let task = tokio::spawn(async move {
            // RSA keys take too long to make to be renewed as fast as this.
            for (name, key_type) in NAMES[1..].iter().cycle() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                shared.renew(name, *key_type).await?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        Self { stop, done, task }
    }

    async fn end(self) -> Checked<usize> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await??;
        Ok(self.done.load(Ordering::Relaxed))
    }
}

async fn while_renewing(
    haproxy: &Path,
    configuration: &Path,
    shared: &Arc<Shared>,
    child: &Child,
    address: SocketAddr,
    table: &mut Table,
) -> Checked {
    let renewing = Renewing::begin(shared);
    let (program, file) = (haproxy.to_owned(), configuration.to_owned());
    let checked = spawn_blocking(move || (0..CHECKS).try_for_each(|_| accepts(&program, &file)));
    let checked = checked.await?;
    let renewals = renewing.end().await?;
    let check = format!("-c accepts it {CHECKS} times while names are renewed");
    let enough = (renewals > CHECKS).then_some(());
    let checked =
        checked.and_then(|()| enough.ok_or_else(|| format!("{renewals} renewals").into()));
    table.note(READER, check, checked);

    let renewing = Renewing::begin(shared);
    let mut served = Ok(());
    for _ in 0..RELOADS {
        reload(child).await?;
        let rsa = shared.bundle("rsa.example.com").await?;
        for _ in 0..5 {
            served = served.and(shows(shared, address, "rsa.example.com", rsa.chain()).await);
        }
    }
    let renewals = renewing.end().await?;
    served?;
    println!("     HAProxy reloaded {RELOADS} times during {renewals} renewals");
    // Those that the reload replaces may take a last visitor.
    reload(child).await?;
    for (name, _) in NAMES {
        let last = shared.bundle(name).await?;
        comes_to_show(shared, address, name, last.chain()).await?;
    }
    Ok(())
}
