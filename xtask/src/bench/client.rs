//! `cargo xtask bench client`: acme-client beside instant-acme.

use std::path::Path;

use clap::Args;

use super::with_pebble;
use crate::command::cargo;
use crate::failure::Failure;
use crate::step::Outcome;

/// How much is measured.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// How many certificates one after another.
    #[arg(long, value_name = "NUMBER", default_value_t = 60)]
    count: u32,
    /// How many certificates 32 at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 320)]
    wide: u32,
    /// How often each is measured; the middle is told.
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    rounds: u32,
}

pub(super) fn run(root: &Path, wanted: &Wanted) -> Result<Outcome, Failure> {
    let mut bench = cargo(root);
    bench.args("bench -p acme-tests --locked --bench client --".split(' '));
    for (option, number) in [
        ("--count", wanted.count),
        ("--wide", wanted.wide),
        ("--rounds", wanted.rounds),
    ] {
        bench.args([option, &number.to_string()]);
    }
    with_pebble(root, &mut bench)
}
