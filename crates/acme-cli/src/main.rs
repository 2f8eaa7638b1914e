//! The `acme` program: HTTPS with certificates that keep themselves valid.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

mod address;
mod ca;
mod demo;
mod failure;
mod serve;
mod signals;

use std::{io::IsTerminal, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use rustls::crypto::CryptoProvider;
use tracing_subscriber::EnvFilter;

use failure::Failure;

/// HTTPS with certificates that keep themselves valid.
///
/// Exit status: 0 when all went well, 1 when a certificate could not be had,
/// 2 for a wrong use of the command line, 3 for a wrong configuration, 4 when the
/// certificate directory cannot be used, 75 when trying again later may help.
#[derive(Debug, Parser)]
#[command(name = "acme", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// What to log on standard error: a level, or a filter such as `info,acme_client=debug`.
    #[arg(long, global = true, value_name = "FILTER", env = "ACME_LOG")]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a certificate authority for tests, for any ACME client.
    Ca(ca::Arguments),
    /// Shows the whole thing on this machine alone, with a CA of its own.
    Demo(demo::Arguments),
    /// Serves a directory of files over HTTPS.
    Serve(serve::Arguments),
}

impl Command {
    /// What is logged where nothing is asked for. `demo` and `serve` say themselves what the
    /// service does, so that its own words would be the second ones; what is wrong with
    /// the store only it says.
    const fn default_log(&self) -> &'static str {
        match self {
            Self::Ca(_) => "warn",
            Self::Demo(_) | Self::Serve(_) => {
                "warn,acme_service::engine=off,acme_service::engine::looking=warn"
            }
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = arguments.log.as_deref();
    let filter = filter.unwrap_or(arguments.command.default_log());
    let filter = match EnvFilter::try_new(filter) {
        Ok(filter) => filter,
        Err(error) => {
            return Failure::configuration(format!("--log {filter:?} is no filter"))
                .because(&error)
                .report();
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Failure::configuration("the runtime cannot start")
                .because(&error)
                .report();
        }
    };
    let result = runtime.block_on(async {
        match arguments.command {
            Command::Ca(arguments) => ca::run(arguments).await,
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Serve(arguments) => serve::run(arguments).await,
        }
    });
    // A thread that waits for a disk must not hold up the end.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// The cryptography of the program: aws-lc-rs, which has the post-quantum key exchange.
fn crypto_provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
