//! What the verb needs to know of a client.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use super::operation::{Certificate, Operation};
use super::process::Background;
use super::site::Site;
use super::web::WebServer;

/// A program that speaks ACME, and how each thing is asked of it.
pub(super) trait Client: fmt::Debug {
    /// Its name, which is that of the program and of Debian's package.
    fn name(&self) -> &'static str;

    /// Starts what must run beside it.
    fn prepare(&self, site: &Site) -> Result<Beside, String>;

    /// How it is asked, in a site where all before went well.
    fn attempt(&self, operation: Operation, site: &Site) -> Attempt;

    /// Where it keeps the chain that it got for a certificate, the leaf first.
    fn chain(&self, certificate: Certificate, site: &Site) -> PathBuf;

    /// What is known to be wrong with the client itself, when its output shows that.
    fn known_defect(&self, operation: Operation, output: &str) -> Option<&'static str>;
}

/// How a client is asked.
#[derive(Debug)]
pub(super) enum Attempt {
    /// By a command.
    Run(Command),
    /// Not at all, and why.
    Cannot(&'static str),
}

/// What runs beside a client until it is dropped.
#[derive(Debug)]
pub(super) enum Beside {
    /// Nothing: the client serves its answers itself.
    Nothing,
    /// A web server and a program.
    Servers {
        _web: WebServer,
        _process: Background,
    },
}
