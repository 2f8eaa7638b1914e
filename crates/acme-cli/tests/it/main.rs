//! The program as its user meets it: commands, output, exit status, files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod bad_input;
mod ca;
mod demo;
mod kill;
mod serve;
mod site;
