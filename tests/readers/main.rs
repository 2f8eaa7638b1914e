//! Programs that nobody here wrote read the directory that our store writes, and we read theirs.
//!
//! `cargo xtask readers` finds or installs the programs, names them in the environment and runs
//! this; without that, as in a run of all tests, there is nothing to do here.

#![allow(
    clippy::print_stdout,
    reason = "the table at the end is what this is for"
)]

mod directory;
mod handshake;
mod haproxy;
mod python;
mod table;
mod twisted;
mod txacme;
mod txsni;
mod variants;

use std::{env, path::PathBuf, process::ExitCode};

use table::Table;

/// Says that the programs are wanted.
const WANTED: &str = "ACME_READERS";

/// The programs, as far as they are at hand.
const HAPROXY: &str = "HAPROXY";
const PYTHON: &str = "READERS_PYTHON";
const TXACME_PYTHON: &str = "TXACME_PYTHON";

fn main() -> ExitCode {
    if env::var_os(WANTED).is_none() {
        println!("readers: skipped; `cargo xtask readers` finds or installs them and runs this");
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let table = match runtime {
        Ok(runtime) => runtime.block_on(all()),
        Err(error) => {
            println!("readers: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("\n{table}");
    if table.has_failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

async fn all() -> Table {
    let program = |variable| env::var_os(variable).map(PathBuf::from);
    let mut table = Table::default();
    match program(PYTHON) {
        Some(python) => {
            txsni::check(&python, &mut table).await;
            twisted::check(&python, &mut table).await;
            variants::check(&python, &mut table).await;
        }
        None => {
            table.skip("TxSNI", PYTHON);
            table.skip("Twisted", PYTHON);
        }
    }
    match program(HAPROXY) {
        Some(haproxy) => haproxy::check(&haproxy, &mut table).await,
        None => table.skip("HAProxy", HAPROXY),
    }
    match program(TXACME_PYTHON) {
        Some(python) => txacme::check(&python, &mut table).await,
        None => table.skip("txacme", TXACME_PYTHON),
    }
    table
}
