//! `acme ca`: the CA for tests as a program, for clients in any language.

mod announcement;
mod fault;
mod root_file;
mod span;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    pin::pin,
    time::Duration,
};

use acme_testing::{TestCa, TestCaError};

use crate::{Failure, signals};
use announcement::Announcement;
use fault::Fault;
use root_file::RootFiles;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acme ca --root-out root.pem --http-01-port 5002 --tls-alpn-01-port 5001
  acme ca --listen 127.0.0.1:0 --json --validity 1h --fault nonce-reject=0.05

Every name points to 127.0.0.1 by default, and the CA knocks there.
The CA keeps everything in memory, its keys too: what it issued is worth nothing when it has ended.")]
pub(crate) struct Arguments {
    /// Where to listen; port 0 lets the system choose.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:14000")]
    listen: SocketAddr,

    /// Write the root of the CA's own https certificate here, as PEM: what a client must trust.
    #[arg(long, value_name = "FILE")]
    root_out: Option<PathBuf>,

    /// Write the root of the certificates that it issues here, as PEM.
    #[arg(long, value_name = "FILE")]
    issuer_root_out: Option<PathBuf>,

    /// Say what happens in JSON, one object a line.
    #[arg(long)]
    json: bool,

    /// Where http-01 knocks.
    #[arg(long, value_name = "PORT", default_value_t = 80)]
    http_01_port: u16,

    /// Where tls-alpn-01 knocks.
    #[arg(long, value_name = "PORT", default_value_t = 443)]
    tls_alpn_01_port: u16,

    /// The address that all names point to, instead of 127.0.0.1.
    #[arg(long, value_name = "IP")]
    resolve_to: Option<IpAddr>,

    /// The lifetime of certificates, such as `90d`, `12h`, `30m` or `45s`.
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = span::parse)]
    validity: Duration,

    /// What random faults are drawn from: the same number, the same faults.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,

    /// Something that goes wrong; may be given several times. An unknown one lists all.
    #[arg(long, value_name = "NAME=VALUE")]
    fault: Vec<Fault>,
}

/// A CA that listens, and the files with its roots.
struct Running {
    ca: TestCa,
    roots: RootFiles,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let announcement = Announcement::new(arguments.json);
    let mut stop = pin!(signals::stop());
    // The wish to stop is looked at first, so that a signal is heeded from the start.
    let running = tokio::select! {
        biased;
        () = &mut stop => {
            announcement.end();
            return Ok(());
        }
        running = start(arguments) => running?,
    };
    announcement.ready(&running.ca, &running.roots)?;
    stop.await;
    running.ca.shutdown().await;
    announcement.end();
    Ok(())
}

async fn start(arguments: Arguments) -> Result<Running, Failure> {
    eprintln!(
        "acme: warning: this CA is for tests: it keeps nothing, and asks nobody who they are; trust its roots for nothing else"
    );
    let mut builder = TestCa::builder()
        .crypto_provider(crate::crypto_provider())
        .listen(arguments.listen)
        .http_01_port(arguments.http_01_port)
        .tls_alpn_01_port(arguments.tls_alpn_01_port)
        .validity(arguments.validity)
        .seed(arguments.seed);
    if let Some(address) = arguments.resolve_to {
        builder = builder.resolve_to(address);
    }
    let ca = builder
        .start()
        .await
        .map_err(|error| cannot_start(&error))?;
    for fault in &arguments.fault {
        fault.apply(&ca);
    }
    let roots = RootFiles::write(
        (arguments.root_out, &ca.https_root_pem()),
        (arguments.issuer_root_out, &ca.root_pem()),
    )?;
    Ok(Running { ca, roots })
}

fn cannot_start(error: &TestCaError) -> Failure {
    match error {
        TestCaError::Bind { address, source } => {
            let failure =
                Failure::configuration(format!("cannot listen on {address}")).because(source);
            match source.kind() {
                std::io::ErrorKind::AddrInUse => {
                    failure.hint("another program has the port; choose one with --listen")
                }
                _ => failure.hint("choose another address with --listen"),
            }
        }
        error => Failure::configuration("the CA cannot start").because(error),
    }
}
