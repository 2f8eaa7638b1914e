//! What `acme ca` says: lines for people, or JSON for programs.

use std::io::{self, Write};

use acme_testing::TestCa;

use super::RootFiles;
use crate::Failure;

/// Says what happens on standard output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announcement {
    json: bool,
}

impl Announcement {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// The CA answers and its roots are written.
    pub(super) fn ready(self, ca: &TestCa, roots: &RootFiles) -> Result<(), Failure> {
        let directory = ca.directory_url();
        let https = roots.https.as_ref().map(|it| it.display().to_string());
        let issuer = roots.issuer.display();
        let text = match self.json {
            true => line(&serde_json::json!({
                "event": "ready",
                "directory": directory,
                "https_root": https,
                "issuer_root": issuer.to_string(),
            })),
            false => format!(
                "Directory: {directory}\n\
                 {}Root of its certificates: {issuer}\n\
                 Ready. Press Ctrl-C to end{}.\n",
                https.map_or_else(String::new, |it| format!(
                    "Trust this for its https: {it}\n"
                )),
                match roots.stay() {
                    true => "",
                    false => "; files in the temporary folder go with it",
                }
            ),
        };
        say(&text).map_err(|error| Failure::configuration("standard output").because(&error))
    }

    /// The CA is gone.
    pub(super) fn end(self) {
        let text = match self.json {
            true => line(&serde_json::json!({ "event": "ended" })),
            false => "Ended.\n".to_owned(),
        };
        // Whoever no longer reads does not want to know.
        let _ = say(&text);
    }
}

fn line(event: &serde_json::Value) -> String {
    format!("{event}\n")
}

/// In one go, and at once even into a pipe.
fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
