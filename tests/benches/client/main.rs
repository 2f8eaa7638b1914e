//! The same issuances through acme-client and through instant-acme, against Pebble and `TestCa`.
//!
//! `cargo xtask bench client` builds this and finds Pebble, which it names in `PEBBLE` and
//! `CHALLTESTSRV`; without them Pebble's rows are left out, aloud.
//! Each measurement is a process of its own, this program again, so that its CPU time is that of
//! one client alone; the CA runs elsewhere and counts the requests.

#![allow(missing_docs, reason = "a program of its own")]
#![allow(clippy::print_stdout, reason = "it prints its figures")]
#![allow(clippy::print_stderr, reason = "what goes wrong is said aside")]

mod authority;
mod issuer;
mod measurement;
mod ours;
mod peer;
mod runner;
mod table;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use authority::Authority;
use issuer::Kind;
use measurement::{Measurement, Task};
use table::Table;

/// Any failure: it ends the program and is printed.
type Failure = Box<dyn Error + Send + Sync>;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    /// How many certificates one after another.
    #[arg(long, default_value_t = 60, value_parser = number())]
    count: u32,
    /// How many certificates some at once.
    #[arg(long, default_value_t = 320, value_parser = number())]
    wide: u32,
    /// How many at once.
    #[arg(long, default_value_t = 32, value_parser = number())]
    width: u32,
    /// How often each is measured; the middle is told.
    #[arg(long, default_value_t = 5, value_parser = number())]
    rounds: u32,
    /// How many certificates instant-acme gets with its defaults, which wait a lot.
    #[arg(long, default_value_t = 6, value_parser = number())]
    slow: u32,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Measures one client, for the process that started this one.
    #[command(hide = true)]
    Runner(runner::Arguments),
}

/// `TestCa` remembers 10,000 requests, which are to be counted.
fn number() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=900)
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.role {
        Some(Role::Runner(ref wanted)) => runner::run(wanted).await,
        None => measure(&arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<(), Failure> {
    let mut authorities = vec![Authority::in_process().await?];
    authorities.extend(Authority::pebble().await?);
    for authority in &mut authorities {
        let mut table = Table::default();
        for round in 0..arguments.rounds {
            for (count, width) in [(arguments.count, 1), (arguments.wide, arguments.width)] {
                for kind in Kind::value_variants().iter().copied() {
                    let slow = arguments.slow.saturating_mul(width.min(8));
                    let task = Task {
                        kind,
                        count: if kind == Kind::PeerDefault {
                            count.min(slow)
                        } else {
                            count
                        },
                        width,
                        names: format!("{kind}-{round}-{width}"),
                    };
                    let measured: Measurement = authority.measure(&task).await?;
                    table.add(width, kind, measured);
                }
            }
        }
        println!("\n{}\n\n{table}", authority.describe());
    }
    for authority in authorities {
        authority.stop().await?;
    }
    Ok(())
}
