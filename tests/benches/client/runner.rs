//! One client in a process of its own: an account, a few certificates to warm up, then the clock.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::Failure;
use crate::issuer::{Issuer, Kind};

/// How many certificates come first: connections, nonces, what a client learns of its CA.
const WARM_UP: u32 = 2;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    pub(crate) kind: Kind,
    #[arg(long)]
    pub(crate) directory: String,
    #[arg(long)]
    pub(crate) root: PathBuf,
    #[arg(long)]
    pub(crate) count: u32,
    #[arg(long)]
    pub(crate) width: u32,
    /// What the names begin with.
    #[arg(long)]
    pub(crate) names: String,
}

/// What a runner says at its end, in one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Used {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

/// Says `ready`, waits for a line, issues, and says how long it took.
pub(crate) async fn run(wanted: &Arguments) -> Result<(), Failure> {
    let issuer = Issuer::new(wanted.kind, &wanted.directory, &wanted.root).await?;
    let issuer = Arc::new(issuer);
    for number in 0..WARM_UP {
        issue(&issuer, &format!("warm-{}", wanted.names), number).await?;
    }
    say("ready")?;
    io::stdin().lock().read_line(&mut String::new())?;

    let (began, cpu) = (Instant::now(), cpu_time());
    let next = Arc::new(AtomicU32::new(0));
    let mut tasks: JoinSet<Result<(), Failure>> = JoinSet::new();
    for _ in 0..wanted.width {
        let (issuer, next, names) = (issuer.clone(), next.clone(), wanted.names.clone());
        let count = wanted.count;
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok(());
                }
                issue(&issuer, &names, number).await?;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    let result = Used {
        wall: began.elapsed(),
        cpu: cpu_time().saturating_sub(cpu),
    };
    say(&serde_json::to_string(&result)?)
}

async fn issue(issuer: &Issuer, names: &str, number: u32) -> Result<(), Failure> {
    let issued = issuer
        .issue(&[format!("{names}-{number}.example.com")])
        .await?;
    let certificates = issued.chain.matches("-----BEGIN CERTIFICATE-----").count();
    if certificates < 2 || !issued.key.starts_with("-----BEGIN PRIVATE KEY-----") {
        return Err("that is no key and no chain".into());
    }
    Ok(())
}

/// What this process has used so far, in user and in system mode.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
