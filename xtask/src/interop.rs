//! `cargo xtask interop`: ACME clients of others against our CA, `acme ca`.

mod authority;
mod certbot;
mod client;
mod dns;
mod lego;
mod openssl;
mod operation;
mod process;
mod program;
mod scenario;
mod site;
mod table;
mod uacme;
mod web;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::command::acme_program;
use crate::failure::Failure;
use crate::pebble;
use crate::step::{Outcome, Step};
use client::Client;
use scenario::SCENARIOS;
use table::Table;

/// What of it is wanted.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// Only this client: certbot, lego or uacme; may be given several times.
    #[arg(long, value_name = "NAME")]
    client: Vec<String>,
    /// Install nothing; a client that is not here is a failure.
    #[arg(long)]
    no_install: bool,
}

/// Runs the clients, found or installed; one that cannot be had is a failure.
pub(crate) fn run(root: &Path, wanted: &Wanted) -> Result<Outcome, Failure> {
    let clients = chosen(&wanted.client)?;
    let packages: Vec<_> = clients.iter().map(|it| it.name()).collect();
    match wanted.no_install {
        true => program::all_present(&packages),
        false => program::find_or_install(&packages),
    }
    .map_err(Failure::new)?;
    run_with(root, &clients)
}

/// The step of `ci`: all clients where they are installed; else it says so.
pub(crate) fn step() -> Step {
    let clients = all();
    let names: Vec<_> = clients.iter().map(|it| it.name()).collect();
    match program::all_present(&names) {
        Ok(()) => Step::verb("interop", |root| run_with(root, &all())),
        Err(reason) => Step::impossible(
            "interop",
            format!("clients of others did not run: {reason}; `cargo xtask interop` installs them"),
        ),
    }
}

/// The programs that every scenario may need.
#[derive(Debug)]
struct Programs {
    acme: PathBuf,
    challtestsrv: PathBuf,
}

fn all() -> Vec<Box<dyn Client>> {
    vec![
        Box::new(certbot::Certbot),
        Box::new(lego::Lego),
        Box::new(uacme::Uacme),
    ]
}

fn chosen(names: &[String]) -> Result<Vec<Box<dyn Client>>, Failure> {
    for name in names {
        if all().iter().all(|it| it.name() != name) {
            let known: Vec<_> = all().iter().map(|it| it.name()).collect();
            return Err(Failure::new(format!(
                "no client is called {name:?}; known are {}",
                known.join(", ")
            )));
        }
    }
    let mut clients = all();
    clients.retain(|it| names.is_empty() || names.iter().any(|name| name == it.name()));
    Ok(clients)
}

fn run_with(root: &Path, clients: &[Box<dyn Client>]) -> Result<Outcome, Failure> {
    let found = pebble::find(root).map_err(Failure::new)?;
    let programs = Programs {
        acme: acme_program(root, &[])?,
        challtestsrv: found.programs.challtestsrv,
    };
    let folder = root.join("target").join("interop");
    let mut table = Table::new(clients.iter().map(|it| program::version(it.name())));
    for scenario in SCENARIOS {
        for (column, client) in clients.iter().enumerate() {
            println!("{}: {}", client.name(), scenario.name);
            let folder = folder.join(client.name()).join(scenario.name);
            scenario
                .run(client.as_ref(), &programs, &folder, |row, verdict| {
                    println!("  {}: {verdict}", row.title);
                    table.set(row.title, column, verdict);
                })
                .map_err(|error| {
                    Failure::new(format!("{}, {}: {error}", client.name(), scenario.name))
                })?;
        }
    }
    println!("\n{table}");
    println!(
        "What each client and the CA said is in {}",
        folder.display()
    );
    match table.failures() {
        0 => Ok(Outcome::Done),
        failures => Err(Failure::new(format!(
            "{failures} of the operations failed, and the CA may be to blame"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_client_is_refused_with_the_known_ones() {
        let failure = chosen(&["certbot".to_owned(), "acmebot".to_owned()]).unwrap_err();
        let text = failure.to_string();
        assert!(
            text.contains("\"acmebot\"") && text.contains("uacme"),
            "{text}"
        );
        assert_eq!(chosen(&[]).unwrap().len(), 3);
        assert_eq!(chosen(&["lego".to_owned()]).unwrap()[0].name(), "lego");
    }
}
