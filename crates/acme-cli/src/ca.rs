//! `acme ca`: the CA for tests as a program, for clients in any language.

mod announcement;
mod behaviour;
mod root_file;
mod span;

use std::{net::SocketAddr, path::PathBuf, pin::pin};

use acme_testing::{TestCa, TestCaError};

use crate::{Failure, address, signals};
use announcement::Announcement;
use behaviour::Behaviour;
use root_file::RootFiles;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acme ca --root-out root.pem --http-01-port 5002 --tls-alpn-01-port 5001
  acme ca --listen 127.0.0.1:0 --json --validity 1h --fault bad-nonce=0.05

Every name points to 127.0.0.1 by default, and the CA knocks there.
The CA keeps everything in memory, its keys too: what it issued is worth nothing when it has ended.")]
pub(crate) struct Arguments {
    /// Where to listen; port 0 lets the system choose.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:14000", value_parser = address::parse)]
    listen: SocketAddr,

    /// Write the root of the CA's own https certificate here, as PEM: what a client must trust.
    #[arg(long, value_name = "FILE", conflicts_with = "danger_plain_http")]
    root_out: Option<PathBuf>,

    /// Write the root of the certificates that it issues here, as PEM; with --alternates all roots.
    #[arg(long, value_name = "FILE")]
    issuer_root_out: Option<PathBuf>,

    /// Say what happens in JSON, one object a line.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    behaviour: Behaviour,
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
    let builder = TestCa::builder()
        .crypto_provider(crate::crypto_provider())
        .listen(arguments.listen);
    let ca = arguments
        .behaviour
        .apply(builder)?
        .start()
        .await
        .map_err(|error| cannot_start(&error))?;
    let roots = RootFiles::write(
        (arguments.root_out, &ca.https_root_pem()),
        (arguments.issuer_root_out, &ca.pki().roots_pem().concat()),
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
